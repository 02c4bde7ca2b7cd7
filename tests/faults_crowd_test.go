package tests

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"golang.org/x/sync/errgroup"
)

// identity is which event it is.
type identity struct{ Space, Source, ID string }

// entry is a line of the ledger: an event that the stream has acknowledged.
type entry struct {
	identity

	Kind  string
	Voids string `json:",omitempty"` // the id of the event that it takes back, of the same space and source
}

// poison is the kind of what is no event.
const poison = "poison"

// counts says whether the event is a check-in, as reports count them.
func (e entry) counts() bool {
	return e.Kind == string(event.CheckIn) || e.Kind == string(event.TokenUsed)
}

// ledger is where publishers write what was acknowledged, and only then.
type ledger struct {
	mu    sync.Mutex
	file  *os.File
	count atomic.Int64
}

func openLedger(path string) (*ledger, error) {
	file, err := os.Create(path)
	return &ledger{file: file}, err
}

func (l *ledger) write(entries []entry) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for _, e := range entries {
		if err := encoder.Encode(e); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.file.Write(text.Bytes())
	l.count.Add(int64(len(entries)))
	return err
}

// read is all that was written.
func (l *ledger) read() ([]entry, error) {
	file, err := os.Open(l.file.Name())
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var entries []entry
	for decoder := json.NewDecoder(bufio.NewReader(file)); decoder.More(); {
		var e entry
		if err := decoder.Decode(&e); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// The crowd's world.
const (
	doors   = 4
	members = 300
	pace    = 50 * time.Millisecond // between two batches of a door
	most    = 40                    // events in one batch, at most
)

var (
	spaces = []string{"soho", "mitte", "thamel", "lisboa", "ueno"}
	zones  = []string{"America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Europe/Lisbon", "Asia/Tokyo"}
)

// crowd is everybody who publishes.
type crowd struct {
	name      string // what their sources begin with; no two crowds of a site have the same
	ledger    *ledger
	publisher *stream.Publisher
	now       time.Time // what happens lies before

	published atomic.Int64 // different messages, each until it was acknowledged
	again     atomic.Int64 // sent again, since nobody knows what became of them
}

// publish lets everybody publish until asked to stop, and returns when all that was
// published is acknowledged.
func (c *crowd) publish(ctx context.Context, stop <-chan struct{}, seed uint64) error {
	var group errgroup.Group
	for n := range doors {
		d := &door{crowd: c, source: c.name + "-" + strconv.Itoa(n), random: rand.New(rand.NewPCG(seed, uint64(n)))}
		group.Go(func() error { return d.work(ctx, stop) })
	}
	return group.Wait()
}

// letter is an event on its way.
type letter struct {
	entry
	stream.Message
}

// door is one publisher: a source of its own, which speaks for every space.
type door struct {
	*crowd

	source string
	random *rand.Rand
	serial int
	sent   []letter    // check-ins that may be sent twice, or taken back
	held   []letter    // whose void is sent before them
	issued [][2]string // tokens, each with its space
}

// work sends batch after batch.
func (d *door) work(ctx context.Context, stop <-chan struct{}) error {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	batch := d.settings()
	for {
		d.published.Add(int64(len(batch)))
		if err := d.send(ctx, batch); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
		batch = d.batch()
	}
}

// send sends a batch until all of it is acknowledged. An answer that did not come
// leaves open whether the stream has it, so it is sent again, with the same ids.
func (d *door) send(ctx context.Context, batch []letter) error {
	for len(batch) > 0 {
		messages := make([]stream.Message, len(batch))
		for i := range batch {
			messages[i] = batch[i].Message
		}
		var acknowledged []entry
		var open []letter
		for i, err := range d.publisher.PublishBatch(ctx, messages, nil) {
			switch {
			case err == nil:
				acknowledged = append(acknowledged, batch[i].entry)
			case fault.Of(err) == fault.Unavailable:
				open = append(open, batch[i])
			default:
				return fmt.Errorf("%s was refused: %w", batch[i].Body, err)
			}
		}
		if err := d.ledger.write(acknowledged); err != nil {
			return err
		}
		batch = open
		d.again.Add(int64(len(open)))
		if len(open) > 0 && !pausing(ctx, pace) {
			return ctx.Err()
		}
	}
	return nil
}

// pausing waits; false if the context ended first.
func pausing(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// settings says where the spaces are.
func (d *door) settings() []letter {
	var batch []letter
	for i, space := range spaces {
		seats := 40
		batch = append(batch, d.event(event.SpaceUpserted, space, "", event.Data{Settings: &event.Settings{TimeZone: &zones[i], Capacity: &seats}}))
	}
	return batch
}

func (d *door) batch() []letter {
	var batch []letter
	for range 1 + d.random.IntN(most) {
		batch = append(batch, d.next()...)
	}
	return batch
}

// next is what the door says next: something ordinary mostly, and every way there is
// of being late, double, wrong, or sorry.
func (d *door) next() []letter {
	pick := d.random.IntN(1000)
	switch {
	case len(d.sent) > 100 && pick < 40: // once more
		return []letter{d.any(d.sent)}
	case len(d.sent) > 100 && pick < 50: // taken back
		return []letter{d.void(d.any(d.sent).entry)}
	case pick < 55: // taken back before it comes
		late := d.ordinary()
		d.held = append(d.held, late)
		return []letter{d.void(late.entry)}
	case len(d.held) > 0 && pick < 62:
		late := d.held[0]
		d.held = d.held[1:]
		return []letter{late}
	case pick < 67:
		return []letter{d.poison()}
	case len(d.sent) > 100 && pick < 72: // the same id, but somebody else
		first := d.any(d.sent)
		return []letter{d.encode(event.Event{
			ID: first.ID, Source: d.source, Space: first.Space, Kind: event.Kind(first.Kind), Time: d.time(),
			Member: "somebody-else", Data: event.Data{TokenID: "t", VoidSource: d.source},
		})}
	case pick < 73: // days are cut otherwise from now on, and filed anew
		start := fmt.Sprintf("%02d:00", d.random.IntN(7))
		from := d.now.AddDate(0, 0, -d.random.IntN(9)).Format(time.DateOnly)
		return []letter{d.event(event.SpaceUpserted, d.space(), "", event.Data{Settings: &event.Settings{DayStart: &start, EffectiveFrom: &from}})}
	case pick < 80:
		return []letter{d.event(event.MemberUpserted, event.NoSpace, d.member(), event.Data{Plan: []string{"flex", "desk"}[d.random.IntN(2)]})}
	}
	said := d.ordinary()
	if said.counts() {
		d.sent = append(d.sent, said)
	}
	return []letter{said}
}

// ordinary is what doors say all day.
func (d *door) ordinary() letter {
	space, member := d.space(), d.member()
	if d.random.IntN(20) == 0 {
		member = "" // nobody knows who
	}
	switch pick := d.random.IntN(100); {
	case pick < 50:
		return d.event(event.CheckIn, space, member, event.Data{Method: "door", PartySize: 1 + d.random.IntN(2)})
	case pick < 72:
		return d.event(event.CheckOut, space, member, event.Data{Method: "door"})
	case pick < 80:
		return d.event(event.Presence, space, member, event.Data{Method: "wifi"})
	case pick < 85:
		return d.event(event.CheckInFailed, space, member, event.Data{Reason: "expired"})
	case pick < 92:
		token := d.id()
		d.issued = append(d.issued, [2]string{space, token})
		return d.event(event.TokenIssued, space, member, event.Data{TokenID: token})
	case pick < 97 && len(d.issued) > 0:
		token := d.issued[d.random.IntN(len(d.issued))]
		return d.event(event.TokenUsed, token[0], member, event.Data{TokenID: token[1], PartySize: 1})
	default:
		return d.event(event.Heartbeat, space, "", event.Data{})
	}
}

func (d *door) void(target entry) letter {
	l := d.event(event.EventVoided, target.Space, "", event.Data{VoidSource: target.Source, VoidID: target.ID})
	l.Voids = target.ID
	return l
}

// poison is what nobody can store: with an identity, or without one.
func (d *door) poison() letter {
	l := d.event(event.CheckIn, d.space(), d.member(), event.Data{PartySize: 1})
	l.Kind = poison
	if d.random.IntN(2) == 0 {
		l.Body, l.identity = []byte(`{"id":`), identity{}
		return l
	}
	l.Body = bytes.Replace(l.Body, []byte(`"party_size":1`), []byte(`"party_size":"many"`), 1)
	return l
}

func (d *door) event(kind event.Kind, space, member string, data event.Data) letter {
	return d.encode(event.Event{ID: d.id(), Source: d.source, Space: space, Kind: kind, Time: d.time(), Member: member, Data: data})
}

func (d *door) encode(e event.Event) letter {
	return letter{
		entry:   entry{identity: identity{e.Space, e.Source, e.ID}, Kind: string(e.Kind)},
		Message: stream.Message{Subject: e.Subject(), Body: e.Encode(nil)},
	}
}

func (d *door) id() string {
	d.serial++
	return strconv.Itoa(d.serial)
}

// time is today mostly, and else as late as a tablet that was left in a drawer.
func (d *door) time() time.Time {
	past := d.random.Int64N(int64(10 * time.Hour))
	if d.random.IntN(5) == 0 {
		past = d.random.Int64N(int64(9 * 24 * time.Hour))
	}
	return d.now.Add(-time.Duration(past)).UTC().Truncate(time.Microsecond)
}

func (d *door) space() string { return spaces[d.random.IntN(len(spaces))] }

func (d *door) member() string { return "member-" + strconv.Itoa(d.random.IntN(members)) }

func (d *door) any(of []letter) letter { return of[d.random.IntN(len(of))] }
