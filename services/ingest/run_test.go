package main

import "testing"

func TestAWriterNeedsNoMoreThanOneProcessor(t *testing.T) {
	for _, c := range []struct{ partitions, said, there, want int }{
		{1, 0, 1, 1},
		{1, 0, 2, 1}, // what it does not use is free for broker and Postgres
		{1, 0, 8, 4},
		{2, 0, 2, 2},
		{4, 0, 2, 2},
		{4, 0, 16, 8},
		{6, 0, 8, 6},
		{1, 3, 8, 3}, // GOMAXPROCS
	} {
		if got := (&runCmd{Partitions: c.partitions, Processors: c.said}).processors(c.there); got != c.want {
			t.Errorf("%d writers on %d, told %d: %d, want %d", c.partitions, c.there, c.said, got, c.want)
		}
	}
}
