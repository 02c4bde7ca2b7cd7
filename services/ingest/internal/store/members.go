package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// members is who this process has met, as of one number of the reserved space's
// settings: that is bumped when somebody is erased, and nobody is known then.
// Members are interned in the batch's own transaction, and only for events that
// turn out to be new: an erased person does not come back with a duplicate. So a
// member is learnt after the commit only. Safe for concurrent use.
type members struct {
	mu       sync.RWMutex
	settings int64
	ids      map[string]int32
}

func newMembers() *members { return &members{ids: map[string]int32{}} }

func (m *members) id(settings int64, member string) (int32, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if settings != m.settings {
		return 0, false
	}
	id, ok := m.ids[member]
	return id, ok
}

func (m *members) learn(settings int64, ids map[string]int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if settings < m.settings {
		return // one of them may have been erased since
	}
	if settings > m.settings {
		m.settings = settings
		clear(m.ids)
	}
	maps.Copy(m.ids, ids)
}

// nameMembers gives each new event its member's number, creating stubs for people
// nobody told us about.
func (w *writing) nameMembers(ctx context.Context) error {
	missing := map[string]bool{}
	for _, p := range w.fresh {
		var known bool
		member := p.in.Event.Member
		if p.member, known = w.store.members.id(w.memberSettings(), member); !known && member != "" {
			missing[member] = true
		}
	}
	if len(missing) == 0 {
		return nil
	}
	args := pgx.StrictNamedArgs{"members": slices.Sorted(maps.Keys(missing))}
	w.queue(internMembers, args)
	w.ask(selectMembers, args, func(rows pgx.Rows) error {
		var (
			id     int32
			member string
		)
		_, err := pgx.ForEachRow(rows, []any{&id, &member}, func() error {
			w.newMembers[member] = id
			return nil
		})
		return err
	})
	if err := w.flush(ctx); err != nil {
		return err
	}
	for _, p := range w.fresh {
		if p.member == 0 {
			p.member = w.newMembers[p.in.Event.Member] // 0, anonymous, for ""
		}
	}
	return nil
}

// memberSettings is the number that the batch's members are known by.
func (w *writing) memberSettings() int64 { return w.spaces[event.NoSpace].settings }

// writeMembers keeps what was said of members, and what that amounts to: each
// field by the latest (time, source, id).
func (w *writing) writeMembers(ctx context.Context) error {
	changed := map[int32]bool{}
	w.insertMemberChanges(changed)
	if err := w.deleteMemberChanges(ctx, changed); err != nil {
		return err
	}
	if len(changed) == 0 {
		return nil
	}
	args := pgx.StrictNamedArgs{"members": slices.Sorted(maps.Keys(changed))}
	w.queue(lockMembers, args)
	w.queue(updateMembers, args)
	return nil
}

func (w *writing) insertMemberChanges(changed map[int32]bool) {
	type columns struct {
		Keys     []key        `db:"keys"`
		Members  []int32      `db:"members"`
		Times    []time.Time  `db:"times"`
		Sources  []string     `db:"sources"`
		IDs      []string     `db:"ids"`
		JoinedAt []*time.Time `db:"joined_at"`
		Plans    []*int32     `db:"plans"`
		Teams    []*int32     `db:"teams"`
		Active   []*bool      `db:"active"`
		Names    []*string    `db:"names"`
	}
	var c columns
	for _, p := range w.fresh {
		if p.kind != event.MemberUpserted || p.voided || p.member == 0 {
			continue
		}
		changed[p.member] = true
		data := &p.in.Event.Data
		c.Keys, c.Members = append(c.Keys, p.key), append(c.Members, p.member)
		c.Times = append(c.Times, p.in.Event.Time)
		c.Sources, c.IDs = append(c.Sources, p.in.Event.Source), append(c.IDs, p.id)
		c.JoinedAt = append(c.JoinedAt, data.JoinedAt)
		c.Plans, c.Teams = append(c.Plans, nullable(p.plan)), append(c.Teams, nullable(p.team))
		c.Active, c.Names = append(c.Active, data.Active), append(c.Names, data.MemberName)
	}
	if len(c.Keys) > 0 {
		w.queue(insertMemberChanges, pgx.StrictStructArgs(c))
	}
}

func (w *writing) deleteMemberChanges(ctx context.Context, changed map[int32]bool) error {
	keys := keysOf(w.revoked, event.MemberUpserted)
	if len(keys) == 0 {
		return nil
	}
	rows, err := w.tx.Query(ctx, deleteMemberChanges, pgx.StrictNamedArgs{"keys": keys})
	if err != nil {
		return pg.Classify(err)
	}
	gone, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	for _, member := range gone {
		changed[member] = true
	}
	return pg.Classify(err)
}

// keysOf is the keys of the facts of one kind.
func keysOf(facts []*fact, kind event.Kind) []key {
	var keys []key
	for _, f := range facts {
		if f.kind == kind {
			keys = append(keys, f.key)
		}
	}
	return keys
}
