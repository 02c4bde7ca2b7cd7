package store

import (
	"context"
	"encoding/json"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// DeadLetter is a message that no retry could store, with the reason. Its row
// stays: retrying and dropping mark it.
type DeadLetter struct {
	ID       int64               `json:"id"`
	Stream   time.Time           `json:"stream_created"` // when its stream was created
	Sequence int64               `json:"sequence"`       // in that stream
	Subject  string              `json:"subject"`
	Headers  map[string][]string `json:"headers,omitempty"`
	Body     []byte              `json:"body"` // as it came; base64 in JSON
	Received time.Time           `json:"received"`
	Code     string              `json:"code"`
	Pointer  string              `json:"pointer,omitempty"`
	Detail   string              `json:"detail"`
	State    string              `json:"state"` // open, retried or dropped
	Buried   time.Time           `json:"buried"`
	Settled  *time.Time          `json:"settled,omitempty"`
}

// LetterFilter picks dead letters; zero values pick all. Before is the id to go on
// from, newest first; Limit is how many at most.
type LetterFilter struct {
	State, Code string
	Before      int64
	Limit       int
}

// DeadLetters lists what was buried, newest first.
func (s *Store) DeadLetters(ctx context.Context, f LetterFilter) ([]DeadLetter, error) {
	return s.letters(ctx, listLetters, pgx.StrictNamedArgs{
		"state": nullable(f.State), "code": nullable(f.Code), "before": nullable(f.Before), "limit": f.Limit,
	})
}

// DeadLetter is one of them; fault.NotFound if there is none of that id.
func (s *Store) DeadLetter(ctx context.Context, id int64) (DeadLetter, error) {
	letters, err := s.letters(ctx, showLetters, pgx.StrictNamedArgs{"ids": []int64{id}})
	if err != nil {
		return DeadLetter{}, err
	}
	if len(letters) == 0 {
		return DeadLetter{}, fault.NotFound.With("dead_letter_not_found", "", "no dead letter has the id %d", id)
	}
	return letters[0], nil
}

func (s *Store) letters(ctx context.Context, sql string, args pgx.StrictNamedArgs) ([]DeadLetter, error) {
	rows, err := s.pool.Query(ctx, sql, args)
	if err != nil {
		return nil, pg.Classify(err)
	}
	letters, err := pgx.CollectRows(rows, scanLetter)
	return letters, pg.Classify(err)
}

func scanLetter(row pgx.CollectableRow) (DeadLetter, error) {
	var (
		l       DeadLetter
		headers []byte
		pointer *string
	)
	err := row.Scan(&l.ID, &l.Stream, &l.Sequence, &l.Subject, &headers, &l.Body, &l.Received, &l.Code, &pointer, &l.Detail,
		&l.State, &l.Buried, &l.Settled)
	if err == nil && headers != nil {
		err = json.Unmarshal(headers, &l.Headers)
	}
	l.Pointer = value(pointer)
	return l, err
}

// DropDeadLetter marks an open dead letter as one that nothing more is to be done
// about.
func (s *Store) DropDeadLetter(ctx context.Context, id int64) error {
	if _, err := s.openLetter(ctx, id); err != nil {
		return err
	}
	return s.settleLetter(ctx, id, "dropped")
}

// RetryDeadLetter writes an open dead letter as if it came now, with the time that
// it was first received. decode reads it as the worker would. If it is refused
// again it stays open, and the error is why.
func (s *Store) RetryDeadLetter(ctx context.Context, id int64, decode func(Incoming) Incoming) error {
	l, err := s.openLetter(ctx, id)
	if err != nil {
		return err
	}
	in := decode(Incoming{
		Subject: l.Subject, Header: l.Headers, Body: l.Body,
		Stream: l.Stream, Sequence: uint64(l.Sequence), Received: l.Received,
	})
	if in.Fault != nil {
		return fault.Invalid.Errorf("dead letter %d is still refused: %w", id, in.Fault)
	}
	result, err := s.Write(ctx, []Incoming{in})
	if err != nil {
		return err
	}
	if result.Buried > 0 {
		return fault.Invalid.With(l.Code, l.Pointer, "dead letter %d is still refused: %s", id, l.Detail)
	}
	return s.settleLetter(ctx, id, "retried")
}

func (s *Store) openLetter(ctx context.Context, id int64) (DeadLetter, error) {
	l, err := s.DeadLetter(ctx, id)
	if err == nil && l.State != "open" {
		return l, fault.Invalid.With("dead_letter_settled", "", "dead letter %d was %s already", id, l.State)
	}
	return l, err
}

func (s *Store) settleLetter(ctx context.Context, id int64, state string) error {
	_, err := s.pool.Exec(ctx, settleLetters, pgx.StrictNamedArgs{"ids": []int64{id}, "state": state})
	return pg.Classify(err)
}
