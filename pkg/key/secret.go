package key

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"coworking/pkg/fault"
)

const (
	prefix      = "cw_" // by which scanners for leaked secrets find one
	idLength    = 12    // characters of 5 bits
	secretBytes = 32
)

// idLetters leaves out i, l, o and u, which are taken for others when read aloud.
const idLetters = "0123456789abcdefghjkmnpqrstvwxyz"

var idEncoding = base32.NewEncoding(idLetters).WithPadding(base32.NoPadding)

// Secret is the whole text of a key, cw_<id>_<secret>. It prints as cw_<id>_…, in
// JSON and logs too; string(s) is the text.
type Secret string

// String is the part that is no secret.
func (s Secret) String() string {
	id, _, ok := split(string(s))
	if !ok {
		return "…"
	}
	return prefix + id + "_…"
}

// GoString is String: %#v tells no more than %v.
func (s Secret) GoString() string { return s.String() }

// Format is String for every verb: the wrong one, like %d, would print the text.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// MarshalText is String: JSON tells no more either.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// New makes a key from a source of random bytes, which is crypto/rand's Reader
// outside of tests: its id of 12 letters and digits, its text, and the SHA-256 that
// is kept of it.
func New(random io.Reader) (id string, secret Secret, hash []byte, err error) {
	var bytes [8 + secretBytes]byte
	if _, err := io.ReadFull(random, bytes[:]); err != nil {
		return "", "", nil, fault.Internal.Errorf("no random bytes for a key: %w", err)
	}
	id = idEncoding.EncodeToString(bytes[:8])[:idLength]
	hidden := hex.EncodeToString(bytes[8:])
	return id, Secret(prefix + id + "_" + hidden), hashOf(hidden), nil
}

// Parse reads the text of a key: its id, and the SHA-256 of its secret part, 32
// bytes. ok is false for what New cannot have made.
func Parse(text string) (id string, hash []byte, ok bool) {
	id, hidden, ok := split(text)
	if !ok {
		return "", nil, false
	}
	return id, hashOf(hidden), true
}

// ParseID reads the id of a key, alone or as the start of the key's text, as people
// copy it. An error is Invalid and quotes nothing: it might be the secret.
func ParseID(text string) (string, error) {
	id, _, _ := strings.Cut(strings.TrimPrefix(text, prefix), "_")
	if !isID(id) {
		return "", fault.Invalid.With("invalid_value", "/id", "this is no key's id: one has %d letters and digits, like 7k2m9q4tx8bd", idLength)
	}
	return id, nil
}

func hashOf(hidden string) []byte {
	sum := sha256.Sum256([]byte(hidden))
	return sum[:]
}

func split(text string) (id, hidden string, ok bool) {
	rest, ours := strings.CutPrefix(text, prefix)
	id, hidden, both := strings.Cut(rest, "_")
	ok = ours && both && isID(id) &&
		len(hidden) == hex.EncodedLen(secretBytes) && strings.Trim(hidden, "0123456789abcdef") == ""
	return id, hidden, ok
}

func isID(text string) bool {
	return len(text) == idLength && strings.Trim(text, idLetters) == ""
}
