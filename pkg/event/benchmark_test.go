package event

import "testing"

// busiest is the event that comes most often, with all that it can carry.
const busiest = `{"specversion":"1.0","id":"019d3a52-91f0-7c1e-8a4b-0c1f6f6f6d11","source":"kisi/place-12",` +
	`"type":"coworking.v1.checkin","time":"2026-03-29T00:58:03.120Z","subject":"4711",` +
	`"datacontenttype":"application/json",` +
	`"data":{"space":"berlin-mitte","method":"door","zone":"open-space","device":"lock-7","plan":"flex-10","team":"acme","party_size":2}}`

func BenchmarkDecodeCheckIn(b *testing.B) {
	body := []byte(busiest)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := Decode(body, Options{SubjectSpace: "berlin-mitte", SubjectKind: "checkin"}); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarked(b *testing.B) Event {
	b.Helper()
	e, err := Decode([]byte(busiest), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	return e
}

func BenchmarkContent(b *testing.B) {
	e := benchmarked(b)
	for b.Loop() {
		_ = e.Content()
	}
}

func BenchmarkKey(b *testing.B) {
	e := benchmarked(b)
	for b.Loop() {
		_ = e.Key()
	}
}

func BenchmarkEncode(b *testing.B) {
	e := benchmarked(b)
	var body []byte
	for b.Loop() {
		body = e.Encode(body[:0])
	}
}
