package pg

import (
	"context"
	"errors"
	"strings"

	"coworking/pkg/fault"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// SQLState is the five-character code that Postgres gave (its documentation,
// appendix A), "" if the answer never came.
func SQLState(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// classes says what can be done about each SQLSTATE, the longest prefix first. What
// is not listed is Internal: a statement or a schema that a deploy got wrong.
var classes = []struct {
	prefix string
	kind   fault.Kind
}{
	{"40001", fault.Unavailable}, // serialization failure
	{"40P01", fault.Unavailable}, // deadlock
	{"55P03", fault.Unavailable}, // lock not available
	{"57P0", fault.Unavailable},  // the server shuts down, starts or dropped the session
	{"57014", fault.Unavailable}, // statement timeout
	{"25006", fault.Unavailable}, // read only: failing over
	{"25P03", fault.Unavailable}, // idle in transaction too long
	{"08", fault.Unavailable},    // connection
	{"53", fault.Unavailable},    // out of connections, memory or disk
	{"58", fault.Unavailable},    // the server's own input or output
	{"22", fault.Invalid},        // a value that cannot be stored
	{"23", fault.Invalid},        // a constraint that it breaks
}

// Classify gives an error of the database its kind. An error without a SQLSTATE
// means that the answer never came: the outcome is unknown, so it is Unavailable,
// and what is tried again must be repeatable. That holds for a COMMIT too, whatever
// pgconn.SafeToRetry says of it: the row may be there. An answer that came but is
// not what the statement's author expected is Internal, and so is a statement that
// does not go with what it is asked with; a value that cannot be sent is Invalid, as
// one is that Postgres refuses. A classified error stays as it is.
func Classify(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	state := SQLState(err)
	if state == "" {
		if unexpected(err) {
			return fault.Internal.Errorf("database: %w", err)
		}
		if kind := unsent(err); kind != fault.None {
			return kind.Errorf("database: it was not asked: %w", err)
		}
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return fault.Unavailable.Errorf("database: %w", err)
		}
		return fault.Unavailable.Errorf("database: no answer: %w", err)
	}
	for _, c := range classes {
		if strings.HasPrefix(state, c.prefix) {
			return c.kind.Errorf("database: %w", err)
		}
	}
	return fault.Internal.Errorf("database: %w", err)
}

// unexpected says whether an answer came that does not fit what asked for it.
func unexpected(err error) bool {
	_, misfit := errors.AsType[pgx.ScanArgError](err)
	return misfit || errors.Is(err, pgx.ErrNoRows) || errors.Is(err, pgx.ErrTooManyRows)
}

// unsent says what is wrong with a statement that never left this process, None if it
// may have. pgx has no types for these errors: a test holds their words.
func unsent(err error) fault.Kind {
	text := err.Error()
	switch says := func(words string) bool { return strings.Contains(text, words) }; {
	case says("failed to encode args[") && !says("cannot find encode plan"):
		return fault.Invalid
	case says("failed to encode args["), says("rewrite query failed: "),
		says("mismatched param and argument count"), strings.HasPrefix(text, "expected ") && says(" arguments, got "):
		return fault.Internal
	default:
		return fault.None
	}
}

// Retryable says whether the same transaction may well succeed at once: another
// one was in the way, or was first with a key.
func Retryable(err error) bool {
	switch SQLState(err) {
	case "40001", "40P01", "55P03", "23505":
		return true
	}
	return false
}
