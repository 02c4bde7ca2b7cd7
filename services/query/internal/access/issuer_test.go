package access_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/services/query/internal/access"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// login is an issuer as there are many: its discovery document, its keys, and what
// it signs.
type login struct {
	*httptest.Server
	signer jose.Signer
}

func newLogin(t *testing.T) *login {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	l := &login{}
	mux := http.NewServeMux()
	answer := func(path string, body func() any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(body())
		})
	}
	answer("/.well-known/openid-configuration", func() any {
		return map[string]any{
			"issuer": l.URL, "jwks_uri": l.URL + "/keys", "authorization_endpoint": l.URL + "/auth", "token_endpoint": l.URL + "/token",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		}
	})
	answer("/keys", func() any {
		return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "one", Algorithm: "ES256", Use: "sig"}}}
	})
	l.Server = httptest.NewServer(mux)
	t.Cleanup(l.Close)
	l.signer = signerOf(t, private)
	return l
}

func signerOf(t *testing.T, private *ecdsa.PrivateKey) jose.Signer {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: "one"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// sign is a token that says what a good one says, but for what a test changes.
func (l *login) sign(t *testing.T, signer jose.Signer, change map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": l.URL, "sub": "ada@example.com", "aud": "coworking", "exp": time.Now().Add(time.Hour).Unix(),
		"scope": "openid reports:read members:read", "spaces": []string{"soho"},
	}
	maps.Copy(claims, change)
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestWhatATokenOpens(t *testing.T) {
	l := newLogin(t)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	scopes := []key.Scope{key.ReadReports, key.ReadMembers}
	cases := map[string]struct {
		signer jose.Signer
		change map[string]any
		want   *key.Grant // nil: nothing
	}{
		"a good one":           {l.signer, nil, &key.Grant{Holder: "ada@example.com", Scopes: scopes, Spaces: []string{"soho"}}},
		"scopes as a list":     {l.signer, map[string]any{"scope": []string{"reports:read", "members:read"}}, &key.Grant{Holder: "ada@example.com", Scopes: scopes, Spaces: []string{"soho"}}},
		"every space":          {l.signer, map[string]any{"spaces": "*"}, &key.Grant{Holder: "ada@example.com", Scopes: scopes}},
		"no spaces":            {l.signer, map[string]any{"spaces": nil}, &key.Grant{Holder: "ada@example.com", Scopes: scopes, Spaces: []string{}}},
		"no scopes of ours":    {l.signer, map[string]any{"scope": "openid email"}, &key.Grant{Holder: "ada@example.com", Spaces: []string{"soho"}}},
		"for somebody else":    {l.signer, map[string]any{"aud": "payroll"}, nil},
		"of another issuer":    {l.signer, map[string]any{"iss": "https://evil.example.com"}, nil},
		"expired":              {l.signer, map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}, nil},
		"signed by a stranger": {signerOf(t, stranger), nil, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			issuer := access.NewIssuer(access.IssuerConfig{URL: l.URL, Audience: "coworking", ScopeClaim: "scope", SpacesClaim: "spaces"}, time.Now)
			defer issuer.Close()
			got, err := (&access.Authority{Issuer: issuer}).Grant(t.Context(), l.sign(t, c.signer, c.change))
			if c.want == nil {
				if fault.Of(err) != fault.Invalid || fault.Code(err) != "unauthenticated" || access.Reason(err) == "" {
					t.Errorf("%v, %v", got, err)
				}
				return
			}
			if diff := cmp.Diff(*c.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// A service starts while its issuer is away, and knows its tokens once it is back.
func TestAnIssuerThatIsAwayIsAskedAgain(t *testing.T) {
	l := newLogin(t)
	var away atomic.Bool
	there := l.Config.Handler
	l.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		there.ServeHTTP(w, r)
	})
	issuer := access.NewIssuer(access.IssuerConfig{URL: l.URL, Audience: "coworking", ScopeClaim: "scope"}, time.Now)
	defer issuer.Close()
	token := l.sign(t, l.signer, nil)

	away.Store(true)
	if _, err := issuer.Grant(t.Context(), token); fault.Of(err) != fault.Unavailable {
		t.Errorf("while it is away: %v", err)
	}
	away.Store(false)
	grant, err := issuer.Grant(t.Context(), token)
	if err != nil || grant.Spaces != nil {
		t.Errorf("once it is back: %v, %v", grant, err)
	}

	// It is known by now, but not its keys.
	other := access.NewIssuer(access.IssuerConfig{URL: l.URL, Audience: "coworking", ScopeClaim: "scope"}, time.Now)
	defer other.Close()
	if _, err := other.Grant(t.Context(), "no.token.atall"); fault.Code(err) != "unauthenticated" {
		t.Errorf("a text that is no token: %v", err)
	}
	away.Store(true)
	if _, err := other.Grant(t.Context(), token); fault.Of(err) != fault.Unavailable {
		t.Errorf("while its keys cannot be read: %v", err)
	}
}
