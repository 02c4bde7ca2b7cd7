// Package key is who may do what: keys that a client shows with each request, what
// they open, and where they are kept. It knows nothing of HTTP.
package key

import (
	"slices"
	"strings"

	"coworking/pkg/fault"
)

// Scope is one thing that a holder may do.
type Scope string

// The scopes.
const (
	ReadReports Scope = "reports:read" // numbers, nothing about a person
	ReadMembers Scope = "members:read" // reports that name persons
	WriteEvents Scope = "events:write" // send events
	Admin       Scope = "admin"        // everything
)

// Scopes is all there are, in the order in which people meet them.
func Scopes() []Scope { return []Scope{ReadReports, ReadMembers, WriteEvents, Admin} }

// ParseScope reads a scope's name. An error is Invalid, and names them all.
func ParseScope(text string) (Scope, error) {
	if scope := Scope(text); slices.Contains(Scopes(), scope) {
		return scope, nil
	}
	return "", fault.Invalid.With("invalid_value", "/scopes", "%q is no scope; there are %s", text, Join(Scopes()))
}

// Join is scopes as people read them: reports:read, admin.
func Join(scopes []Scope) string {
	names := make([]string, len(scopes))
	for i, scope := range scopes {
		names[i] = string(scope)
	}
	return strings.Join(names, ", ")
}

// Grant is what its holder may do. The zero Grant may nothing.
type Grant struct {
	Holder string // a key's id, or the subject of who signed in with OIDC
	Name   string // for people
	Scopes []Scope
	Spaces []string // nil: every space, also those to come
}

// May says whether the holder may do what a scope stands for.
func (g Grant) May(scope Scope) bool {
	return slices.Contains(g.Scopes, scope) || slices.Contains(g.Scopes, Admin)
}

// Sees says whether what the holder may do includes a space.
func (g Grant) Sees(space string) bool {
	return g.Spaces == nil || slices.Contains(g.Spaces, space)
}
