// Package fault is the one vocabulary of failure: what went wrong, said so that
// each edge (the stream, HTTP, a terminal) can decide what to do about it.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what can be done about an error.
type Kind uint8

// The kinds, and what each edge does with them: the stream acknowledges None,
// buries Invalid, holds Unavailable and stops on Internal; HTTP answers 200,
// 4xx, 503 and 500.
const (
	None        Kind = iota // no error
	Internal                // our bug, or nobody said: the default
	Invalid                 // this input can never succeed
	NotFound                // no such space, member or report
	Unavailable             // the same again, later, may succeed
)

// String is the kind's name in logs and metrics.
func (k Kind) String() string {
	switch k {
	case None:
		return "none"
	case Invalid:
		return "invalid"
	case NotFound:
		return "not_found"
	case Unavailable:
		return "unavailable"
	default:
		return "internal"
	}
}

// Error is a classified error. Code is stable and meant for machines: it is the
// `code` of a problem document and the reason of a dead letter alike. Pointer is
// the JSON pointer (RFC 6901) of the field at fault, if it is one field's.
type Error struct {
	Kind    Kind
	Code    string
	Pointer string
	err     error
}

// Error is the sentence, without kind or code: those are for machines.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap keeps the chain, so that errors.Is and errors.As see the cause.
func (e *Error) Unwrap() error { return e.err }

// Errorf classifies an error as it is made; %w keeps the cause. The code of a
// wrapped fault is kept, its kind is replaced.
func (k Kind) Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: k, Code: Code(err), Pointer: Pointer(err), err: err}
}

// With is Errorf for a fault that has a code, and a pointer ("" if none).
func (k Kind) With(code, pointer, format string, args ...any) error {
	return &Error{Kind: k, Code: code, Pointer: pointer, err: fmt.Errorf(format, args...)}
}

// Of is the kind of the outermost fault in err: None for nil, Internal where
// nobody said.
func Of(err error) Kind {
	if err == nil {
		return None
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Kind
	}
	return Internal
}

// Code is the code of the outermost fault in err, or "".
func Code(err error) string {
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Code
	}
	return ""
}

// Pointer is the JSON pointer of the outermost fault in err, or "".
func Pointer(err error) string {
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Pointer
	}
	return ""
}
