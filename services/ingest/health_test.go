package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coworking/pkg/boot"
	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

func TestHealthAsksTheServiceOfThisMachine(t *testing.T) {
	cases := map[string]struct {
		check error
		out   string
		fault fault.Kind
		said  string
	}{
		"all is well":        {out: `{"status":"ok","checks":{"stream 0":"ok"}}`},
		"the broker is away": {check: errors.New("no answer"), out: `{"status":"failing","checks":{"stream 0":"no answer"}}`, fault: fault.Unavailable, said: "ingest is not ready: 503 Service Unavailable"},
		"nobody listens":     {fault: fault.Unavailable, said: "ingest does not answer"},
		"what is no address": {fault: fault.Invalid, said: "--intake-addr (INTAKE_ADDR) is no host and port"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			health := boot.NewHealth()
			health.Ready("stream 0", func(context.Context) error { return c.check })
			server := httptest.NewServer(boot.Ops(health, boot.NewRegistry("ingest")))
			defer server.Close()
			_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
			asked := ":" + port // as the image listens
			switch name {
			case "nobody listens":
				server.Close()
			case "what is no address":
				asked = "127.0.0.1:no port"
			}
			var out bytes.Buffer
			err := (&healthCmd{IntakeAddr: asked, Timeout: 5 * time.Second}).Run(t.Context(), &out)
			if diff := cmp.Diff(c.out, strings.TrimSpace(out.String())); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			if (err != nil) != (c.said != "") || err != nil && (fault.Of(err) != c.fault || !strings.Contains(err.Error(), c.said)) {
				t.Errorf("error %v", err)
			}
		})
	}
}
