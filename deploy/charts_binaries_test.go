package deploy

import (
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// binary is a service as it is built from this tree, and what it says of itself.
type binary struct {
	path  string
	known map[string]bool // the environment of all its verbs
}

// notOurs is environment that others than the service's flags read: Go itself, and the
// exporter of traces.
var notOurs = regexp.MustCompile(`^(GOMEMLIMIT|OTEL_EXPORTER_OTLP_HEADERS)$`)

var variable = regexp.MustCompile(`\$([A-Z][A-Z0-9_]+)`)

func build(t *testing.T, service string) binary {
	t.Helper()
	b := binary{path: filepath.Join(t.TempDir(), service), known: map[string]bool{}}
	command := exec.Command("go", "build", "-buildvcs=false", "-o", b.path, ".")
	command.Dir = "../services/" + service
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", service, err, out)
	}
	return b
}

// learn reads the help of a verb, and says what of the arguments it does not know.
func (b binary) learn(args []string) []string {
	verb := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(arg, "-") })
	out, err := exec.Command(b.path, append(verb, "--help")...).Output()
	help := string(out)
	if err != nil || !strings.HasPrefix(help, "Usage: "+strings.Join(append([]string{filepath.Base(b.path)}, verb...), " ")+" ") {
		return verb
	}
	for _, match := range variable.FindAllStringSubmatch(help, -1) {
		b.known[match[1]] = true
	}
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		return !strings.HasPrefix(arg, "-") || strings.Contains(help, arg)
	})
}

// What pods are told is what the binaries listen to: a misspelt variable would be a
// default, and nobody would know.
func TestBinariesKnowWhatTheyAreTold(t *testing.T) {
	for _, chart := range charts {
		b := build(t, chart)
		for scene := range scenes {
			objects := rendered(t, helms["Helm 4"], release{chart: chart, name: chart}, values(t, chart, scene))
			for _, p := range pods(objects) {
				if strange := b.learn(p.container().Args); len(strange) > 0 {
					t.Errorf("%s, %s: %s does not know %v", scene, title(p.owner), chart, strange)
				}
			}
			for _, p := range pods(objects) {
				for _, name := range unknown(p.environment(objects), b.known) {
					t.Errorf("%s, %s: %s does not know %s", scene, title(p.owner), chart, name)
				}
			}
		}
		if said := unknown(map[string]string{"NATS_ULR": "", "GOMEMLIMIT": "", "LOG_LEVEL": ""}, b.known); strings.Join(said, " ") != "NATS_ULR" {
			t.Errorf("%s: unknown are %v", chart, said)
		}
		if said := append(b.learn([]string{"rum"}), b.learn([]string{"run", "--such"})...); strings.Join(said, " ") != "rum --such" {
			t.Errorf("%s: unknown are %v", chart, said)
		}
	}
}

func unknown(environment map[string]string, known map[string]bool) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		if !known[name] && !notOurs.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}
