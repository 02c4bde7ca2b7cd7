package report

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// expectation is that spaces are as they are likely to be. Whoever reads days that changed
// finds out in the same statement, which spares a transaction.
type expectation struct {
	Likely

	met             bool
	completeThrough *time.Time // all that the stream had stored by then is in the days
}

var errOtherwise = errors.New("spaces are not as they were expected to be")

// lookAsLikely is a look that expects spaces to be as they are likely to be, and remembers
// their days that changed. Where something else has to be asked for first, that is returned.
// The fault is errOtherwise where the spaces are not so.
func (r *Reader) lookAsLikely(q Question, likely Likely, count func(*scope) error) (*scope, *statement, error) {
	s := *likely.scope
	s.question, s.asOf = q, q.AsOf.UnixMicro()
	refusing := &offline{}
	trial, expected := s, &expectation{Likely: likely}
	trial.db, trial.trying = refusing, true
	if s.plain() {
		trial.db, trial.expected = changedDays{refusing, r.pool}, expected
	}
	if err := count(&trial); err != nil && !errors.Is(err, errOffline) {
		return nil, nil, err
	}
	if !expected.met { // it may be as is likely, and nobody asked
		return nil, refusing.refused, nil
	}
	s.completeThrough = expected.completeThrough
	return &s, nil, nil
}

// plain says whether nothing but its spaces, with their settings and the begins of their
// lives, decides what the scope is of.
func (s *scope) plain() bool { return s.zone == nil && !s.filtered() && s.cursor == nil }

// changedDays is a database that is asked for nothing but days that changed.
type changedDays struct {
	*offline

	pool *pgxpool.Pool
}

// Query refuses all else.
func (c changedDays) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if sql == changedDaysSQL {
		return c.pool.Query(ctx, sql, args...)
	}
	return c.offline.Query(ctx, sql, args...)
}

// addTo adds what is expected to the arguments of a statement; nil is nothing.
func (e *expectation) addTo(args pgx.StrictNamedArgs) {
	var places []*place
	if e != nil {
		places = e.scope.involved()
	}
	spaces, versions, settings := make([]int32, len(places)), make([]int64, len(places)), make([]int64, len(places))
	moved, firstDays := make([]bool, len(places)), make([]*int32, len(places))
	for i, p := range places {
		spaces[i], versions[i], settings[i] = p.id, p.version, p.settings
		_, moved[i] = e.moved[p.id]
		if first := int32(p.firstDay); p.lives {
			firstDays[i] = &first
		}
	}
	args["expected"], args["versions"], args["settings"], args["moved"], args["first_days"] = spaces, versions, settings, moved, firstDays
}

// check takes what was found of the spaces.
func (e *expectation) check(met bool, completeThrough *time.Time) error {
	if !met {
		return errOtherwise
	}
	e.met, e.completeThrough = true, completeThrough
	return nil
}
