package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/services/ingest/internal/store"

	"golang.org/x/sync/errgroup"
)

// Two workers and one hot space with 90 % of the traffic, for some seconds; every
// event goes to both of them, now and then. Nobody deadlocks, nothing is lost.
func TestTwoWorkersOnOneHotSpace(t *testing.T) {
	t.Parallel()
	const seconds = 3
	db := newArena(t)
	ctx, cancel := context.WithTimeout(t.Context(), seconds*time.Second)
	defer cancel()
	var (
		sent, stored, duplicates atomic.Int64
		voids                    atomic.Int64
		group                    errgroup.Group
	)
	for worker := range db.stores {
		group.Go(func() error {
			c := newChance(uint64(worker), 1)
			for n := 0; ctx.Err() == nil; n++ {
				batch := c.hotBatch(worker, n)
				sent.Add(int64(len(batch)))
				for range 1 + c.IntN(2) { // some twice
					result, err := db.stores[worker].Write(t.Context(), batch)
					if err != nil {
						return fmt.Errorf("worker %d: %w", worker, err)
					}
					if result.Buried > 0 {
						return fmt.Errorf("worker %d: %d of a batch were buried", worker, result.Buried)
					}
					stored.Add(int64(result.Stored))
					duplicates.Add(int64(result.Duplicates))
				}
				if n%4 == 3 {
					voids.Add(1)
					v := void(fmt.Sprint("v", worker, "-", n), fmt.Sprint("w", worker, "-", n, "-0"))
					v.Space = "hot"
					if _, err := db.stores[1-worker].Write(t.Context(), []store.Incoming{message(v, 1, v.Time)}); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events in %d s, %d duplicates, %d voids", sent.Load(), seconds, duplicates.Load(), voids.Load())
	var events, counted int64
	err := db.pools[0].QueryRow(t.Context(), `select (select count(*) from events), (select sum(events) from space_day)`).Scan(&events, &counted)
	if err != nil {
		t.Fatal(err)
	}
	if events != sent.Load()+voids.Load() || stored.Load() != sent.Load() || counted != sent.Load()-voids.Load() {
		t.Errorf("%d sent and %d voided: %d said to be stored, %d stored, %d counted", sent.Load(), voids.Load(), stored.Load(), events, counted)
	}
	db.verify(t)
}

// hotBatch is 50 to 500 events, most of them of one space, of people that the
// other worker has, too.
func (c chance) hotBatch(worker, n int) []store.Incoming {
	batch := make([]store.Incoming, 50+c.IntN(451))
	for i := range batch {
		e := event.Event{
			ID: fmt.Sprint("w", worker, "-", n, "-", i), Source: "door", Space: "hot", Kind: pick(c, event.CheckIn, event.CheckIn, event.CheckOut, event.Presence),
			Time: at("06:00").Add(time.Duration(c.IntN(36*60*60)) * time.Second), Member: fmt.Sprint("member-", c.IntN(200)),
		}
		switch kind := c.IntN(20); {
		case i == 0: // a void's target
		case kind < 2:
			e.Space = fmt.Sprint("cold-", c.IntN(5))
		case kind == 2:
			e.Member, e.Kind = "", event.CheckIn
		case kind == 3:
			e.Kind, e.Data.TokenID = pick(c, event.TokenIssued, event.TokenUsed), fmt.Sprint("t", c.IntN(50))
		case kind == 4:
			e.Kind, e.Space, e.Data.Plan = event.MemberUpserted, event.NoSpace, pick(c, "flex", "desk")
		}
		batch[i] = message(e, uint64(i+1), e.Time)
	}
	return batch
}
