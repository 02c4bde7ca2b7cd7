package access

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/key"

	"github.com/coreos/go-oidc/v3/oidc"
)

// issuerPatience is how long an issuer may take to say what its keys are.
const issuerPatience = 5 * time.Second

// IssuerConfig is whose tokens open something, and what.
type IssuerConfig struct {
	URL        string // the issuer: https://login.example.com/realm
	Audience   string // whom tokens must be for
	ScopeClaim string // holds scopes, as a list or as words in one text; others than ours are ignored
	// SpacesClaim holds the names of the spaces that a token opens, "*" for all. ""
	// opens every space to every token; if it is named, a token without it opens none.
	SpacesClaim string
}

// Issuer tells whether a token is one of its own (OpenID Connect Core 1.0). It asks
// the issuer for its keys when the first token comes, and again when they change, so
// that this service starts while the issuer is away.
type Issuer struct {
	config IssuerConfig
	client *http.Client
	now    func() time.Time

	mu       sync.Mutex
	verifier *oidc.IDTokenVerifier
}

// NewIssuer is an issuer that nobody has asked yet.
func NewIssuer(config IssuerConfig, now func() time.Time) *Issuer {
	return &Issuer{config: config, now: now, client: &http.Client{Timeout: issuerPatience}}
}

// Grant is what a token opens. An error is Invalid with the code unauthenticated, or
// Unavailable where the issuer cannot be asked.
func (i *Issuer) Grant(ctx context.Context, token string) (key.Grant, error) {
	verifier, err := i.verify() //nolint:contextcheck // the issuer outlives the request
	if err != nil {
		return key.Grant{}, err
	}
	signed, err := verifier.Verify(oidc.ClientContext(ctx, i.client), token)
	if err != nil {
		if strings.Contains(err.Error(), "fetching keys") {
			return key.Grant{}, fault.Unavailable.Errorf("the issuer's keys: %w", err)
		}
		return key.Grant{}, refused(err)
	}
	var claims map[string]json.RawMessage
	if err := signed.Claims(&claims); err != nil {
		return key.Grant{}, refused(err)
	}
	grant := key.Grant{Holder: signed.Subject}
	for _, word := range wordsOf(claims[i.config.ScopeClaim]) {
		if scope, err := key.ParseScope(word); err == nil {
			grant.Scopes = append(grant.Scopes, scope)
		}
	}
	if i.config.SpacesClaim != "" {
		grant.Spaces = append([]string{}, wordsOf(claims[i.config.SpacesClaim])...)
		if slices.Contains(grant.Spaces, "*") {
			grant.Spaces = nil
		}
	}
	return grant, nil
}

// refused is for the client: why is for the log.
func refused(err error) error {
	return fault.Invalid.With("unauthenticated", "", "%w", &refusedTokenError{err})
}

type refusedTokenError struct{ cause error }

func (*refusedTokenError) Error() string {
	return "this token is malformed, expired, or not meant for this service"
}
func (e *refusedTokenError) Unwrap() error { return e.cause }

// verify asks the issuer what it is, once.
func (i *Issuer) verify() (*oidc.IDTokenVerifier, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.verifier != nil {
		return i.verifier, nil
	}
	// The provider keeps the context to ask for keys with, so it is not a request's.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.Background(), i.client), i.config.URL)
	if err != nil {
		return nil, fault.Unavailable.Errorf("the issuer of tokens: %w", err)
	}
	i.verifier = provider.Verifier(&oidc.Config{ClientID: i.config.Audience, Now: i.now})
	return i.verifier, nil
}

// Close lets go of connections to the issuer.
func (i *Issuer) Close() { i.client.CloseIdleConnections() }

// wordsOf reads a claim: a list of texts, or words in one.
func wordsOf(claim json.RawMessage) []string {
	var list []string
	if json.Unmarshal(claim, &list) == nil {
		return list
	}
	var text string
	if json.Unmarshal(claim, &text) != nil {
		return nil
	}
	return strings.Fields(text)
}

// Reason is what a log says of a refusal; "" where err is none.
func Reason(err error) string {
	if refusal, ok := errors.AsType[*key.RefusedError](err); ok {
		return strings.TrimSpace(refusal.Reason + " " + refusal.ID)
	}
	if refusal, ok := errors.AsType[*refusedTokenError](err); ok {
		return refusal.cause.Error()
	}
	return ""
}
