package legacy

import (
	"context"
	"maps"
	"slices"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"
)

const (
	tellRows         = 1000             // rows between two words on a round
	tellEvents       = 900              // events that go to the stream at once: what it takes as one batch, less a row's
	snapshotPatience = 10 * time.Second // for the first answer of a round: a network that swallows everything is found out
)

// once is one round. Its error says that the database or the stream is away, or that
// too much is gone.
func (f *Follower) once(ctx context.Context) error {
	if f.conn == nil {
		conn, err := connect(ctx, f.Database)
		if err != nil {
			return err
		}
		f.conn = conn
	}
	began := time.Now()
	r, state, err := f.look(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = r.tx.Rollback(context.WithoutCancel(ctx)) }()
	f.pending, f.events, f.changes = nil, 0, 0
	f.status.Rows = 0
	if !state.same(f.last) {
		f.moveClock(state.clock, began)
		if err := f.read(ctx, r); err != nil {
			return err
		}
		f.last = state
	}
	if err := f.retry(ctx); err != nil {
		return err
	}
	f.status.Rounds++
	f.status.Fresh, f.status.Behind = began, int64(len(f.later))
	if f.changes > 0 || f.status.Changed.IsZero() {
		f.status.Changed = time.Now()
	}
	f.Tell(f.status)
	return nil
}

// look takes a snapshot.
func (f *Follower) look(ctx context.Context) (*Reader, snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotPatience)
	defer cancel()
	r, err := begin(ctx, f.conn, f.Zone)
	if err != nil {
		return nil, snapshot{}, err
	}
	state, err := r.snapshot(ctx)
	if err != nil {
		return nil, snapshot{}, err
	}
	return r, state, nil
}

// moveClock sets the time as of which users of this round are told: that of the old
// database, which is the same for every follower there ever was, unless it is ahead of
// ours. Each round's is later than that of the one before.
func (f *Follower) moveClock(theirs, ours time.Time) {
	now := theirs
	if ours.Before(now) {
		now = ours
	}
	now = now.Truncate(time.Microsecond).UTC()
	if !now.After(f.asOf) {
		now = f.asOf.Add(time.Microsecond)
	}
	f.asOf = now
}

// read reads what is new in a state, and tells it. Users come first, and both tables
// are of one state.
func (f *Follower) read(ctx context.Context, r *Reader) error {
	users, tokens, err := r.Count(ctx)
	if err != nil {
		return err
	}
	if f.last.horizon == 0 {
		f.status.Behind = users + tokens
	}
	for _, table := range []struct {
		count int64
		known func() int
		read  func(context.Context, *Reader, uint32) error
		gone  func(context.Context, *Reader) error
	}{
		{users, func() int { return len(f.known.users) }, f.readUsers, f.goneUsers},
		{tokens, func() int { return len(f.known.tokens) }, f.readTokens, f.goneTokens},
	} {
		if err := table.read(ctx, r, f.last.horizon); err != nil {
			return err
		}
		if int64(table.known()) < table.count && f.last.horizon != 0 { // never, as long as one server answers
			if err := table.read(ctx, r, 0); err != nil {
				return err
			}
		}
		if int64(table.known()) > table.count {
			if err := table.gone(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *Follower) readUsers(ctx context.Context, r *Reader, since uint32) error {
	err := r.changedUsers(ctx, since, func(u User) error {
		f.wasRead()
		c, changed := f.known.user(u, f.asOf)
		if !changed {
			return nil
		}
		return f.tell(ctx, c)
	})
	if err != nil {
		return err
	}
	return f.flush(ctx)
}

func (f *Follower) readTokens(ctx context.Context, r *Reader, since uint32) error {
	err := r.changedTokens(ctx, since, func(t Token, version uint32) error {
		f.wasRead()
		delete(f.later, t.ID) // it is newer
		return f.tellToken(ctx, t, version)
	})
	if err != nil {
		return err
	}
	return f.flush(ctx)
}

// tellToken tells a row of tokens, or puts it off until its time has come. Put off, a
// row is known by its id, with nothing told of it that was not before.
func (f *Follower) tellToken(ctx context.Context, t Token, version uint32) error {
	c, changed := f.known.token(t, version, f.Space)
	if !changed {
		return nil
	}
	for _, e := range c.events {
		if err := e.CheckFuture(time.Now()); err != nil {
			f.later[t.ID] = laterToken{row: t, version: version, why: err}
			if _, seen := f.known.tokens[t.ID]; !seen {
				f.known.tokens[t.ID] = knownToken{issued: never, used: never}
			}
			return nil
		}
	}
	return f.tell(ctx, c)
}

// retry tells rows whose time has come.
func (f *Follower) retry(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(f.later)) {
		later := f.later[id]
		delete(f.later, id)
		if err := f.tellToken(ctx, later.row, later.version); err != nil {
			f.later[id] = later
			return err
		}
	}
	return f.flush(ctx)
}

// wasRead counts a row.
func (f *Follower) wasRead() {
	f.status.Rows++
	f.status.Behind = max(0, f.status.Behind-1)
	if f.status.Rows%tellRows == 0 {
		f.Tell(f.status)
	}
}

// goneUsers and goneTokens tell of rows that are known and no longer there.

func (f *Follower) goneUsers(ctx context.Context, r *Reader) error {
	gone := maps.Clone(f.known.users)
	if err := r.ids(ctx, userIDsSQL, func(id string) { delete(gone, id) }); err != nil {
		return err
	}
	if err := f.mayBeGone(len(gone), "users"); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(gone)) {
		if err := f.tell(ctx, f.known.goneUser(id, f.asOf)); err != nil {
			return err
		}
	}
	return f.flush(ctx)
}

func (f *Follower) goneTokens(ctx context.Context, r *Reader) error {
	gone := maps.Clone(f.known.tokens)
	if err := r.ids(ctx, tokenIDsSQL, func(id string) { delete(gone, id) }); err != nil {
		return err
	}
	if err := f.mayBeGone(len(gone), "tokens"); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(gone)) {
		delete(f.later, id)
		if err := f.tell(ctx, f.known.goneToken(id, f.Space)); err != nil {
			return err
		}
	}
	return f.flush(ctx)
}

