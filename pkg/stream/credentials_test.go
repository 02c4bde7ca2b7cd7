package stream_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coworking/pkg/fault"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"
)

func TestCredentialsThatCannotBeRightAreRefused(t *testing.T) {
	noSeed := filepath.Join(t.TempDir(), "office.nk")
	if err := os.WriteFile(noSeed, []byte("SUsecret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]stream.Credentials{
		"two of them":               {NKey: noSeed, Creds: noSeed},
		"a seed that is none":       {NKey: noSeed},
		"a seed that is not there":  {NKey: noSeed + "2"},
		".creds that are not there": {Creds: noSeed + "2"},
		"an authority that is none": {CA: noSeed},
		"an inbox for everybody":    {Inbox: ">"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			conn, _, err := c.Connect("nats://127.0.0.1:1", t.Name(), nop)
			if err == nil {
				conn.Close()
			}
			if fault.Of(err) != fault.Invalid || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
}

// A broker without accounts asks for nothing.
func TestNobodyInParticular(t *testing.T) {
	s := streamtest.New(t)
	for _, c := range []stream.Credentials{{}, {Inbox: "_DOOR_7"}} {
		conn, js, err := c.Connect(s.URL, t.Name(), nop)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.NewPublisher(js, prompt).Publish(t.Context(), messages(1)[0]); err != nil {
			t.Error(err)
		}
		if err := stream.Close(conn); err != nil {
			t.Error(err)
		}
	}
}
