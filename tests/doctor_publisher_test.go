package tests

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// card is a report card, as programs read it.
type card struct {
	Verdict string `json:"verdict"`
	Events  int    `json:"events"`
	Checks  []struct {
		Name    string `json:"name"`
		Verdict string `json:"verdict"`
		Seen    string `json:"seen"`
		Do      string `json:"do"`
		Refused []struct {
			Code    string `json:"code"`
			Count   int    `json:"count"`
			Pointer string `json:"pointer"`
		} `json:"refused"`
	} `json:"checks"`
}

func (c card) verdicts() map[string]string {
	all := map[string]string{}
	for _, check := range c.Checks {
		all[check.Name] = check.Verdict
	}
	return all
}

// doctor runs `coworking doctor publisher`, and gives its card and its exit code.
func (s *system) doctor(args ...string) (c card, code int, said string) {
	s.t.Helper()
	out, err := s.tool("", append([]string{"doctor", "publisher", "--json"}, args...)...)
	failure, failed := errors.AsType[*exec.ExitError](err)
	if err != nil && !failed {
		s.t.Fatal(err)
	}
	if failed {
		code, said = failure.ExitCode(), err.Error()
	}
	if code < 2 {
		if err := json.Unmarshal([]byte(out), &c); err != nil {
			s.t.Fatalf("%v in\n%s%s", err, out, said)
		}
	}
	return c, code, said
}

// visitor is an event of somebody at a door that has just happened.
func visitor(id, source, kind string, member int, at time.Time) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":"coworking.v1.%s","time":%q,"subject":"%d","data":{"method":"door"}}`,
		id, source, kind, at.Format(time.RFC3339Nano), member)
}

// over publishes over NATS, where nobody refuses.
func (s *system) over(space, kind string, events ...string) {
	s.t.Helper()
	conn, err := nats.Connect(s.running().NATSURL)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, event := range events {
		if _, err := js.Publish(s.t.Context(), "checkins.v1."+space+"."+kind, []byte(event)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// post sends events through the HTTP door, which has to take all of them.
func (s *system) post(events ...string) {
	s.t.Helper()
	body := strings.NewReader(strings.ReplaceAll("["+strings.Join(events, ",")+"]", `"data":{`, `"data":{"space":"soho",`))
	response, err := http.Post(s.door()+"/v1/events", "application/cloudevents-batch+json", body)
	if err != nil {
		s.t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		s.t.Fatalf("the door said %s", response.Status)
	}
}

func TestTheReportCardTellsGoodPublishersFromBad(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	if out, err := s.tool("", "space", "set", "soho", "--zone", "America/New_York", "--capacity", "40"); err != nil {
		t.Fatalf("%s%v", out, err)
	}
	now := time.Now()
	for member := range 10 {
		in := visitor(fmt.Sprintf("in-%d", member), "front-door", "checkin", member, now.Add(-20*time.Second))
		out := visitor(fmt.Sprintf("out-%d", member), "front-door", "checkout", member, now.Add(-time.Second))
		s.post(in, out)
		if member == 0 {
			s.post(in) // a retry, as it should be
		}
	}
	for member := range 10 {
		in := now.Add(time.Hour) // by a clock that is an hour fast
		first, retry := fmt.Sprintf("first-%d", member), fmt.Sprintf("retry-%d", member)
		s.over("sohoo", "checkin", visitor(first, "back-door", "checkin", member, in), visitor(retry, "back-door", "checkin", member, in))
	}
	s.over("sohoo", "checkin", "garbage")

	good, code, said := s.doctor("soho", "front-door")
	want := map[string]string{
		"events": "good", "ids": "good", "clock": "good", "zone": "good", "resends": "good", "check-outs": "good", "spaces": "good",
	}
	if diff := cmp.Diff(want, good.verdicts()); diff != "" || code != 0 || good.Verdict != "good" || good.Events != 21 {
		t.Errorf("%d, %d events, %s (-want +got):\n%s%+v", code, good.Events, said, diff, good)
	}

	bad, code, said := s.doctor("sohoo")
	want = map[string]string{
		"events": "bad", "ids": "bad", "clock": "bad", "zone": "bad", "resends": "good", "check-outs": "look", "spaces": "look",
	}
	if diff := cmp.Diff(want, bad.verdicts()); diff != "" || code != 1 || bad.Verdict != "bad" || bad.Events != 21 || !strings.Contains(said, "4 of 7 bad") {
		t.Errorf("%d, %d events, %s (-want +got):\n%s%+v", code, bad.Events, said, diff, bad)
	}
	if refused := bad.Checks[0].Refused; len(refused) != 2 || refused[0].Code != "future" || refused[0].Count != 20 || refused[0].Pointer != "/time" || refused[1].Code != "invalid_json" {
		t.Errorf("%+v", refused)
	}
	for check, want := range map[int]string{
		1: "10 events came again under a new id", 2: "20 of 20 events more than 5 minutes ahead", 3: "20 of 20 events, 1h ahead", 5: "no check-out of any", 6: "Nothing was said of sohoo",
	} {
		if !strings.Contains(bad.Checks[check].Seen, want) {
			t.Errorf("no %q in %q", want, bad.Checks[check].Seen)
		}
	}

	shown, err := s.tool("", "doctor", "publisher", "soho", "--data", s.dir)
	if err != nil || !strings.HasPrefix(shown, "Report card of soho, all sources: 22 events\n") || !strings.HasSuffix(shown, "\nAll in all: good\n") {
		t.Errorf("%v\n%s", err, shown)
	}
	for name, args := range map[string][]string{
		"another's source": {"soho", "back-door"}, "nobody's space": {"nowhere"}, "no question": nil, "two questions": {"soho", "--file", "-"},
		"no space's name": {"a.>"}, "nothing to look at": {"soho", "--last", "0"}, "an empty file": {"--file", "-"},
		"no broker": {"soho", "--nats-url", "nats://127.0.0.1:1"},
	} {
		if _, code, said := s.doctor(args...); code != 2 {
			t.Errorf("%s: %d, %s", name, code, said)
		}
	}
}

// What a vendor posts to its hook counts, and has a card like what any other source tells;
// what nobody signed is neither.
func TestAHookHasACardToo(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	dir := t.TempDir()
	writeFile(t, dir, "hooks.json", `{"hooks":[{"vendor":"kisi","secret":"kisi","spaces":{"12":"soho"}}]}`)
	door := s.anotherDoor(t, s.running().NATSURL, "--require-keys", "--hooks", filepath.Join(dir, "hooks.json"), "--hook-secrets", "kisi=shared")
	documented := text(repository(t), "services/ingest/internal/intake/hooks/testdata/kisi_unlock_by_member.json")
	payload := strings.Replace(documented, "2026-03-29T00:58:03Z", time.Now().UTC().Format(time.RFC3339), 1)
	for secret, want := range map[string]int{"shared": http.StatusAccepted, "guessed": http.StatusUnauthorized} {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(payload))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, door+"/v1/hooks/kisi", strings.NewReader(payload))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("signed with %q it is answered %s", secret, response.Status)
		}
	}
	eventually(t, "it is counted", func() bool { return s.sohoCheckIns() == 1 })
	c, code, said := s.doctor("soho", "kisi/place-12")
	if got := c.verdicts(); code != 0 || c.Events != 1 || got["events"] != "good" || got["clock"] != "good" {
		t.Errorf("%d, %s%+v", code, said, c)
	}
	if counted := get(door + "/metrics"); !strings.Contains(counted, `intake_hook_events_total{hook="kisi",result="unauthenticated"} 1`) {
		t.Error("nobody counts what was not signed")
	}
}

