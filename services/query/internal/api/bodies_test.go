package api

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"io"
	"sync"
	"testing"
)

// However many ask for the same packed body, while others crowd it out: each has it
// whole, it is packed once, and what is kept is counted to the byte.
func TestPackedBodiesTakeRoom(t *testing.T) {
	kept := newBodies()
	random := make([]byte, mostOfABody)
	_, _ = rand.Read(random)
	var askers sync.WaitGroup
	for i := range 2 * mostBytes / mostOfABody {
		answer := &body{tag: fmt.Sprint(i), bytes: random}
		kept.keep(answer)
		if i%12 > 0 {
			continue // most are never asked for again
		}
		packed := make(chan []byte, 4)
		for range cap(packed) {
			askers.Go(func() {
				kept.find(answer.tag)
				packed <- kept.packed(answer)
			})
		}
		askers.Go(func() {
			first := <-packed
			for range cap(packed) - 1 {
				if next := <-packed; &next[0] != &first[0] {
					t.Errorf("body %s was packed more than once", answer.tag)
				}
			}
			if text, err := unpacked(first); err != nil || !bytes.Equal(text, random) {
				t.Errorf("%d bytes are not those of body %s: %v", len(text), answer.tag, err)
			}
		})
	}
	askers.Wait()

	want := 0
	for element := kept.recent.Front(); element != nil; element = element.Next() {
		want += len(bodyOf(element).bytes) + len(bodyOf(element).packed)
	}
	if got := kept.size(); got != want || got > mostBytes || got < mostBytes/2 || len(kept.byTag) != kept.recent.Len() {
		t.Errorf("%d bytes are kept, counted as %d; %d may be", want, got, mostBytes)
	}
}

func unpacked(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
