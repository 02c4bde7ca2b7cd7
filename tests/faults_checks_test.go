package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"coworking/pkg/stream"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
)

// The promises that are checked once everything is well again.
const (
	nothingLost  = "L" // what was acknowledged is stored or buried
	countedOnce  = "D" // no event is stored twice, each check-in is counted once
	rollupsRight = "R" // the rollups are what the stored events amount to
	allAccounted = "S" // each message of the stream is stored or buried
)

// broken is what was found broken, in sentences, by the promise.
type broken map[string][]string

func (b broken) note(promise, format string, args ...any) {
	b[promise] = append(b[promise], fmt.Sprintf(format, args...))
}

// promises is which promises are broken, in one word.
func (b broken) promises() string {
	return strings.Join(slices.Sorted(maps.Keys(b)), "")
}

// String is the sentences, the first ones of each promise.
func (b broken) String() string {
	var text strings.Builder
	for _, promise := range slices.Sorted(maps.Keys(b)) {
		found := b[promise]
		for _, sentence := range found[:min(len(found), 5)] {
			fmt.Fprintf(&text, "%s: %s\n", promise, sentence)
		}
		if len(found) > 5 {
			fmt.Fprintf(&text, "%s: and %d more\n", promise, len(found)-5)
		}
	}
	return text.String()
}

// kept is what broker and database have, as read by the test itself.
type kept struct {
	streamed []streamed
	stored   map[identity]int // how often
	buried   map[identity]bool
	letters  map[uint64]bool // their sequences
	checkins map[string]int  // by space, as counted in the rollups
}

// streamed is a message of the stream.
type streamed struct {
	identity // empty if nobody can read it

	sequence uint64
}

// look reads all that is kept.
func (s *site) look() kept {
	s.t.Helper()
	k := kept{
		streamed: s.readStream(),
		stored:   map[identity]int{}, buried: map[identity]bool{}, letters: map[uint64]bool{}, checkins: map[string]int{},
	}
	for _, row := range rows[struct {
		Space, Source, ID string
	}](s, `select s.space, n.name as source, e.id from events e join spaces s on s.id = e.space join names n on n.id = e.source`) {
		k.stored[identity(row)]++
	}
	for _, row := range rows[struct {
		Seq  int64
		Body []byte
	}](s, `select seq, body from dead_letters`) {
		k.letters[uint64(row.Seq)] = true
		k.buried[identify(row.Body)] = true
	}
	for _, row := range rows[struct {
		Space    string
		Checkins int
	}](s, `select s.space, sum(d.checkins)::int as checkins from space_day d join spaces s on s.id = d.space group by 1`) {
		k.checkins[row.Space] = row.Checkins
	}
	return k
}

// readStream reads every message that the stream has, through a consumer of its own.
func (s *site) readStream() []streamed {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	consumer, err := s.js.OrderedConsumer(ctx, stream.Name, jetstream.OrderedConsumerConfig{})
	if err != nil {
		s.t.Fatal(err)
	}
	var all []streamed
	for left := consumer.CachedInfo().NumPending; left > 0; {
		batch, err := consumer.Fetch(int(min(left, 1000)), jetstream.FetchMaxWait(5*time.Second))
		if err != nil {
			s.t.Fatal(err)
		}
		for message := range batch.Messages() {
			metadata, err := message.Metadata()
			if err != nil {
				s.t.Fatal(err)
			}
			all = append(all, streamed{identify(message.Data()), metadata.Sequence.Stream})
			left = metadata.NumPending
		}
		if err := batch.Error(); err != nil {
			s.t.Fatal(err)
		}
	}
	return all
}

// identify reads which event a message is; it is empty if nobody can.
func identify(body []byte) identity {
	var e struct {
		ID, Source string
		Data       struct{ Space string }
	}
	if json.Unmarshal(body, &e) != nil {
		return identity{}
	}
	return identity{e.Data.Space, e.Source, e.ID}
}

// check asks whether the promises hold: by what the test itself reads from the
// broker and the database, and by `ingest verify`. All that was published must have
// been acknowledged.
func (s *site) check() broken {
	s.t.Helper()
	acknowledged, err := s.ledger.read()
	if err != nil {
		s.t.Fatal(err)
	}
	found, k := broken{}, s.look()
	k.checkLoss(found, acknowledged)
	k.checkCounts(found, acknowledged)
	k.checkStream(found)
	s.verify(found, k)
	return found
}