func (f *Follower) mayBeGone(count int, table string) error {
	if count <= f.MaxDeleted {
		return nil
	}
	return fault.Invalid.Errorf("%d rows of %s are gone from the old database at once, and nothing was said of them: "+
		"is it the same database? If they were meant to go, start again before they do, with a greater --max-deleted", count, table)
}

// tell puts a change on its way. What no event can say is refused here, where its row
// is known, and counts as told: it is not tried again before the row changes.
func (f *Follower) tell(ctx context.Context, c change) error {
	c.events = slices.DeleteFunc(c.events, func(e event.Event) bool {
		_, err := event.Decode(e.Encode(nil), event.Options{Strict: true})
		if err != nil && e.Kind != event.EventVoided { // what could not be told cannot be taken back, and need not
			c.wrong = append(c.wrong, err)
		}
		return err != nil
	})
	f.pending = append(f.pending, c)
	f.events += len(c.events)
	if f.events < tellEvents {
		return nil
	}
	return f.flush(ctx)
}

// flush stores what is on its way. Only then is it known: where the stream is away,
// the next round finds the same rows, and tells the same.
func (f *Follower) flush(ctx context.Context) error {
	if len(f.pending) == 0 {
		return nil
	}
	messages := make([]stream.Message, 0, f.events)
	for _, c := range f.pending {
		for i := range c.events {
			messages = append(messages, stream.Message{Subject: c.events[i].Subject(), Body: c.events[i].Encode(nil)})
		}
	}
	results := f.Publisher.PublishBatch(ctx, messages, nil)
	for _, err := range results {
		if err != nil && fault.Of(err) != fault.Invalid {
			f.status.Behind += int64(len(f.pending))
			return fault.Of(err).Errorf("the stream: %w", err)
		}
	}
	at := 0
	for _, c := range f.pending {
		for range c.events {
			if err := results[at]; err != nil {
				f.Account.Refuse(c.place, err)
			} else {
				f.Account.Stored++
			}
			at++
		}
		for _, err := range c.wrong {
			f.Account.Refuse(c.place, err)
		}
		c.told(f.known)
		f.changes++
		f.status.Total[c.kind]++
	}
	f.pending, f.events = f.pending[:0], 0
	return nil
}
