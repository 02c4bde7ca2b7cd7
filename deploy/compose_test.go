package deploy

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// composed is compose.yaml as Compose reads it, nothing set in the environment.
type composed = *types.Project

func TestComposeHolds(t *testing.T) {
	project := load(t, string(file(t, filepath.Join(root, "compose.yaml"))), nil)
	for check, wrong := range composeChecks {
		for _, sentence := range wrong(project) {
			t.Errorf("%s: %s", check, sentence)
		}
	}
	want := []string{"ingest", "migrate", "nats", "postgres", "query", "setup"}
	if got := slices.Sorted(maps.Keys(project.Services)); !slices.Equal(got, want) {
		t.Errorf("services %v, not %v", got, want)
	}
}

func TestBrokenComposeIsFound(t *testing.T) {
	cases := map[string]struct{ from, to, want string }{
		"the root can be written":      {"read_only: true", "read_only: false", "query: its root can be written"},
		"capabilities":                 {"cap_drop: [ALL]", "cap_drop: [NET_RAW]", "query: keeps capabilities"},
		"a capability is given back":   {"stop_grace_period: 45s", "cap_add: [NET_ADMIN]", "ingest: keeps capabilities"},
		"new privileges":               {"no-new-privileges:true", "no-new-privileges:false", "query: may gain privileges"},
		"any number of processes":      {"  pids_limit: 200\n", "", "query: may start any number of processes"},
		"a privileged one":             {"stop_grace_period: 45s", "privileged: true", "ingest: is privileged"},
		"the machine's network":        {"stop_grace_period: 45s", "network_mode: host", "ingest: shares the machine's"},
		"root":                         {`user: "65532:65532"`, `user: "0:0"`, "ingest: is 0:0"},
		"the image's own user":         {`user: "999:999"`, `hostname: postgres`, "postgres: is , not numbers"},
		"a socket of the machine":      {"nats:/data", "/var/run/docker.sock:/data", "nats: /var/run/docker.sock is mounted"},
		"every address":                {"127.0.0.1:5153:5153", "5153:5153", "query: port 5153 is open to others"},
		"another machine's address":    {"127.0.0.1:4222:4222", "10.0.0.1:4222:4222", "nats: port 4222 is open to others"},
		"a port of nobody":             {"127.0.0.1:5154:5154", "127.0.0.1:5154:8080", "ingest: listens on 5154, not on 8080"},
		"no tag":                       {"postgres:17-bookworm", "postgres", "postgres: image postgres has no tag"},
		"the latest":                   {"nats:2.15-alpine", "nats:latest", "nats: image nats:latest has no tag"},
		"nothing migrates first":       {"      migrate: {condition: service_completed_successfully}\n      setup", "      setup", "ingest: does not wait for migrate"},
		"migrations that may fail":     {"setup: {condition: service_completed_successfully}", "setup: {condition: service_started}", "ingest: does not wait for setup"},
		"a database that is not there": {"postgres: {condition: service_healthy}", "postgres: {condition: service_started}", "migrate: does not wait for postgres"},
		"nobody asks how it is":        {"test: [CMD, /usr/local/bin/query, health]", "disable: true", "query: has no health check"},
		"a shell that is not there":    {"test: [CMD, /usr/local/bin/query, health]", "test: /usr/local/bin/query health", "query: its health check is not /usr/local/bin/query health"},
		"a kill":                       {"stop_grace_period: 45s", "stop_grace_period: 10s", "ingest: is killed 10s after its stop"},
	}
	sound := string(file(t, filepath.Join(root, "compose.yaml")))
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(sound, c.from) {
				t.Fatalf("%q is not in compose.yaml", c.from)
			}
			project := load(t, strings.Replace(sound, c.from, c.to, 1), nil)
			var said []string
			for _, wrong := range composeChecks {
				said = append(said, wrong(project)...)
			}
			if !strings.Contains(strings.Join(said, "\n"), c.want) {
				t.Errorf("want %q, got %q", c.want, said)
			}
		})
	}
}

// A misspelt variable would be a default, and nobody would know.
func TestComposedBinariesKnowWhatTheyAreTold(t *testing.T) {
	project := load(t, string(file(t, filepath.Join(root, "compose.yaml"))), nil)
	built := map[string]binary{}
	for _, name := range charts {
		built[name] = build(t, name)
	}
	for name, s := range own(project) {
		program := binary{path: built[s.of].path, known: map[string]bool{}}
		told := [][]string{s.Command}
		if len(s.Command) == 0 {
			told[0] = []string{"run"}
		}
		if s.HealthCheck != nil {
			told = append(told, s.HealthCheck.Test[2:])
		}
		for _, args := range told {
			if strange := program.learn(args); len(strange) > 0 {
				t.Errorf("%s: %s does not know %v", name, s.of, strange)
			}
		}
		environment := map[string]string{}
		for variable := range s.Environment {
			environment[variable] = ""
		}
		for _, variable := range unknown(environment, program.known) {
			t.Errorf("%s: %s does not know %s", name, strings.Join(told[0], " "), variable)
		}
	}
}

// One who sets the password sets it for all, and none is written down besides.
func TestComposedPasswordsAreThoseThatWereSet(t *testing.T) {
	project := load(t, string(file(t, filepath.Join(root, "compose.yaml"))), map[string]string{"POSTGRES_PASSWORD": "elsewhere", "TAG": "v1"})
	if got := project.Services["postgres"].Environment["POSTGRES_PASSWORD"]; got == nil || *got != "elsewhere" {
		t.Errorf("postgres has another password")
	}
	for name, s := range own(project) {
		if !strings.HasSuffix(s.Image, ":v1") {
			t.Errorf("%s: image %s", name, s.Image)
		}
		if u := s.Environment["DATABASE_URL"]; u != nil && !strings.Contains(*u, "//coworking:elsewhere@postgres:") {
			t.Errorf("%s: has another password", name)
		}
	}
}

