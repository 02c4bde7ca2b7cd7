package store

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// errStale says that settings or members changed after the batch was prepared.
var errStale = errors.New("prepared with settings that have changed since")

// prepared is an incoming event on its way to become a fact.
type prepared struct {
	fact
	in    *Incoming
	space *space
}

// writing is one transaction, step by step. The order of its steps is the lock
// order of all writers: advisory lock, space-days, members, event keys, tokens,
// rollups that spaces share, and the spaces' versions last; each in key order.
type writing struct {
	store  *Store
	tx     session
	group  group
	spaces map[string]*space // what the batch was prepared with, and the reserved space
	events []*prepared       // all that could be decoded, in key order
	result Result

	targets    map[key]*fact      // what the batch's voids take back, as far as it is there
	known      map[key]stored     // of the batch's events, those that are stored already
	voided     map[key]bool       // and those that were taken back before they came
	days       map[dayKey]*tally  // the locked space-days
	foreseen   map[unitKey][]byte // the units that were read ahead, and the packed events of those that have a row
	units      map[unitKey]*unit  // the touched units
	room       []unit             // for more of them
	methods    map[methodKey]tick // what to add to method_day
	heard      map[sourceKey]heard
	newMembers map[string]int32
	letters    []letter
	fresh      []*prepared // stored for the first time, in key order
	earlier    []*prepared // stored before, but from a copy that the stream received later
	counted    []*fact     // of these, what counts now
	revoked    []*fact     // stored before, and voided by this batch
	pending    pgx.Batch
}

func newWriting(s *Store, tx session) *writing {
	takeColumns(tx.Conn().TypeMap())
	return &writing{
		store: s, tx: tx,
		targets: map[key]*fact{}, known: map[key]stored{}, voided: map[key]bool{}, days: map[dayKey]*tally{}, foreseen: map[unitKey][]byte{}, units: map[unitKey]*unit{}, methods: map[methodKey]tick{},
		heard: map[sourceKey]heard{}, newMembers: map[string]int32{},
	}
}

// write runs one group of a batch as one transaction. Writing a group twice
// changes nothing.
func (s *Store) write(ctx context.Context, g group) (Result, error) {
	spaces, events, err := s.prepare(ctx, g)
	if err != nil {
		return Result{}, err
	}
	var w *writing
	err = s.session(ctx, func(tx session) error {
		w = newWriting(s, tx)
		w.group, w.spaces, w.events = g, spaces, events
		return w.run(ctx)
	})
	if err != nil {
		return Result{}, classify(err)
	}
	for _, l := range w.letters {
		s.Buried(fault.Code(l.err))
	}
	s.members.learn(w.memberSettings(), w.newMembers)
	if g.kind == settingsGroup || len(keysOf(w.revoked, event.SpaceUpserted)) > 0 {
		s.spaces.forget(slices.Collect(maps.Keys(spaces)))
	}
	return w.result, nil
}

// prepare interns the words of the events and files each under its visit day: all
// that can be done before the transaction begins.
func (s *Store) prepare(ctx context.Context, g group) (map[string]*space, []*prepared, error) {
	wanted := map[string]bool{event.NoSpace: true} // its settings change when a member is erased
	var unnamed []string
	for _, in := range g.items {
		if in.Fault == nil {
			wanted[in.Event.Space] = true
			words := in.words()
			unnamed = s.names.missing(unnamed, words[:]...)
		}
	}
	if err := s.names.intern(ctx, s.pool, unnamed); err != nil {
		return nil, nil, err
	}
	spaces, err := s.spaces.ensure(ctx, s.pool, wanted)
	if err != nil {
		return nil, nil, err
	}
	all := make([]prepared, 0, len(g.items)) // one piece of memory for all of them
	events := make([]*prepared, 0, len(g.items))
	for _, in := range g.items {
		if in.Fault == nil {
			all = append(all, s.prepareOne(in, spaces[in.Event.Space]))
			events = append(events, &all[len(all)-1])
		}
	}
	slices.SortStableFunc(events, func(a, b *prepared) int {
		return cmp.Or(byKey(&a.fact, &b.fact), cmp.Compare(a.received, b.received), cmp.Compare(a.seq, b.seq))
	})
	return spaces, events, nil
}

