package main

import (
	"bytes"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coworking/pkg/boot"
	"coworking/pkg/fault"
)

func TestHealthAsksTheServiceOfThisMachine(t *testing.T) {
	server := httptest.NewServer(boot.Ops(boot.NewHealth(), boot.NewRegistry("ingest")))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	ask := func(addr string) (string, error) {
		var out bytes.Buffer
		err := (&healthCmd{IntakeAddr: addr, Timeout: 5 * time.Second}).Run(t.Context(), &out)
		return out.String(), err
	}
	if out, err := ask(":" + port); err != nil || !strings.Contains(out, `"status":"ok"`) { // as the image listens
		t.Errorf("%q, %v", out, err)
	}
	if _, err := ask("127.0.0.1:no port"); fault.Of(err) != fault.Invalid || !strings.Contains(err.Error(), "--intake-addr (INTAKE_ADDR)") {
		t.Errorf("what is no address: %v", err)
	}
}
