package pg_test

import (
	"testing"

	"coworking/pkg/pg"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgtype"
)

func TestAnArrayIsReadOrRefused(t *testing.T) {
	pool := pgtest.New(t)
	send := func(array string) (sent pgtype.UndecodedBytes) {
		t.Helper()
		if err := pool.QueryRow(t.Context(), "select "+array).Scan(&sent); err != nil {
			t.Fatal(err)
		}
		return sent
	}
	for array, want := range map[string][]int64{
		"null::int8[]":                            {},
		"'{}'::int8[]":                            {},
		"'{7,-1,9000000000000000000}'::int8[]":    {7, -1, 9_000_000_000_000_000_000},
		"'{2000-01-01 00:00:01Z}'::timestamptz[]": {1_000_000},
	} {
		got, err := pg.Array[int64](send(array))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", array, err, diff)
		}
	}
	short, err := pg.Array[int32](send("'{7,-1,2147483647}'::int4[]"))
	if diff := cmp.Diff([]int32{7, -1, 2_147_483_647}, short); diff != "" || err != nil {
		t.Errorf("int4[]: %v\n%s", err, diff)
	}
	for _, array := range []string{"'{7,null}'::int8[]", "'{7}'::int4[]"} {
		if got, err := pg.Array[int64](send(array)); err == nil {
			t.Errorf("%s is %v", array, got)
		}
	}
}