func (s *Store) prepareOne(in *Incoming, sp *space) prepared {
	e := &in.Event
	word := s.names.id
	data := &e.Data
	p := prepared{in: in, space: sp, fact: fact{
		key:    e.Key(),
		dayKey: dayKey{space: sp.id, day: sp.calendar.Day(e.Time)},
		source: word(e.Source), id: e.ID, kind: e.Kind,
		time: e.Time.UnixMicro(), received: in.Received.UnixMicro(), seq: int64(in.Sequence),
		content: e.Content(),
		method:  word(data.Method), zone: word(data.Zone), device: word(data.Device),
		plan: word(data.Plan), team: word(data.Team), reason: word(data.Reason),
		party: int32(data.PartySize), token: data.TokenID,
		expires: data.ExpiresAt,
	}}
	switch e.Kind {
	case event.MemberUpserted, event.SpaceUpserted, event.EventVoided:
		p.data = e.EncodeData(nil)
	}
	return p
}

func (w *writing) run(ctx context.Context) error {
	steps := []func(context.Context) error{
		w.begin,
		w.lock,
		w.findTargets,
		w.lockDays,
		w.findKnown,
		w.foreseeUnits,
		w.flush, // the first round trip; for a small batch of people who are known, the last flush is the second and last
		w.sortOut,
		w.nameMembers,
		w.applyVoids,
		w.count,
		w.writeEvents,
		w.writeUnits,
		w.writeDays,
		w.writeMethods,
		w.writeMembers,
		w.writeSettings,
		w.writeTokens,
		w.bury,
		w.writeSources,
		w.bumpVersions,
		w.commit,
		w.flush,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// lock takes the batch's advisory lock, shared or exclusive, and then checks that
// this is still the database whose numbers the store remembers, and that the settings
// the batch was prepared with still hold.
func (w *writing) lock(context.Context) error {
	statement := lockShared
	if w.group.kind != ordinaryGroup {
		statement = lockExclusive
	}
	prepared := make(map[int32]*space, len(w.spaces))
	for _, sp := range w.spaces {
		prepared[sp.id] = sp
	}
	w.queue(statement, pgx.StrictNamedArgs{"lock": writeLock})
	w.ask(selectLineage, pgx.StrictNamedArgs{}, func(rows pgx.Rows) error {
		lineage, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[*string])
		if err == nil && lineage != nil && *lineage != w.store.lineage { // a copy refuses what follows
			return fault.Internal.Errorf("the database was replaced (it was %s, it is %s): by a restore, or by a failover to a copy. "+
				"What this process remembers is of the one before; started again, it remembers nothing", w.store.lineage, *lineage)
		}
		return err
	})
	w.ask(selectSettings, pgx.StrictNamedArgs{"spaces": slices.Sorted(maps.Keys(prepared))}, func(rows pgx.Rows) error {
		var (
			id, settings int64
			stale        []string
		)
		_, err := pgx.ForEachRow(rows, []any{&id, &settings}, func() error {
			if sp := prepared[int32(id)]; sp.settings != settings {
				stale = append(stale, sp.name)
			}
			return nil
		})
		if len(stale) > 0 {
			w.store.spaces.forget(stale)
			return errStale
		}
		return err
	})
	return nil
}

// findKnown asks which of the batch's events are stored already, and which are
// taken back before they came.
func (w *writing) findKnown(context.Context) error {
	keys := make(keyArray, len(w.events))
	for i, p := range w.events {
		keys[i] = p.key
	}
	args := pgx.StrictNamedArgs{"keys": slices.Compact(keys)}
	w.ask(selectKnown, args, func(rows pgx.Rows) error {
		var (
			k   key
			row stored
			at  time.Time
		)
		_, err := pgx.ForEachRow(rows, []any{&k, &row.content, &at, &row.seq, &row.voided}, func() error {
			row.received = at.UnixMicro()
			w.known[k] = row
			return nil
		})
		return err
	})
	if w.group.kind == voidGroup {
		return nil // a void that is aimed at a void has no effect
	}
	w.ask(selectVoids, args, func(rows pgx.Rows) error {
		var k key
		_, err := pgx.ForEachRow(rows, []any{&k}, func() error {
			w.voided[k] = true
			return nil
		})
		return err
	})
	return nil
}

// sortOut tells new events from known ones: a known key with the same content is
// a duplicate, with another content a conflict, and a sealed day takes no more.
func (w *writing) sortOut(ctx context.Context) error {
	var before *prepared // the new event before this one: an event that comes twice in a batch comes twice in a row
	for _, p := range w.events {
		first, seen := w.known[p.key]
		if !seen && before != nil && before.key == p.key {
			first, seen = stored{before.content, before.received, before.seq, false}, true
		}
		switch {
		case seen && first.content == p.content:
			w.result.Duplicates++
			if p.seq != first.seq {
				w.hear(p, true)
			}
			if w.comesAgain(p, first) {
				w.known[p.key] = stored{p.content, p.received, p.seq, first.voided}
			}
		case seen:
			w.reject(p.in, "id_conflict", "event %s of %s: this id is stored with other content; the first one holds", p.id, p.in.Event.Source)
		case w.days[p.dayKey].sealed, w.targetsSealedDay(p):
			w.reject(p.in, "day_sealed", "event %s of %s: its visit day %s is sealed", p.id, p.in.Event.Source, p.day)
		default:
			moves, err := w.movesSealedDay(ctx, p)
			if err != nil {
				return err
			}
			if moves {
				w.reject(p.in, "day_sealed", "event %s of %s: it would cut a day otherwise that is sealed", p.id, p.in.Event.Source)
				continue
			}
			before = p
			w.fresh = append(w.fresh, p)
			w.hear(p, false)
		}
	}
	w.result.Stored = len(w.fresh)
	return nil
}

// writeEvents stores what is new, in key order.
func (w *writing) writeEvents(ctx context.Context) error {
	w.writeEarlier()
	if len(w.fresh) == 0 {
		return nil
	}
	out := w.store.rows(eventTable)
	for _, p := range w.fresh {
		out.row()
		out.uuid(p.key)
		out.int4(p.dayKey.space)
		out.int4(p.source)
		out.text(p.id)
		out.int4(w.store.names.id(string(p.kind)))
		out.time(p.time)
		out.time(p.received)
		out.int8(p.seq)
		out.date(p.day)
		out.int8(p.content)
		out.said(p.member)
		out.said(p.method)
		out.said(p.zone)
		out.said(p.device)
		out.said(p.plan)
		out.said(p.team)
		out.said(p.reason)
		out.said(p.party)
		if p.token == "" {
			out.null()
		} else {
			out.text(p.token)
		}
		out.optionalTime(p.expires)
		out.json(p.data)
		out.bool(p.voided)
	}
	return w.keep(ctx, out)
}

// bumpVersions comes last: who sees the new version sees the new numbers.
func (w *writing) bumpVersions(context.Context) error {
	touched := map[int32]bool{}
	for _, p := range w.fresh {
		touched[p.dayKey.space] = true
	}
	for _, p := range w.earlier {
		touched[p.dayKey.space] = true
	}
	for _, f := range w.revoked {
		touched[f.dayKey.space] = true
	}
	if len(touched) > 0 {
		w.queue(bumpVersions, pgx.StrictNamedArgs{"spaces": slices.Sorted(maps.Keys(touched))})
	}
	return nil
}

// queue adds a statement to those that flush sends in one round trip.
func (w *writing) queue(sql string, args ...any) { w.pending.Queue(sql, args...) }

// ask queues a statement whose rows are read once flush has sent it.
func (w *writing) ask(sql string, args any, read func(pgx.Rows) error) {
	w.pending.Queue(sql, args).Query(read)
}

// flush sends what is queued. What is asked apart from it does not wait for what is
// queued: that is for the caller to see to.
func (w *writing) flush(ctx context.Context) error {
	if w.pending.Len() == 0 {
		return nil
	}
	pending := w.pending
	w.pending = pgx.Batch{}
	return pg.Classify(w.tx.SendBatch(ctx, &pending).Close())
}

// reject buries a message of this batch.
func (w *writing) reject(in *Incoming, code, format string, args ...any) {
	w.letters = append(w.letters, letter{in, fault.Invalid.With(code, "", format, args...)})
}
