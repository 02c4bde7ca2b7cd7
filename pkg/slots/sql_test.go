package slots_test

import (
	"testing"

	"coworking/pkg/pgtest"
	"coworking/pkg/slots"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// row is a row of the SQL function day_slots.
type row struct {
	Slot                int32 `db:"slot"`
	Checkins            int64 `db:"checkins"`
	Failed              int64 `db:"failed"`
	Arrivals            int64 `db:"arrivals"`
	Anonymous           int64 `db:"anonymous"`
	DeparturesExplicit  int64 `db:"departures_explicit"`
	DeparturesEstimated int64 `db:"departures_estimated"`
	PresenceUS          int64 `db:"presence_us"`
}

func TestTheDatabaseReadsTheSame(t *testing.T) {
	db := pgtest.New(t)
	far := make([]int64, slots.Max)
	far[0], far[slots.Max-1] = 1, 1<<62
	tests := map[string]slots.Day{
		"an empty day": {},
		"one check-in": {Checkins: []int64{1}},
		"the last series, far into the day": {
			Presence: append(make([]int64, 95), 900_000_000),
		},
		"every series, with holes, one longer than the next": {
			Checkins:            []int64{0, 0, 0, 7, 0, 300},
			Failed:              []int64{1, 0, 127, 128},
			Arrivals:            []int64{0, 16_383, 16_384},
			Anonymous:           []int64{5},
			DeparturesExplicit:  []int64{0, 0, 0, 0, 0, 0, 0, 9},
			DeparturesEstimated: []int64{2, 2, 2},
			Presence:            []int64{1 << 62, 0, 900_000_000},
		},
		"the longest day there can be": {Checkins: far, Failed: far, Presence: far},
	}
	for name, day := range tests {
		t.Run(name, func(t *testing.T) {
			rows, err := db.Query(t.Context(), `
				select slot, checkins, failed, arrivals, anonymous, departures_explicit, departures_estimated, presence_us
				from day_slots($1)`, day.Append([]byte{}))
			if err != nil {
				t.Fatal(err)
			}
			got, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
			if err != nil {
				t.Fatal(err)
			}
			want := []row{}
			for slot := range day.Len() {
				c := day.Sum(slot, slot+1)
				want = append(want, row{
					int32(slot), c.Checkins, c.Failed, c.Arrivals, c.Anonymous,
					c.DeparturesExplicit, c.DeparturesEstimated, c.Presence,
				})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-Go +SQL):\n%s", diff)
			}
		})
	}
}

func TestTheDatabaseRefusesBytesThatNobodyPacked(t *testing.T) {
	db := pgtest.New(t)
	for name, bad := range map[string][]byte{
		"another version": {2, 0},
		"only a version":  {1},
		"six series":      {1, 1, 1, 0, 0, 0, 0, 0},
		"eight series":    {1, 1, 1, 0, 0, 0, 0, 0, 0, 0},
		"half a number":   {1, 1, 1, 0, 0, 0, 0, 0, 1, 0x80},
		"half a run":      {1, 0, 0, 0, 0, 0, 0, 5, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := db.Exec(t.Context(), `select slot from day_slots($1)`, bad); err == nil {
				t.Error("it read them")
			}
		})
	}
}