func TestTheComposedBrokerKeepsWhatItAcknowledges(t *testing.T) {
	text := string(file(t, "compose/nats-server.conf"))
	for _, want := range []string{`^\s*sync_interval: always$`, `^\s*store_dir: "/data"$`, `^http: "0\.0\.0\.0:8222"$`} {
		if !regexp.MustCompile("(?m)" + want).MatchString(text) {
			t.Errorf("there is no line %s", want)
		}
	}
	nats := load(t, string(file(t, filepath.Join(root, "compose.yaml"))), nil).Services["nats"]
	want, err := filepath.Abs("compose/nats-server.conf")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(nats.Volumes, func(v types.ServiceVolumeConfig) bool {
		return v.Source == want && slices.Contains(nats.Command, v.Target)
	}) {
		t.Errorf("it is not told to read %s", want)
	}
}

// load reads a compose file strictly: what the specification does not know is an error.
func load(t *testing.T, text string, environment map[string]string) composed {
	t.Helper()
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: here, Environment: environment,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(here, "compose.yaml"), Content: []byte(text)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// ownService is one of this repository's images.
type ownService struct {
	types.ServiceConfig

	of string // whose image: ingest or query
}

func own(project composed) map[string]ownService {
	found := map[string]ownService{}
	for name, s := range project.Services {
		if s.Build != nil {
			found[name] = ownService{s, strings.TrimPrefix(s.Build.Dockerfile, "Dockerfile.")}
		}
	}
	return found
}

// composeChecks say, in a sentence for each mistake, what is wrong with what is composed.
var composeChecks = map[string]func(composed) []string{
	"no privileges":          checkHardened,
	"for this machine alone": checkPorts,
	"known images":           checkTags,
	"in order":               checkOrder,
	"asked how it is":        checkHealth,
}

var numeric = regexp.MustCompile(`^\d+:\d+$`)

func checkHardened(project composed) []string {
	var said []string
	for name, s := range project.Services {
		for sentence, wrong := range map[string]bool{
			"its root can be written":                 !s.ReadOnly,
			"keeps capabilities":                      !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0,
			"may gain privileges":                     !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}),
			"may start any number of processes":       s.PidsLimit <= 0,
			"is privileged":                           s.Privileged,
			"shares the machine's":                    s.NetworkMode == "host" || s.Pid != "" || s.Ipc != "" || len(s.Devices) > 0,
			fmt.Sprintf("is %s, not numbers", s.User): !numeric.MatchString(s.User),
			fmt.Sprintf("is %s", s.User):              s.Build != nil && s.User != "65532:65532",
		} {
			if wrong {
				said = append(said, name+": "+sentence)
			}
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind && (!v.ReadOnly || !strings.HasPrefix(v.Source, project.WorkingDir+string(filepath.Separator))) {
				said = append(said, fmt.Sprintf("%s: %s is mounted", name, v.Source))
			}
		}
	}
	return said
}

func checkPorts(project composed) []string {
	var said []string
	for name, s := range project.Services {
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				said = append(said, fmt.Sprintf("%s: port %s is open to others", name, port.Published))
			}
			if want, there := listenPort[name]; there && fmt.Sprint(port.Target) != want {
				said = append(said, fmt.Sprintf("%s: listens on %s, not on %d", name, want, port.Target))
			}
		}
	}
	return said
}

func checkTags(project composed) []string {
	var said []string
	for name, s := range project.Services {
		_, tag, _ := strings.Cut(s.Image, ":")
		if tag == "" || tag == "latest" {
			said = append(said, fmt.Sprintf("%s: image %s has no tag", name, s.Image))
		}
		if s.Build != nil && !strings.HasPrefix(s.Image, "coworking/"+strings.TrimPrefix(s.Build.Dockerfile, "Dockerfile.")+":") {
			said = append(said, fmt.Sprintf("%s: image %s is not what %s makes", name, s.Image, s.Build.Dockerfile))
		}
	}
	return said
}

func checkOrder(project composed) []string {
	var said []string
	for name, waits := range map[string]map[string]string{
		"migrate": {"postgres": types.ServiceConditionHealthy},
		"setup":   {"nats": types.ServiceConditionHealthy},
		"ingest":  {"migrate": types.ServiceConditionCompletedSuccessfully, "setup": types.ServiceConditionCompletedSuccessfully},
		"query":   {"migrate": types.ServiceConditionCompletedSuccessfully},
	} {
		for other, condition := range waits {
			if project.Services[name].DependsOn[other].Condition != condition {
				said = append(said, fmt.Sprintf("%s: does not wait for %s", name, other))
			}
		}
	}
	return said
}

// checkHealth is about what stays: there are probes that need no shell where there is
// none, and time to finish.
func checkHealth(project composed) []string {
	var said []string
	for name, s := range project.Services {
		if s.Restart == "" { // it does one thing and ends
			continue
		}
		if s.HealthCheck == nil || s.HealthCheck.Disable {
			said = append(said, name+": has no health check")
			continue
		}
		if want := []string{"CMD", "/usr/local/bin/" + name, "health"}; s.Build != nil && !slices.Equal(s.HealthCheck.Test, want) {
			said = append(said, fmt.Sprintf("%s: its health check is not %s", name, strings.Join(want[1:], " ")))
		}
		if s.StopGracePeriod == nil || time.Duration(*s.StopGracePeriod) < 30*time.Second {
			said = append(said, fmt.Sprintf("%s: is killed %v after its stop", name, s.StopGracePeriod))
		}
	}
	return said
}
