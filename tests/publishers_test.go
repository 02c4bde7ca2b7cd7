package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"coworking/pkg/checkins"
	"coworking/pkg/event"
	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
)

// recipe is a block of docs/publishers.md that can be run.
type recipe struct {
	name     string
	checkIns int      // how many more the report of soho says afterwards
	needs    []string // tools
	language string
	code     string
	answer   string // what it prints, if the page says it
}

var (
	fenced = regexp.MustCompile("(?ms)^(?:<!-- ([^\n]*) -->\n)?```(\\w*)\n(.*?)^```$")
	marked = regexp.MustCompile(`^recipe ([a-z-]+): (\d+) check-ins?, needs ([^>]+)$`)
)

// recipes is every block of the page that is run. idle is those that are neither run, nor
// an answer, nor said not to be run.
func recipes(page string) (all []recipe, idle []string) {
	for _, block := range fenced.FindAllStringSubmatch(page, -1) {
		mark, language, code := block[1], block[2], block[3]
		found := marked.FindStringSubmatch(mark)
		switch {
		case found != nil:
			count, _ := strconv.Atoi(found[2]) // digits
			all = append(all, recipe{name: found[1], checkIns: count, needs: strings.Fields(found[3]), language: language, code: code})
		case mark == "answer" && len(all) > 0:
			all[len(all)-1].answer = code
		case strings.HasPrefix(mark, "not run: "):
		default:
			idle = append(idle, code)
		}
	}
	return all, idle
}

func publishersRecipes(t *testing.T) []recipe {
	t.Helper()
	page, err := fs.ReadFile(repository(t), "docs/publishers.md")
	if err != nil {
		t.Fatal(err)
	}
	all, idle := recipes(string(page))
	for _, code := range idle {
		t.Errorf("nobody runs this block, and the page does not say why:\n%s", code)
	}
	if len(all) < 12 {
		t.Fatalf("only %d recipes were found", len(all))
	}
	return all
}

func TestABlockThatNobodyRunsIsFound(t *testing.T) {
	t.Parallel()
	page := "<!-- recipe a-b: 2 check-ins, needs curl gzip -->\n```sh\ntrue\n```\n\n<!-- answer -->\n```json\n{}\n```\n" +
		"<!-- not run: far away -->\n```sh\nmake up\n```\n```sh\nfalse\n```\n<!-- recipe mistyped -->\n```js\n1\n```\n"
	all, idle := recipes(page)
	want := []recipe{{name: "a-b", checkIns: 2, needs: []string{"curl", "gzip"}, language: "sh", code: "true\n", answer: "{}\n"}}
	if diff := cmp.Diff(want, all, cmp.AllowUnexported(recipe{})); diff != "" {
		t.Errorf("recipes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"false\n", "1\n"}, idle); diff != "" {
		t.Errorf("idle (-want +got):\n%s", diff)
	}
}

// The page's recipes, as a reader would run them: each in a shell of its own, in one
// folder with bin/coworking, and then looked for in a report.
func TestThePublishersRecipesWork(t *testing.T) {
	t.Parallel()
	all := publishersRecipes(t)
	s := up(t, settled(t))
	dir := t.TempDir()
	if err := os.Symlink(filepath.Dir(coworking(t)), filepath.Join(dir, "bin")); err != nil {
		t.Fatal(err)
	}
	counted := 0
	for _, r := range all {
		t.Run(r.name, func(t *testing.T) {
			counted += r.checkIns
			if missing := r.missing(dir); missing != "" {
				counted -= s.instead(t, r, missing)
			} else {
				s.follow(t, r, dir, s.door(), "cw_")
			}
			eventually(t, fmt.Sprintf("%d check-ins are in the report", counted), func() bool { return s.sohoCheckIns() == counted })
		})
	}
}

// missing is the first tool that is not there.
func (r recipe) missing(dir string) string {
	for _, tool := range r.needs {
		if strings.Contains(tool, "/") {
			tool = filepath.Join(dir, tool)
		}
		if _, err := exec.LookPath(tool); err != nil {
			return tool
		}
	}
	return ""
}

func (s *system) door() string { return "http://" + s.running().IntakeAddr }

// follow runs a recipe.
func (s *system) follow(t *testing.T, r recipe, dir, door, key string) {
	t.Helper()
	cmd := r.command(t, dir)
	cmd.Dir = dir
	cmd.Env = append(environment(), "DOOR="+door, "REPORTS="+s.query, "NATS_URL="+s.running().NATSURL, "KEY="+key)
	var said lines
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, &said)
	}
	if diff := cmp.Diff(r.answer, string(out)); r.answer != "" && diff != "" {
		t.Errorf("the answer (-page +got):\n%s", diff)
	}
	if strings.Contains(said.String(), "refused:") || strings.Contains(string(out), "refused:") {
		t.Errorf("%s%s", out, &said)
	}
}

