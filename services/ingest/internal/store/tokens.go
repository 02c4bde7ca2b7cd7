package store

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// tokenKey names a one-time token: its text is no identity beyond its space.
type tokenKey struct {
	space int32
	token string
}

func (t tokenKey) compare(o tokenKey) int {
	return cmp.Or(cmp.Compare(t.space, o.space), cmp.Compare(t.token, o.token))
}

// token is a row of tokens: the earliest issue and the earliest use hold, whatever
// order they come in. Times are µs; zero is "not known".
type token struct {
	issued    *int64
	issuedKey key
	member    int32
	expires   *time.Time
	used      *int64
	usedKey   key
}

// earlier says whether an event comes before what is known, by time and then key.
func earlier(f *fact, at *int64, k key) bool {
	return at == nil || f.time < *at || f.time == *at && bytes.Compare(f.key[:], k[:]) < 0
}

// forget is the token without what this event told of it.
func (t token) forget(k key) token {
	if t.issuedKey == k {
		t.issued, t.issuedKey, t.member, t.expires = nil, key{}, 0, nil
	}
	if t.usedKey == k {
		t.used, t.usedKey = nil, key{}
	}
	return t
}

// learn is the token with one more event in it.
func (t token) learn(f *fact) token {
	switch f.kind {
	case event.TokenIssued:
		if earlier(f, t.issued, t.issuedKey) {
			t.issued, t.issuedKey, t.member, t.expires = &f.time, f.key, f.member, f.expires
		}
	case event.TokenUsed:
		if earlier(f, t.used, t.usedKey) {
			t.used, t.usedKey = &f.time, f.key
		}
	}
	return t
}

// legacySlot is the length of a row of legacy_usage: every zone's midnight is a
// multiple of it, so the old report can be dated in any.
const legacySlot = int64(15 * time.Minute / time.Microsecond)

// legacyDelta is what a batch changes in the two reports of the system before
// this one.
type legacyDelta struct {
	usage  map[int64]int64 // slot's start in µs → tokens issued in it and used
	visits map[int32]int64 // member → tokens issued to them
}

func (d legacyDelta) count(t token, sign int64) {
	if t.issued == nil {
		return
	}
	if t.used != nil {
		slot := *t.issued - floorMod(*t.issued, legacySlot)
		d.usage[slot] += sign
	}
	if t.member != 0 {
		d.visits[t.member] += sign
	}
}

// floorMod is the remainder that is never negative, also before 1970.
func floorMod(a, b int64) int64 { return ((a % b) + b) % b }

// writeTokens brings the tokens that the batch touches up to date, and with them
// the rollups of the old reports. Where an event was voided, its token is folded
// again from the events that are left.
func (w *writing) writeTokens(ctx context.Context) error {
	touched := map[tokenKey][]*fact{}
	for _, f := range w.counted {
		if f.isToken() {
			k := tokenKey{f.space, f.token}
			touched[k] = append(touched[k], f)
		}
	}
	revoked := map[tokenKey][]*fact{}
	for _, f := range w.revoked {
		if f.isToken() {
			k := tokenKey{f.space, f.token}
			touched[k], revoked[k] = nil, append(revoked[k], f)
		}
	}
	if len(touched) == 0 {
		return nil
	}
	keys := slices.SortedFunc(maps.Keys(touched), tokenKey.compare)
	before, err := w.claimTokens(ctx, keys)
	if err != nil {
		return err
	}
	after := maps.Clone(before)
	for k, facts := range revoked {
		for _, f := range facts {
			after[k] = after[k].forget(f.key) // not all of it: a sealed day's word is here alone
		}
	}
	for k, facts := range touched {
		for _, f := range facts {
			after[k] = after[k].learn(f)
		}
	}
	if len(revoked) > 0 {
		left, err := w.tokenFacts(ctx, slices.SortedFunc(maps.Keys(revoked), tokenKey.compare))
		if err != nil {
			return err
		}
		for _, f := range left {
			k := tokenKey{f.space, f.token}
			after[k] = after[k].learn(f)
		}
	}
	delta := legacyDelta{usage: map[int64]int64{}, visits: map[int32]int64{}}
	for _, k := range keys {
		delta.count(before[k], -1)
		delta.count(after[k], +1)
	}
	w.updateTokens(keys, after)
	w.writeLegacy(delta)
	return nil
}

