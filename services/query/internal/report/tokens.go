package report

import (
	"context"
	_ "embed"
	"iter"
	"slices"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

var (
	//go:embed tokens_issued.sql
	tokensIssuedSQL string
	//go:embed tokens_used.sql
	tokensUsedSQL string
)

// token is a one-time token that was issued, or used. Times are µs since 1970.
type token struct {
	issued, expires int64
	used            int64 // distantFuture: not yet
	member          int32 // 0: nobody's
}

// What puts a token on a day.
const (
	byIssue = iota
	byUse
)

// tokenDay is the tokens that were issued, or used, on a visit day of a space. It holds as
// of one version of the space, not of the day: what is told of a token on any other day may
// change when it was first issued, and whether it was used.
type tokenDay struct {
	version int64
	packed  []byte // some 12 bytes for one that was issued, and 7 for one that was used
}

// A packed token begins with what holds of it.
const (
	wasUsed    = 1 << iota
	usedAlike  // when it was issued
	livedAlike // as long as the token before it
)

// pack takes over tokens.
func (d *tokenDay) pack(tokens []token) {
	var packed numbers
	var before token
	for _, t := range tokens {
		var holds int64
		if t.used != distantFuture {
			holds |= wasUsed
		}
		if t.used == t.issued {
			holds |= usedAlike
		}
		if t.expires-t.issued == before.expires-before.issued {
			holds |= livedAlike
		}
		packed.put(holds)
		packed.put(t.issued - before.issued)
		if holds&(wasUsed|usedAlike) == wasUsed {
			packed.put(t.used - t.issued)
		}
		if holds&livedAlike == 0 {
			packed.put(t.expires - t.issued)
		}
		packed.put(int64(t.member))
		before = t
	}
	d.packed = slices.Clone(packed.bytes)
}

// tokens walks over them. Each is there until the next one.
func (d *tokenDay) tokens() iter.Seq[*token] {
	return func(yield func(*token) bool) {
		packed := numbers{d.packed}
		var t token
		for len(packed.bytes) > 0 {
			lived := t.expires - t.issued
			holds := packed.take()
			t.issued += packed.take()
			switch {
			case holds&wasUsed == 0:
				t.used = distantFuture
			case holds&usedAlike != 0:
				t.used = t.issued
			default:
				t.used = t.issued + packed.take()
			}
			if holds&livedAlike == 0 {
				lived = packed.take()
			}
			t.expires = t.issued + lived
			t.member = int32(packed.take())
			if !yield(&t) {
				return
			}
		}
	}
}

type tokenDate struct {
	spaceDate

	by int // issue or use
}

// eachTokens calls yield with each stretch of days, and with the tokens that were issued, or
// used, on them. They are read a few days at a time.
func (s *scope) eachTokens(ctx context.Context, by int, asked []daysOf, yield func(i int, days []*tokenDay)) error {
	for from := 0; from < len(asked); {
		to, days := from, 0
		for to < len(asked) && (to == from || days < s.reader.few.tokenDays) {
			days += int(asked[to].stop - asked[to].first)
			to++
		}
		recalled, err := s.recallTokens(ctx, by, asked[from:to])
		if err != nil {
			return err
		}
		for i, days := range recalled {
			yield(from+i, days)
		}
		from = to
	}
	return nil
}

// recallTokens is the tokens that were issued, or used, on visit days of spaces, as they
// are at the spaces' versions.
func (s *scope) recallTokens(ctx context.Context, by int, asked []daysOf) ([][]*tokenDay, error) {
	m := s.reader.memory
	recalled := make([][]*tokenDay, len(asked))
	missing := map[tokenDate]*tokenDay{}
	var days []int32
	var spans stretches
	for i, a := range asked {
		for d := a.first; d < a.stop; d++ {
			k := tokenDate{spaceDate{a.place.id, d}, by}
			day, _ := m.tokens.Find(k)
			if start, end := a.place.calendar.Span(d); day == nil || day.version != a.place.version {
				day = &tokenDay{version: a.place.version}
				missing[k] = day
				if span := (window{start, end}); !span.empty() {
					spans.add(a.place, span)
					days = append(days, int32(d))
				}
			}
			recalled[i] = append(recalled[i], day)
		}
	}
	if len(missing) == 0 {
		return recalled, nil
	}
	sql, args := [...]string{byIssue: tokensIssuedSQL, byUse: tokensUsedSQL}[by], spans.args()
	args["days"] = days
	rows, err := s.db.Query(ctx, sql, args)
	if err != nil {
		return nil, pg.Classify(err)
	}
	if by == byUse {
		err = takeUsed(rows, missing)
	} else {
		err = takeIssued(rows, missing)
	}
	if err != nil {
		return nil, pg.Classify(err)
	}
	for k, day := range missing {
		m.tokens.Keep(k, day, len(day.packed))
	}
	return recalled, nil
}

func takeIssued(rows pgx.Rows, days map[tokenDate]*tokenDay) error {
	var space, date int32
	var issued, used, expires, members pgtype.UndecodedBytes
	_, err := pgx.ForEachRow(rows, []any{&space, &date, &issued, &used, &expires, &members}, func() error {
		tokens, err := tokensOf(members, issued, used, expires)
		days[tokenDate{spaceDate{space, calendar.Date(date)}, byIssue}].pack(tokens)
		return err
	})
	return err
}

func takeUsed(rows pgx.Rows, days map[tokenDate]*tokenDay) error {
	var space, date int32
	var used, members pgtype.UndecodedBytes
	_, err := pgx.ForEachRow(rows, []any{&space, &date, &used, &members}, func() error {
		tokens, err := tokensOf(members, used, used, used)
		days[tokenDate{spaceDate{space, calendar.Date(date)}, byUse}].pack(tokens)
		return err
	})
	return err
}

// tokensOf is tokens of what was sent of them.
func tokensOf(sentMembers, sentIssued, sentUsed, sentExpires []byte) ([]token, error) {
	members, err := pg.Array[int32](sentMembers)
	if err != nil {
		return nil, err
	}
	tokens := make([]token, len(members))
	for i := range tokens {
		tokens[i].member = members[i]
	}
	for _, column := range []struct {
		sent []byte
		of   func(*token) *int64
	}{
		{sentIssued, func(t *token) *int64 { return &t.issued }},
		{sentUsed, func(t *token) *int64 { return &t.used }},
		{sentExpires, func(t *token) *int64 { return &t.expires }},
	} {
		instants, err := pg.Array[int64](column.sent)
		if err != nil {
			return nil, err
		}
		for i, at := range instants {
			if at != distantFuture && at != distantPast {
				at += pg.Epoch
			}
			*column.of(&tokens[i]) = at
		}
	}
	for i := range tokens {
		if t := &tokens[i]; t.expires == distantPast {
			t.expires = t.issued + (24 * time.Hour).Microseconds()
		}
	}
	return tokens, nil
}

// tokenDigest is something that a report makes of the tokens that were issued on a date in
// a space, one after another.
type tokenDigest[Made any] struct {
	name  string
	add   func(made *Made, p *place, date calendar.Date, t *token)
	end   func(*Made)       // there are no more of them
	since func(*Made) int64 // from when on it is the same whenever it is asked for
	room  func(*Made) int   // bytes
}

// digestTokens calls yield with what is made of the tokens that were issued in the range and
// by now, by date, once or more each. Of days that are over that is remembered for as long
// as the space has not moved: what is told of a token on any other day may change it.
func digestTokens[Made any](ctx context.Context, s *scope, of tokenDigest[Made], yield func(calendar.Date, *Made)) error {
	results := s.reader.memory.results
	settled, _ := s.settled()
	var asked []daysOf
	var rests []grounds // of each of them
	for i, a := range s.daysOfTokens() {
		for d := a.first; d < a.stop; d++ {
			var rest grounds
			if over := settled[i]; s.zone == nil && over.first <= d && d < over.stop {
				rest = on(of.name, int64(a.place.id), a.place.settings, int64(d), a.place.version)
			}
			found, _ := results.find(rest)
			if made, known := found.(*Made); known && of.since(made) <= s.asOf {
				yield(d, made)
				continue
			}
			asked, rests = append(asked, daysOf{a.place, d, d + 1}), append(rests, rest)
		}
	}
	return s.eachTokens(ctx, byIssue, asked, func(i int, days []*tokenDay) {
		a := asked[i]
		byDate := map[calendar.Date]*Made{}
		s.eachOf(a.place, byIssue, days, func(_ int, t *token) {
			date := s.issuedOn(a.first, t)
			if !a.place.alive(date) {
				return
			}
			if byDate[date] == nil {
				byDate[date] = new(Made)
			}
			of.add(byDate[date], a.place, date, t)
		})
		day := new(Made) // if it is one date
		for date, made := range byDate {
			of.end(made)
			yield(date, made)
			day = made
		}
		if of.since(day) <= s.asOf {
			results.keep(rests[i], day, of.room(day))
		}
	})
}

// issuedOn is the date of a token's issue, which was on a day of the space's own.
func (s *scope) issuedOn(day calendar.Date, t *token) calendar.Date {
	if s.zone != nil {
		return s.zone.DayAt(t.issued)
	}
	return day
}

// daysOfTokens is the days of each space that may hold tokens of the range.
func (s *scope) daysOfTokens() []daysOf {
	var days []daysOf
	for _, p := range s.places {
		first, stop := p.ownDays(s.instants(p).before(s.asOf + 1))
		days = append(days, daysOf{p, first, stop})
	}
	return days
}

// eachOf calls yield with each token of some days that was issued, or used, in the range and
// by now, and with the place of its day among them.
func (s *scope) eachOf(p *place, by int, days []*tokenDay, yield func(day int, t *token)) {
	within := s.instants(p).before(s.asOf + 1)
	for i, day := range days {
		for t := range day.tokens() {
			at := t.issued
			if by == byUse {
				at = t.used
			}
			if within.holds(at) {
				yield(i, t)
			}
		}
	}
}
