package store_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"coworking/pkg/pg"
	"coworking/pkg/pgtest"
	"coworking/services/ingest/internal/store"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

var (
	ordersFlag = flag.Int("orders", 40, "in how many orders random worlds are written")
	seedFlag   = flag.Uint64("seed", 0, "of the random worlds; 0 takes another each time")
	worldFlag  = flag.Int("world", -1, "only this one of the random worlds")
)

// ordersPerWorld is in how many orders each random world is written.
const ordersPerWorld = 5

// The promise of the whole project: whatever the order, the duplicates, the batches
// and the workers, the rows are the same, and they are what the specification says.
func TestAnyOrderGivesTheSameRows(t *testing.T) {
	t.Parallel()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-seed=%d", seed)
	db := newArena(t)
	for world := range (*ordersFlag + ordersPerWorld - 1) / ordersPerWorld {
		if *worldFlag >= 0 && world != *worldFlag {
			continue
		}
		c := newChance(seed, world)
		messages := c.world()
		want := judge(t, messages)
		for order := range ordersPerWorld {
			db.empty(t)
			db.write(t, c.deal(messages))
			if diff := unlike(want, rows(t, db.pools[0])); diff != "" {
				t.Fatalf("-seed=%d -world=%d: order %d gives other rows than the oracle (-want +got):\n%s", seed, world, order, diff)
			}
		}
		db.verify(t)
	}
}

// unlike is the lines that only one side has, "" if there are none.
func unlike(want, got []string) string {
	var lines []string
	for i, j := 0, 0; i < len(want) || j < len(got); {
		switch {
		case j == len(got) || i < len(want) && want[i] < got[j]:
			lines = append(lines, "- "+want[i])
			i++
		case i == len(want) || got[j] < want[i]:
			lines = append(lines, "+ "+got[j])
			j++
		default:
			i, j = i+1, j+1
		}
	}
	return strings.Join(lines, "\n")
}

// arena is one database and two workers, each with connections and a memory of its
// own.
type arena struct {
	pools    [2]*pgxpool.Pool
	stores   [2]*store.Store
	emptying string // the statements of empty
}

func newArena(t *testing.T) *arena {
	t.Helper()
	a := &arena{}
	url := pgtest.URL(t)
	for i := range a.pools {
		pool, err := pg.Open(t.Context(), pg.URL(url), pg.Options{Name: "worker", MaxConns: 4, Writer: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		a.pools[i] = pool
	}
	err := a.pools[0].QueryRow(t.Context(), `
		select 'begin; set local session_replication_role = replica; '
		  || string_agg(format(case relkind when 'r' then 'delete from %I' else 'select setval(%L, 1, false)' end, relname), '; ')
		  || '; commit'
		from pg_class where relkind in ('r', 'S') and relnamespace = 'public'::regnamespace and relname <> 'schema_migrations'`).Scan(&a.emptying)
	if err != nil {
		t.Fatal(err)
	}
	a.empty(t)
	return a
}

// empty begins anew: no rows, numbers from one, and workers that know nothing. For few
// rows it is quicker to delete them than to truncate; what is deleted drives nothing.
func (a *arena) empty(t *testing.T) {
	t.Helper()
	if _, err := a.pools[0].Exec(t.Context(), a.emptying, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	for i := range a.stores {
		s, err := store.New(t.Context(), a.pools[i])
		if err != nil {
			t.Fatal(err)
		}
		a.stores[i] = s
	}
}

// world is the first worker's, begun anew: for tests of many cases, of which each
// would else get to know a database of its own.
func (a *arena) world(t *testing.T) *world {
	t.Helper()
	a.empty(t)
	return &world{T: t, pool: a.pools[0], store: a.stores[0]}
}

// hand is what one worker gets: batch after batch, and after which of them it files
// a space-day anew, if one is queued.
type hand struct {
	batches [][]store.Incoming
	refile  []bool
}

// deal shuffles the messages with some of them twice, delivered again or published
// again, cuts them into batches, and deals these out.
func (c chance) deal(messages []store.Incoming) [2]hand {
	dealt := slices.Clone(messages)
	for _, m := range messages {
		switch c.IntN(8) {
		case 0:
			dealt = append(dealt, m)
		case 1:
			if m.Fault == nil {
				m.Sequence += 10_000
				m.Received = m.Received.Add(time.Duration(c.IntN(60)) * time.Minute)
				dealt = append(dealt, m)
			}
		}
	}
	switch c.IntN(4) {
	case 0: // as they were sent, and then those that come twice
	case 1:
		slices.Reverse(dealt)
	default:
		c.Shuffle(len(dealt), func(i, j int) { dealt[i], dealt[j] = dealt[j], dealt[i] })
	}
	largest := 1 + c.IntN(len(dealt))
	var hands [2]hand
	for len(dealt) > 0 {
		n := min(1+c.IntN(largest), len(dealt))
		h := &hands[c.IntN(2)]
		h.batches, h.refile = append(h.batches, dealt[:n:n]), append(h.refile, c.one(3))
		dealt = dealt[n:]
	}
	return hands
}

// write lets both workers write at once, and then files anew what is queued.
func (a *arena) write(t *testing.T, hands [2]hand) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	for i, h := range hands {
		group.Go(func() error {
			for n, batch := range h.batches {
				if _, err := a.stores[i].Write(ctx, batch); err != nil {
					return err
				}
				if h.refile[n] {
					if _, err := a.stores[i].Refile(ctx); err != nil {
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
	refileAll(t, a.stores[0])
}

// refileAll files anew what is queued.
func refileAll(t *testing.T, s *store.Store) {
	t.Helper()
	for found := true; found; {
		var err error
		if found, err = s.Refile(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
}

// verify says that the rollups are what the stored events amount to.
func (a *arena) verify(t *testing.T) {
	t.Helper()
	if different := differences(t, a.stores[1]); len(different) > 0 {
		t.Errorf("a verification finds:\n%s", strings.Join(different, "\n"))
	}
}

// differences is what a verification finds, a line each.
func differences(t *testing.T, s *store.Store) []string {
	t.Helper()
	found, err := s.VerifyRollups(t.Context(), store.Range{}, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, d := range found.Differences {
		lines = append(lines, strings.Join([]string{d.Table, d.Space, d.Day, d.Key, string(d.Stored), string(d.Derived)}, " "))
	}
	return lines
}
