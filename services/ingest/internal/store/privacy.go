package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"coworking/pkg/fault"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// ExportMember is all that is kept of a person, as one JSON object: who they are,
// what was said of them, their events, visits and tokens. fault.NotFound if nobody
// is known by that id.
func (s *Store) ExportMember(ctx context.Context, member string) (json.RawMessage, error) {
	rows, err := s.pool.Query(ctx, exportMember, pgx.StrictNamedArgs{"member": member})
	if err != nil {
		return nil, pg.Classify(err)
	}
	all, err := pgx.CollectOneRow(rows, pgx.RowTo[json.RawMessage])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, unknownMember(member)
	}
	return all, pg.Classify(err)
}

// Mentions says whether a message is about a person: an event of theirs, or one that
// could not be read and quotes their id.
func Mentions(in Incoming, member string) bool {
	if in.Fault == nil {
		return in.Event.Member == member
	}
	return slices.ContainsFunc(quoted(member), func(way []byte) bool { return bytes.Contains(in.Body, way) })
}

// EraseMember puts a random stand-in for the person in every table, and returns
// it. Members are known everywhere by a number, so no total changes, and a rebuild
// finds the stand-in again. It is alone with the database, so that no batch still
// files an event under the name.
func (s *Store) EraseMember(ctx context.Context, member string) (string, error) {
	standIn := standIn()
	err := s.alone(ctx, func(tx pgx.Tx) error {
		id, err := findMemberID(ctx, tx, member)
		if err != nil {
			return err
		}
		w := newWriting(s, tx)
		w.queue(eraseMemberEvents, pgx.StrictNamedArgs{"id": id})
		w.queue(eraseMember, pgx.StrictNamedArgs{"id": id, "stand_in": standIn})
		w.queue(eraseMemberChanges, pgx.StrictNamedArgs{"id": id})
		w.queue(eraseMemberLetters, pgx.StrictNamedArgs{"needles": quoted(member)})
		w.queue(bumpMemberSettings)
		w.queue(bumpAllVersions)
		return w.flush(ctx)
	})
	return standIn, err
}

// quoted is the ways in which publishers write a member's id as a JSON string: as
// it is or in ASCII alone, with the digits of \u in either case, and with a slash
// escaped or not. A dead letter may be no JSON, so it is searched, not read.
func quoted(member string) [][]byte {
	plain, _ := json.Marshal(member) // a text always marshals
	var ways [][]byte
	for _, digits := range []string{"%s", "\\u%04x", "\\u%04X"} {
		var text []byte
		for _, r := range string(plain) {
			switch high, low := utf16.EncodeRune(r); {
			case r < utf8.RuneSelf || digits == "%s":
				text = utf8.AppendRune(text, r)
			case high != utf8.RuneError:
				text = fmt.Appendf(text, digits+digits, high, low)
			default:
				text = fmt.Appendf(text, digits, r)
			}
		}
		ways = append(ways, text, bytes.ReplaceAll(text, []byte("/"), []byte(`\/`)))
	}
	return ways
}

// standIn is a name that says nothing: 128 random bits.
func standIn() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program first
	return "erased-" + hex.EncodeToString(random[:])
}

func findMemberID(ctx context.Context, tx pgx.Tx, member string) (int32, error) {
	var id int32
	err := tx.QueryRow(ctx, findMember, pgx.StrictNamedArgs{"member": member}).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, unknownMember(member)
	}
	return id, pg.Classify(err)
}

func unknownMember(member string) error {
	return fault.NotFound.With("member_not_found", "", "nobody is known as member %q", member)
}

// Seal drops the raw events of up to limit space-days whose newest event was
// received before then, each in a transaction of its own, and returns how many it
// sealed. Their keys, content hashes and sequences stay, so that a duplicate is
// still one; their visits and rollups stay as they are, for good.
func (s *Store) Seal(ctx context.Context, before time.Time, limit int) (int, error) {
	rows, err := s.pool.Query(ctx, selectSealable, pgx.StrictNamedArgs{"before": before, "limit": limit})
	if err != nil {
		return 0, pg.Classify(err)
	}
	days, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (k dayKey, err error) {
		return k, row.Scan(&k.space, &k.day)
	})
	if err != nil {
		return 0, pg.Classify(err)
	}
	sealed := 0
	for _, k := range days {
		err := s.alone(ctx, func(tx pgx.Tx) error {
			day := pgx.StrictNamedArgs{"space": k.space, "day": int32(k.day)}
			tag, err := tx.Exec(ctx, sealDay, pgx.StrictNamedArgs{"space": k.space, "day": int32(k.day), "before": before})
			if err != nil || tag.RowsAffected() == 0 {
				return pg.Classify(err)
			}
			sealed++
			w := newWriting(s, tx)
			w.queue(sealEvents, day)
			w.queue(sealUnits, day)
			w.queue(bumpVersions, pgx.StrictNamedArgs{"spaces": []int32{k.space}})
			return w.flush(ctx)
		})
		if err != nil {
			return sealed, err
		}
	}
	return sealed, nil
}
