package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/services/ingest/internal/store"

	"golang.org/x/sync/errgroup"
)

// spoilt is every rollup wrong, and every version as it was.
var spoilt = []string{
	"update space_day set checkins = 99, slots = null", "update member_day set visits = 99, in_at = null", "delete from more_visits",
	"update method_day set checkins = 99", "delete from tokens", "delete from legacy_usage", "update legacy_visits set visits = 99",
	"delete from sources", "delete from member_changes", "update members set name = 'Eve'",
}

func TestARebuildMakesEveryRollupAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(ordinaryDay()...)
	w.write(void("v", "4"))
	refileAll(t, w.store)
	before := rows(t, w.pool)
	for _, sql := range spoilt {
		w.change(sql)
	}
	w.change("delete from space_day where events > 3") // one has even lost its row
	days, err := w.store.Rebuild(t.Context(), store.Range{}, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	if diff := unlike(before, rows(t, w.pool)); diff != "" || days != 2 { // of the space and of `_`
		t.Errorf("%d days rebuilt (-want +got):\n%s", days, diff)
	}
	w.same()
	w.write(tell("9", event.CheckOut, "16:00", "ada"))
	w.same()
}

// Caches look at versions: that of the space of members moves although no day of it was rebuilt.
func TestARebuildMovesTheVersionsOfWhatIsShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(tell("1", event.CheckIn, "09:00", "ada"))
	w.change("update members set joined_at = now()")
	if _, err := w.store.Rebuild(t.Context(), store.Range{}, func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	w.want("select count(*) from members where joined_at is null", "1")
	w.want("select version > 0 from spaces where space = '_'", "true")
}

func TestARebuildOfARangeTouchesNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for day := range 4 {
		for _, space := range []string{"berlin", "york"} {
			e := tell(fmt.Sprint(day), event.CheckIn, "10:00", "ada")
			e.Space, e.Time = space, e.Time.AddDate(0, 0, day)
			w.write(e)
		}
	}
	w.change("update space_day set checkins = 99")
	from, _ := calendar.ParseDate("2026-03-03")
	to := from.AddDays(2)
	days, err := w.store.Rebuild(t.Context(), store.Range{Spaces: []string{"york"}, From: &from, To: &to}, func(int, int) {})
	if err != nil || days != 2 {
		t.Errorf("%d days rebuilt, %v", days, err)
	}
	w.want("select string_agg(s.space || ' ' || to_char(day, 'DD'), ',' order by day) from space_day d join spaces s on s.id = d.space where checkins = 1",
		"york 03,york 04")
}

// Whoever writes while a rebuild goes on loses nothing, and neither does who
// changes settings, takes back or seals.
func TestIngestionGoesOnDuringARebuild(t *testing.T) {
	t.Parallel()
	c := newChance(7, 7)
	db := newArena(t)
	messages := c.world()
	for range 3 {
		messages = append(messages, again(c, messages)...)
	}
	want := judge(t, messages)
	half := len(messages) / 2
	if _, err := db.stores[0].Write(t.Context(), messages[:half]); err != nil {
		t.Fatal(err)
	}
	writing, done := context.WithCancel(t.Context())
	group, ctx := errgroup.WithContext(t.Context())
	group.Go(func() error {
		defer done()
		for _, m := range messages[half:] {
			if _, err := db.stores[0].Write(ctx, []store.Incoming{m}); err != nil {
				return err
			}
			if _, err := db.stores[0].Refile(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	rebuilds := 0
	group.Go(func() error {
		for ; writing.Err() == nil || rebuilds == 0; rebuilds++ {
			if _, err := db.stores[1].Rebuild(ctx, store.Range{}, func(int, int) {}); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		for writing.Err() == nil {
			found, err := db.stores[1].VerifyRollups(ctx, store.Range{}, func(int, int) {})
			if err != nil {
				return err
			}
			if len(found.Differences) > 0 {
				return fmt.Errorf("a verification in between finds %+v", found.Differences[0])
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	refileAll(t, db.stores[0])
	t.Logf("%d rebuilds", rebuilds)
	if diff := unlike(want, rows(t, db.pools[0])); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	db.verify(t)
}

// again is the messages once more as other events, a week on.
func again(c chance, messages []store.Incoming) []store.Incoming {
	var more []store.Incoming
	for _, m := range messages {
		if e := m.Event; m.Fault == nil && e.Kind != event.SpaceUpserted {
			e.ID += fmt.Sprint("-", c.IntN(1e6))
			e.Time = e.Time.Add(7 * 24 * time.Hour)
			more = append(more, message(e, m.Sequence+uint64(len(messages)), m.Received.Add(7*24*time.Hour)))
		}
	}
	return more
}
