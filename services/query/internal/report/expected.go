package report

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

//go:embed as_expected.sql
var asExpectedSQL string

// lookAsExpected is a look that finds spaces as they are likely to be, and remembers their
// days that changed: one round trip, and no transaction. Where it has to ask for something
// else, that is returned. errOtherwise says that the spaces are not as was likely.
func (r *Reader) lookAsExpected(ctx context.Context, q Question, likely Likely, count func(*scope) error) (*scope, *statement, error) {
	s := *likely.scope
	s.question, s.asOf = q, q.AsOf.UnixMicro()
	db := &expected{likely: likely, reader: r}
	trial := s
	trial.db, trial.trying = db, true
	err := count(&trial)
	switch {
	case err != nil && !errors.Is(err, errOffline):
		return nil, nil, err
	case !db.asked: // it may be as likely, and nobody said so
		return nil, db.refused, nil
	}
	s.completeThrough = db.complete
	return &s, nil, nil
}

// expected is a database that spaces are expected to be in as they are in a scope. It is
// asked for days that changed, once and outside of any transaction, and then, in the same
// round trip, whether the spaces are so: as versions never come back, they were when the
// days were read. All else is refused.
type expected struct {
	offline

	likely   Likely
	reader   *Reader
	asked    bool
	complete *time.Time // all that the stream had stored by then is in the days
}

var errOtherwise = errors.New("spaces are not as they were expected to be")

// Query asks for days that changed. The rows fail with errOtherwise where the spaces are not
// as they were expected to be.
func (e *expected) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if sql != changedDaysSQL || !e.likely.scope.plain() {
		return e.offline.Query(ctx, sql, args...)
	}
	e.asked = true
	var batch pgx.Batch
	batch.Queue(sql, args...)
	batch.Queue(asExpectedSQL, e.likely.args())
	results := e.reader.pool.SendBatch(ctx, &batch)
	rows, err := results.Query()
	return &expectedRows{Rows: rows, all: results, of: e}, err
}

// expectedRows is rows that end with whether they are of the state that was expected.
type expectedRows struct {
	pgx.Rows

	all pgx.BatchResults
	of  *expected
	err error
}

// Next is false, too, where all rows were read and are of another state.
func (r *expectedRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	if r.err = r.Rows.Err(); r.err == nil {
		var so bool
		if r.err = r.all.QueryRow().Scan(&so, &r.of.complete); r.err == nil && !so {
			r.err = errOtherwise
		}
	}
	return false
}

// Err is what went wrong, once Next was false.
func (r *expectedRows) Err() error { return r.err }

// Close is for when the rows were read, or no more of them are wanted.
func (r *expectedRows) Close() {
	r.Rows.Close()
	_ = r.all.Close() // what went wrong with the rows is their own error
}

// args is how spaces are expected to be, as a statement takes it.
func (l Likely) args() pgx.StrictNamedArgs {
	places := l.scope.involved()
	spaces, versions, settings := make([]int32, len(places)), make([]int64, len(places)), make([]int64, len(places))
	moved, firstDays := make([]bool, len(places)), make([]*int32, len(places))
	for i, p := range places {
		spaces[i], versions[i], settings[i] = p.id, p.version, p.settings
		_, moved[i] = l.moved[p.id]
		if first := int32(p.firstDay); p.lives {
			firstDays[i] = &first
		}
	}
	return pgx.StrictNamedArgs{"spaces": spaces, "versions": versions, "settings": settings, "moved": moved, "first_days": firstDays}
}
