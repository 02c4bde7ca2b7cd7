package main

import (
	"bytes"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/pgtest"
)

func TestHealthAsksTheServiceOfThisMachine(t *testing.T) {
	r := start(t, pgtest.URL(t), "127.0.0.1")
	u, err := url.Parse(r.base)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(u.Host)
	ask := func(addr string) (string, error) {
		var out bytes.Buffer
		err := (&healthCmd{Addr: address(addr), Timeout: 5 * time.Second}).Run(t.Context(), &out)
		return out.String(), err
	}
	for _, addr := range []string{":" + port, "0.0.0.0:" + port, "127.0.0.1:" + port} {
		if out, err := ask(addr); err != nil || !strings.Contains(out, `"status":"ok"`) {
			t.Errorf("%s: %q, %v", addr, out, err)
		}
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if out, err := ask(":" + port); fault.Of(err) != fault.Unavailable || out != "" {
		t.Errorf("stopped: %q, %v", out, err)
	}
}

func TestHealthOfAServiceWhoseSchemaIsMissing(t *testing.T) {
	r := start(t, pgtest.Empty(t), "127.0.0.1")
	var out bytes.Buffer
	err := (&healthCmd{Addr: address(strings.TrimPrefix(r.base, "http://")), Timeout: 5 * time.Second}).Run(t.Context(), &out)
	if fault.Of(err) != fault.Unavailable || !strings.Contains(out.String(), "ingest migrate up") {
		t.Errorf("%q, %v", &out, err)
	}
}
