package store_test

import "testing"

// What a source publishes twice is counted; what the stream gives out twice is not.
func TestDuplicatesAreCountedByTheirSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := ordinaryDay()
	w.write(first...)
	w.want("select sum(duplicates) from sources", "0")
	w.write(first...)
	w.want("select sum(duplicates) > 0 from sources", "true")
}
