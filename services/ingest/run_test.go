package main

import "testing"

func TestAWriterNeedsNoMoreThanOneProcessor(t *testing.T) {
	for _, c := range []struct{ partitions, there, want int }{
		{1, 1, 1},
		{1, 2, 1}, // what it does not use is free for broker and Postgres
		{1, 8, 4},
		{2, 2, 2},
		{4, 2, 2},
		{4, 16, 8},
		{6, 8, 6},
	} {
		if got := (&runCmd{Partitions: c.partitions}).processors(c.there); got != c.want {
			t.Errorf("%d writers on %d: %d, want %d", c.partitions, c.there, got, c.want)
		}
	}
}
