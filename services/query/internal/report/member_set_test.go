package report

import (
	"math/rand/v2"
	"testing"
)

// A set is added up member by member, or with another set: both are the same.
func TestSetsOfMembersAreJoined(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range 200 {
		var one, other, joined memberSet
		both := map[int32]bool{}
		for range random.IntN(200) {
			member := 1 + random.Int32N(1+random.Int32N(5000))
			both[member] = true
			if random.IntN(2) == 0 {
				one.add(member)
			} else {
				other.add(member)
			}
		}
		joined.join(one)
		joined.join(other)
		if joined.size() != len(both) {
			t.Fatalf("%d members, want %d", joined.size(), len(both))
		}
		for member := range int32(5002) {
			if joined.has(member) != both[member] {
				t.Fatalf("member %d is in it: %v", member, joined.has(member))
			}
		}
		joined.clear()
		if joined.size() != 0 || joined.has(1) {
			t.Fatal("what was cleared holds somebody")
		}
	}
}