func TestTheDoctorWatchesUntilItIsStopped(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	s.post(visitor("before", "front-door", "checkin", 0, time.Now()))
	watching := start(t, s.dir, "doctor", "publisher", "soho", "front-door", "--watch", "1h", "--data", s.dir)
	shown := &lines{}
	watching.cmd.Stdout = shown
	watching.run()
	eventually(t, "it watches", func() bool { return strings.Contains(watching.said.String(), "1 stored; watching") })
	id := 0
	eventually(t, "it says what came", func() bool {
		id++
		s.post(visitor(fmt.Sprint(id), "front-door", "checkin", id, time.Now()))
		return strings.Contains(watching.said.String(), "came ")
	})
	watching.signal(os.Interrupt)
	if watching.failure != nil || !strings.HasPrefix(shown.String(), `Report card of soho, source "front-door": `) || strings.HasPrefix(shown.String(), `Report card of soho, source "front-door": 1 event`) {
		t.Errorf("%v\n%s", watching.failure, shown)
	}
}

func TestEventsAreJudgedFromAFileWithoutASystem(t *testing.T) {
	t.Parallel()
	judge := func(events string) (string, int) {
		cmd := exec.CommandContext(t.Context(), coworking(t), "doctor", "publisher", "--file", "-")
		cmd.Env = environment()
		cmd.Stdin = strings.NewReader(events)
		out, err := cmd.Output()
		if failure, failed := errors.AsType[*exec.ExitError](err); failed {
			return string(out), failure.ExitCode()
		}
		if err != nil {
			t.Fatal(err)
		}
		return string(out), 0
	}
	if out, code := judge(checkIns(0, 4)); code != 0 || !strings.Contains(out, "✓ events      good      4 events, all of them taken.\n") {
		t.Errorf("%d\n%s", code, out)
	}
	typo := strings.ReplaceAll(checkIns(4, 2), `"soho"`, `"soho","metod":"door"`)
	out, code := judge("[" + strings.ReplaceAll(strings.TrimSpace(checkIns(0, 4)+typo), "\n", ",") + "]")
	if code != 1 || !strings.Contains(out, "✗ events      bad       2 of 6 events refused.\n    2 × unknown_field: event 5 /data/metod: ") {
		t.Errorf("%d\n%s", code, out)
	}
}
