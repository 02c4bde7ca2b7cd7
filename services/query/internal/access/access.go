// Package access is who asks the query service: holders of keys, and people who
// signed in elsewhere. It knows nothing of HTTP.
package access

import (
	"context"
	"strings"

	"coworking/pkg/key"
)

// Authority knows what a bearer's credentials open.
type Authority struct {
	Keys   *key.Keys
	Issuer *Issuer // nil: only keys open anything
}

// Grant is what credentials open: a key (cw_…), or an OIDC token. An error is
// Invalid with the code unauthenticated, or Unavailable where nobody can tell.
func (a *Authority) Grant(ctx context.Context, credentials string) (key.Grant, error) {
	if a.Issuer != nil && !strings.HasPrefix(credentials, "cw_") {
		return a.Issuer.Grant(ctx, credentials)
	}
	return a.Keys.Grant(ctx, credentials)
}
