package report

import (
	"testing"

	"coworking/pkg/calendar"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// What is packed is unpacked to the microsecond, in whatever order it came.
func TestVisitsAreUnpackedAsTheyWere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		date := calendar.Date(rapid.Int32Range(-10, 30000).Draw(t, "date"))
		var packed packing
		var want, got []visit
		for range rapid.IntRange(0, 20).Draw(t, "visits") {
			v := drawPacked(t, date)
			packed.add(&v)
			want = append(want, v)
		}
		var d dayMemory
		d.packed(&packed)
		for v := range d.stays.on(date) {
			one := stay{visit: v}
			got = append(got, *one.kept().visit)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(visit{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-packed +unpacked):\n%s", diff)
		}
		if len(packed.bytes) > 0 {
			t.Fatal("what was packed of one day is still there for the next")
		}
	})
}

func drawPacked(t *rapid.T, date calendar.Date) visit {
	instant := rapid.Int64Range(-1e15, 5e15)
	word := rapid.OneOf(rapid.Int32Range(0, 2), rapid.Int32Min(0))
	v := visit{
		day: date, member: rapid.Int32Min(0).Draw(t, "member"), in: instant.Draw(t, "in"), out: instant.Draw(t, "out"),
		explicit: rapid.Bool().Draw(t, "explicit"), cutoff: rapid.Bool().Draw(t, "cutoff"),
		party: 1, touches: 1,
		method: word.Draw(t, "method"), zone: word.Draw(t, "zone"), plan: word.Draw(t, "plan"), team: word.Draw(t, "team"),
	}
	v.lastTouch = v.in
	if rapid.Bool().Draw(t, "was touched again") {
		v.touches, v.lastTouch = rapid.Int64Range(0, 1e6).Draw(t, "touches"), instant.Draw(t, "last touch")
	}
	if rapid.Bool().Draw(t, "is a party") {
		v.party = rapid.Int64Range(1, 1e6).Draw(t, "party")
	}
	for range rapid.IntRange(0, 2).Draw(t, "times outside") {
		v.away = append(v.away, instant.Draw(t, "left"), instant.Draw(t, "came back"))
	}
	return v
}

// So is what is packed of tokens.
func TestTokensAreUnpackedAsTheyWere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		instant := rapid.Int64Range(-1e15, 5e15)
		var want, got []token
		for range rapid.IntRange(0, 20).Draw(t, "tokens") {
			issued := instant.Draw(t, "issued")
			want = append(want, token{
				issued: issued, member: rapid.Int32Min(0).Draw(t, "member"),
				used:    rapid.OneOf(rapid.SampledFrom([]int64{distantFuture, issued}), instant).Draw(t, "used"),
				expires: rapid.OneOf(rapid.SampledFrom([]int64{issued, issued + 86_400_000_000}), instant).Draw(t, "expires"),
			})
		}
		var d tokenDay
		d.pack(want)
		for one := range d.tokens() {
			got = append(got, *one)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(token{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-packed +unpacked):\n%s", diff)
		}
	})
}

// BenchmarkVisits tells how long a visit takes to walk over, and how many bytes it takes.
func BenchmarkVisits(b *testing.B) {
	const visits = 1400
	var packed packing
	for i := range int64(visits) {
		in := 1_775_000_000_000_000 + i*31_234_567
		v := visit{
			member: int32(i * 7919 % 2000), in: in, out: in + 3_600_000_000 + i%97*61_000_017, explicit: i%4 > 0,
			party: 1, touches: 1, lastTouch: in, method: int32(i % 3),
		}
		packed.add(&v)
	}
	var d dayMemory
	d.packed(&packed)
	var inside int64
	for b.Loop() {
		for v := range d.stays.on(0) {
			inside += v.out - v.in
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/visits, "ns/visit")
	b.ReportMetric(float64(d.stays.room())/visits, "bytes/visit")
}