func (k kept) checkLoss(found broken, acknowledged []entry) {
	inStream := map[identity]bool{}
	for _, m := range k.streamed {
		inStream[m.identity] = true
	}
	for _, e := range acknowledged {
		switch {
		case !inStream[e.identity]:
			found.note(nothingLost, "%v was acknowledged, and the stream has lost it", e)
		case k.stored[e.identity] == 0 && !k.buried[e.identity]:
			found.note(nothingLost, "%v was acknowledged, and is neither stored nor buried", e)
		}
	}
}

func (k kept) checkCounts(found broken, acknowledged []entry) {
	voided, known := map[identity]bool{}, map[identity]bool{}
	for _, e := range acknowledged {
		known[e.identity] = true
		if e.Voids != "" {
			voided[identity{e.Space, e.Source, e.Voids}] = true
		}
	}
	want, counted := map[string]int{}, map[identity]bool{}
	for _, space := range append(slices.Clone(spaces), "_") {
		want[space] = 0
	}
	for _, e := range acknowledged {
		if e.counts() && !voided[e.identity] && !counted[e.identity] {
			counted[e.identity] = true
			want[e.Space]++
		}
	}
	if diff := cmp.Diff(want, k.checkins); diff != "" {
		found.note(countedOnce, "check-ins by space (-acknowledged +counted):\n%s", diff)
	}
	for id, times := range k.stored {
		if times > 1 {
			found.note(countedOnce, "%v is stored %d times", id, times)
		}
		if !known[id] {
			found.note(countedOnce, "%v is stored, and nobody published it", id)
		}
	}
}

func (k kept) checkStream(found broken) {
	for i, m := range k.streamed {
		if m.sequence != uint64(i)+1 {
			found.note(allAccounted, "message %d comes as the stream's %d.", m.sequence, i+1)
			return
		}
		if k.stored[m.identity] == 0 && !k.letters[m.sequence] {
			found.note(allAccounted, "message %d (%v) is neither stored nor buried", m.sequence, m.identity)
		}
	}
}

// verification is what is read of the report of `ingest verify`.
type verification struct {
	Equal   bool `json:"equal"`
	Rollups struct {
		SpaceDays   int          `json:"space_days"`
		Refiling    int          `json:"refiling"`
		Differences []difference `json:"differences"`
	} `json:"rollups"`
	Stream struct {
		Partitions []struct {
			Through     uint64  `json:"through_sequence"`
			Messages    int     `json:"messages"`
			Unaccounted []int64 `json:"unaccounted"`
		} `json:"partitions"`
	} `json:"stream"`
}

type difference struct {
	Table, Space, Day, Key string
	Stored, Derived        json.RawMessage
}

// verify asks `ingest verify`, whose exit code is its word, and whose report must
// cover everything.
func (s *site) verify(found broken, k kept) {
	s.t.Helper()
	out, code := s.try("verify", "--quiet")
	var report verification
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&report); err != nil {
		s.t.Fatalf("ingest verify ended with %d, and its report cannot be read: %v\n%s", code, err, out)
	}
	if report.Equal != (code == 0) || code > 1 {
		s.t.Errorf("ingest verify ended with %d, its report says equal: %v", code, report.Equal)
	}
	for _, d := range report.Rollups.Differences {
		found.note(rollupsRight, "ingest verify: %s %s %s %s is %s, and its events say %s", d.Table, d.Space, d.Day, d.Key, compact(d.Stored), compact(d.Derived))
	}
	if report.Rollups.Refiling > 0 || report.Rollups.SpaceDays == 0 {
		found.note(rollupsRight, "ingest verify looked at %d space-days, and left %d out", report.Rollups.SpaceDays, report.Rollups.Refiling)
	}
	for _, p := range report.Stream.Partitions {
		for _, sequence := range p.Unaccounted {
			found.note(allAccounted, "ingest verify: message %d is neither stored nor buried", sequence)
		}
		if p.Messages != len(k.streamed) {
			found.note(allAccounted, "ingest verify looked at %d of %d messages", p.Messages, len(k.streamed))
		}
	}
}

// compact is JSON on one line.
func compact(text json.RawMessage) string {
	var line bytes.Buffer
	if json.Compact(&line, text) != nil {
		return string(text)
	}
	return line.String()
}