// command is how a reader runs the block.
func (r recipe) command(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	write := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(r.code), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	switch r.language {
	case "sh":
		return exec.CommandContext(t.Context(), "/bin/sh", "-euc", r.code)
	case "python":
		return exec.CommandContext(t.Context(), "python3", write("recipe.py"))
	case "js":
		return exec.CommandContext(t.Context(), "node", write("recipe.mjs"))
	case "go":
		build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", stripped, "-o", filepath.Join(dir, "recipe"), write("recipe.go")) // here: in the workspace
		build.Env = append(os.Environ(), asBuilt)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return exec.CommandContext(t.Context(), filepath.Join(dir, "recipe"))
	default:
		t.Fatalf("nobody knows how to run %q", r.language)
		return nil
	}
}

// instead says that a recipe is not run. Of that for the nats command, subject and event
// are published all the same, by a client: then only its flags go unheld. It is how many
// check-ins do not come.
func (s *system) instead(t *testing.T, r recipe, missing string) int {
	t.Helper()
	if r.name != "nats" {
		t.Logf("not executed: no %s here", missing)
		return r.checkIns
	}
	t.Logf("not executed: no %s here; its subject and event are published by another client, its flags are not tried", missing)
	said := regexp.MustCompile(`(checkins\.v1\S+) \\\n\s+'([^']+)'`).FindStringSubmatch(r.code)
	if said == nil {
		t.Fatalf("no subject and event in\n%s", r.code)
	}
	conn, err := nats.Connect(s.running().NATSURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answer, err := conn.Request(said[1], []byte(said[2]), 10*time.Second)
	if err != nil || !strings.Contains(string(answer.Data), `"stream":"CHECKINS"`) {
		t.Fatalf("%v: %v", answer, err)
	}
	return 0
}

// sohoCheckIns is how many check-ins there are by today; none also where nobody has
// heard of the space yet.
func (s *system) sohoCheckIns() int { return s.checkInsOf("soho") }

func (s *system) checkInsOf(space string) (all int) {
	page := get(s.query + "/api/v1/reports/daily_usage?space=" + space + "&from=2026-03-01&to=" + time.Now().UTC().AddDate(0, 0, 2).Format(time.DateOnly))
	var answer struct {
		Data []struct {
			Checkins int `json:"checkins"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(page), &answer); err != nil {
		return 0
	}
	for _, day := range answer.Data {
		all += day.Checkins
	}
	return all
}

// The recipes that are programs keep their word on retries: a door that is busy, and one
// whose answer is lost, get the same events again.
func TestTheRecipesRetryWithTheSameIDs(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	for _, r := range publishersRecipes(t) {
		if r.language == "sh" {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			dir := t.TempDir()
			if missing := r.missing(dir); missing != "" {
				t.Logf("not executed: no %s here", missing)
				return
			}
			busy := newBusyDoor(t, s.door())
			before := s.sohoCheckIns()
			s.follow(t, r, dir, busy.URL, "cw_")
			eventually(t, "it is counted", func() bool { return s.sohoCheckIns() == before+r.checkIns })
			asked := busy.all()
			if len(asked) != 3 || asked[0] != asked[1] || asked[1] != asked[2] || !strings.Contains(asked[0], `"id":`) {
				t.Errorf("asked %d times: %q", len(asked), asked)
			}
		})
	}
}

// busyDoor is a door that says first "not now", then takes a request and loses the
// answer, and from then on hands all to the real one.
type busyDoor struct {
	*httptest.Server

	mu     sync.Mutex
	bodies []string
}

func newBusyDoor(t *testing.T, behind string) *busyDoor {
	t.Helper()
	d := &busyDoor{}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := readAll(r)
		if err != nil {
			t.Error(err)
		}
		d.mu.Lock()
		d.bodies = append(d.bodies, body)
		times := len(d.bodies)
		d.mu.Unlock()
		if times == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		status, answer, err := handOn(r, behind, body)
		if err != nil || times == 2 {
			panic(http.ErrAbortHandler) // the connection is cut
		}
		w.WriteHeader(status)
		_, _ = w.Write(answer) // the recipe may be gone
	}))
	t.Cleanup(d.Close)
	return d
}

func (d *busyDoor) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.bodies...)
}

func readAll(r *http.Request) (string, error) {
	body, err := io.ReadAll(r.Body)
	return string(body), err
}

// handOn asks the real door.
func handOn(r *http.Request, door, body string) (status int, answer []byte, err error) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, door+r.URL.Path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header = r.Header.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// Where keys are asked for: the recipes show theirs, and a client with a wrong one loses
// nothing until it has the right one.
func TestPublishersShowTheirKey(t *testing.T) {
	t.Parallel()
	s := up(t, settled(t))
	door := s.anotherDoor(t, s.running().NATSURL, "--require-keys")
	key := s.key(t, "door", "--scope", "events:write", "--space", "soho")
	counted := 0
	for _, r := range publishersRecipes(t) {
		dir := t.TempDir()
		if !strings.Contains(r.code, "DOOR") {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			if missing := r.missing(dir); missing != "" {
				t.Logf("not executed: no %s here", missing)
				return
			}
			s.follow(t, r, dir, door, key)
			counted += r.checkIns
			eventually(t, fmt.Sprintf("%d check-ins are in the report", counted), func() bool { return s.sohoCheckIns() == counted })
		})
	}
	t.Run("a client with a wrong key, and then with the right one", func(t *testing.T) {
		outbox := t.TempDir()
		client := openOutbox(t, outbox, door, "cw_wrong")
		for _, space := range []string{"soho", "paris", "soho"} {
			if err := client.Publish(t.Context(), &event.Event{Source: "turnstile", Kind: event.CheckIn, Space: space}); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "it says what is wrong", func() bool { return fault.Code(client.Err()) == "unauthenticated" })
		if err := client.Close(); err != nil || client.Pending() != 3 {
			t.Fatalf("%d wait, %v", client.Pending(), err)
		}
		client = openOutbox(t, outbox, door, key)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := client.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		refused, err := client.Refused()
		if err != nil || len(refused) != 1 || refused[0].Code != "space_forbidden" || refused[0].Pointer != "/data/space" || refused[0].Event.Space != "paris" {
			t.Errorf("refused: %v, %v", refused, err)
		}
		counted += 2
		eventually(t, "the others are in the report", func() bool { return s.sohoCheckIns() == counted })
	})
}

func openOutbox(t *testing.T, dir, door, key string) *checkins.Client {
	t.Helper()
	transport, err := checkins.HTTP(door, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := checkins.Open(dir, transport)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// anotherDoor is a second door of the system, which reaches the broker by an address
// of its own.
func (s *system) anotherDoor(t *testing.T, broker string, flags ...string) string {
	t.Helper()
	at := "127.0.0.1:" + strconv.Itoa(freePort(t))
	cmd := exec.Command(ingest(t), append([]string{"run", "--intake-addr", at}, flags...)...)
	said := &lines{}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.Env = append(environment(), "DATABASE_URL="+s.running().DatabaseURL, "NATS_URL="+broker)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("the door ended with %v:\n%s", err, said)
		}
	})
	eventually(t, "the second door is open", func() bool { return get("http://"+at+"/livez") != "" })
	return "http://" + at
}

// key makes a key.
func (s *system) key(t *testing.T, name string, flags ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(coworking(t)), "query"), append([]string{"keys", "create", name}, flags...)...)
	cmd.Env = append(environment(), "DATABASE_URL="+s.running().DatabaseURL)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
