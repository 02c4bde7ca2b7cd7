package store_test

import (
	"fmt"
	"testing"

	"coworking/pkg/event"
	"coworking/pkg/pgtest"
	"coworking/services/ingest/internal/store"

	"github.com/google/go-cmp/cmp"
)

// counted is a store on the world's database whose waits are noted.
func (w *world) counted() (*store.Store, *pgtest.Waits) {
	w.Helper()
	waits := &pgtest.Waits{}
	s, err := store.New(w.Context(), waits.Pool(w, w.pool))
	if err != nil {
		w.Fatal(err)
	}
	return s, waits
}

// How soon an event is in a report hangs on how often its batch waits for an answer.
func TestASmallBatchOfPeopleWhoAreKnownWaitsTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, waits := w.counted()
	day := []event.Event{
		tell("1", event.CheckIn, "09:00", "ada"), tell("2", event.CheckOut, "12:00", "ada"),
		tell("3", event.CheckIn, "15:00", "ada"), tell("4", event.CheckIn, "10:00", "bob"), tell("5", event.CheckIn, "11:00", ""),
	}
	after := []event.Event{
		tell("6", event.CheckOut, "17:00", "ada"), // changes her second visit
		tell("7", event.CheckOut, "16:00", "bob"), tell("8", event.CheckIn, "12:00", ""), tell("9", event.Presence, "12:30", "bob"),
	}
	for i, events := range [][]event.Event{day, after} {
		var batch []store.Incoming
		for _, e := range events {
			batch = append(batch, w.incoming(e))
		}
		waits.Take()
		if _, err := s.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			continue // ada and bob are new
		}
		if diff := cmp.Diff([]string{pgtest.Batch, pgtest.Batch}, waits.Take()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	w.want("select string_agg(in_at::time || '-' || out_at::time, ' ' order by in_at, out_at) from visits",
		"09:00:00-12:00:00 10:00:00-16:00:00 11:00:00-15:00:00 12:00:00-16:00:00 15:00:00-17:00:00")
	w.same()
}

// Many rows are copied, a few are not; neither changes a number.
func TestRowsAreTheSameHoweverTheyAreSent(t *testing.T) {
	t.Parallel()
	db := newArena(t)
	for _, size := range []int{1, 7, 250, 251, 600} {
		t.Run(fmt.Sprint("batches of ", size), func(t *testing.T) {
			w := db.world(t)
			var batch []store.Incoming
			for i := range 600 {
				e := tell(fmt.Sprint("e", i), event.CheckIn, fmt.Sprintf("%02d:%02d", 8+i%10, i%60), fmt.Sprint("member-", i%170))
				switch {
				case i%11 == 0:
					e.Kind = event.CheckOut
				case i%13 == 0:
					e.Member = ""
				case i%17 == 0:
					e.Kind, e.Data.TokenID = event.TokenUsed, fmt.Sprint("token-", i)
				}
				batch = append(batch, w.incoming(e))
			}
			for from := 0; from < len(batch); from += size {
				if _, err := w.store.Write(t.Context(), batch[from:min(from+size, len(batch))]); err != nil {
					t.Fatal(err)
				}
			}
			w.want("select count(*) from events", "600")
			w.same()
		})
	}
}