// claimTokens locks the tokens' rows, in key order, and returns what they said.
func (w *writing) claimTokens(ctx context.Context, keys []tokenKey) (map[tokenKey]token, error) {
	claimed := make(map[tokenKey]token, len(keys))
	w.ask(claimTokens, tokenArgs(keys), func(rows pgx.Rows) error {
		var (
			k            tokenKey
			issued, used *time.Time
			issuedKey    *key
			usedKey      *key
			member       *int32
			expires      *time.Time
		)
		_, err := pgx.ForEachRow(rows, []any{&k.space, &k.token, &issued, &issuedKey, &member, &expires, &used, &usedKey}, func() error {
			claimed[k] = token{
				issued: micros(issued), issuedKey: value(issuedKey), member: value(member),
				expires: expires, used: micros(used), usedKey: value(usedKey),
			}
			return nil
		})
		return err
	})
	return claimed, w.flush(ctx)
}

// tokenFacts is what is left to say about these tokens.
func (w *writing) tokenFacts(ctx context.Context, keys []tokenKey) ([]*fact, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	rows, err := w.tx.Query(ctx, selectFactsByToken, tokenArgs(keys))
	if err != nil {
		return nil, pg.Classify(err)
	}
	facts, err := pgx.CollectRows(rows, w.store.scanFact)
	return facts, pg.Classify(err)
}

func (w *writing) updateTokens(keys []tokenKey, tokens map[tokenKey]token) {
	type columns struct {
		Spaces     []int32      `db:"spaces"`
		Tokens     []string     `db:"tokens"`
		Issued     []*time.Time `db:"issued"`
		IssuedKeys []*key       `db:"issued_keys"`
		Members    []*int32     `db:"members"`
		ExpiresAt  []*time.Time `db:"expires_at"`
		Used       []*time.Time `db:"used"`
		UsedKeys   []*key       `db:"used_keys"`
	}
	var c columns
	for _, k := range keys {
		t := tokens[k]
		c.Spaces, c.Tokens = append(c.Spaces, k.space), append(c.Tokens, k.token)
		c.Issued, c.Used = append(c.Issued, instant(t.issued)), append(c.Used, instant(t.used))
		c.IssuedKeys = append(c.IssuedKeys, nullable(t.issuedKey))
		c.UsedKeys = append(c.UsedKeys, nullable(t.usedKey))
		c.Members = append(c.Members, nullable(t.member))
		c.ExpiresAt = append(c.ExpiresAt, t.expires)
	}
	w.queue(updateTokens, pgx.StrictStructArgs(c))
	if len(w.revoked) > 0 {
		w.queue(deleteEmptyTokens, tokenArgs(keys))
	}
}

// writeLegacy adds to rollups that all spaces share: last before the versions.
func (w *writing) writeLegacy(delta legacyDelta) {
	maps.DeleteFunc(delta.usage, func(_ int64, n int64) bool { return n == 0 })
	maps.DeleteFunc(delta.visits, func(_ int32, n int64) bool { return n == 0 })
	if len(delta.usage) > 0 {
		slots := slices.Sorted(maps.Keys(delta.usage))
		starts, used := make([]time.Time, len(slots)), make([]int64, len(slots))
		for i, slot := range slots {
			starts[i], used[i] = time.UnixMicro(slot), delta.usage[slot]
		}
		w.queue(upsertLegacyUsage, pgx.StrictNamedArgs{"slots": starts, "used": used})
		if slices.Min(used) < 0 { // a void, or an earlier issue that came late
			w.queue(deleteEmptyLegacyUsage, pgx.StrictNamedArgs{"slots": starts})
		}
	}
	if len(delta.visits) > 0 {
		members := slices.Sorted(maps.Keys(delta.visits))
		visits := make([]int64, len(members))
		for i, member := range members {
			visits[i] = delta.visits[member]
		}
		w.queue(upsertLegacyVisits, pgx.StrictNamedArgs{"members": members, "visits": visits})
		if slices.Min(visits) < 0 {
			w.queue(deleteEmptyLegacyVisits, pgx.StrictNamedArgs{"members": members})
		}
	}
}

func tokenArgs(keys []tokenKey) pgx.StrictNamedArgs {
	spaces, tokens := make([]int32, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		spaces[i], tokens[i] = k.space, k.token
	}
	return pgx.StrictNamedArgs{"spaces": spaces, "tokens": tokens}
}

// micros and instant turn a nullable timestamptz into µs since 1970 and back.
func micros(t *time.Time) *int64 {
	if t == nil {
		return nil
	}
	us := t.UnixMicro()
	return &us
}

func instant(us *int64) *time.Time {
	if us == nil {
		return nil
	}
	t := time.UnixMicro(*us)
	return &t
}
