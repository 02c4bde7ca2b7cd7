package boot

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

func TestAskingWhetherAServiceIsReady(t *testing.T) {
	saying := func(check error) http.HandlerFunc {
		health := NewHealth()
		health.Ready("door", func(context.Context) error { return check })
		return health.ServeReady
	}
	cases := map[string]struct {
		service http.HandlerFunc // none if nobody listens
		addr    string           // where it is looked for, if not where it listens
		timeout time.Duration    // if not five seconds
		out     string
		fault   fault.Kind
		said    string
	}{
		"all is well":        {service: saying(nil), out: `{"status":"ok","checks":{"door":"ok"}}`},
		"a check fails":      {service: saying(errors.New("stuck")), out: `{"status":"failing","checks":{"door":"stuck"}}`, fault: fault.Unavailable, said: "shop is not ready: 503 Service Unavailable"},
		"nobody listens":     {fault: fault.Unavailable, said: "shop does not answer"},
		"what is no address": {addr: "127.0.0.1:no port", fault: fault.Invalid, said: "--door (SHOP_DOOR) is no host and port"},
		"an answer that never comes": {
			service: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			timeout: 50 * time.Millisecond,
			fault:   fault.Unavailable, said: "shop does not answer",
		},
		"an answer that breaks off": {
			service: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "20") },
			fault:   fault.Unavailable, said: "shop broke off its answer",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.service)
			defer server.Close()
			_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
			asking := Asking{Service: "shop", Addr: ":" + port, Flag: "--door (SHOP_DOOR)", Timeout: c.timeout}
			if c.timeout == 0 {
				asking.Timeout = 5 * time.Second
			}
			if c.addr != "" {
				asking.Addr = c.addr
			}
			if c.service == nil {
				server.Close()
			}
			var out bytes.Buffer
			err := asking.Ready(t.Context(), &out)
			if diff := cmp.Diff(c.out, strings.TrimSpace(out.String())); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			if (err != nil) != (c.said != "") || err != nil && (fault.Of(err) != c.fault || !strings.Contains(err.Error(), c.said)) {
				t.Errorf("error %v", err)
			}
		})
	}
}
