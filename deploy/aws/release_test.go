package aws

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// site is a repository with a copy of the Makefile and of bin/, and with programs
// called aws, docker and helm that write down how they were called.
type site struct {
	*testing.T
	folder string // the repository
	desk   string // answers of the programs, and calls
}

const (
	indexDigest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	amd64Digest = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	arm64Digest = "sha256:3333333333333333333333333333333333333333333333333333333333333333"
)

// programs answer with what lies on the desk: a file named like the question.
var programs = map[string]string{
	"aws": `
case "$*" in
*describe-images*) cat "$DESK/images" 2>/dev/null || exit 254 ;;
*imageScanStatus.status*) echo "$(cat "$DESK/status" 2>/dev/null || echo ACTIVE)" ;;
*findingSeverityCounts*) severity="${*##*findingSeverityCounts.}"; cat "$DESK/${severity%% *}" 2>/dev/null || echo None ;;
*get-login-password*) echo secret ;;
esac`,
	"docker": `
case "$*" in
*"buildx build"*)
	[ ! -e "$DESK/build-fails" ] || exit 1
	while [ "$1" != --metadata-file ]; do shift; done
	printf '{\n  "containerimage.config.digest": "sha256:0",\n  "containerimage.digest": "` + indexDigest + `"\n}\n' >"$2" ;;
*SBOM*) cat "$DESK/sbom" 2>/dev/null || echo '{"spdxVersion":"SPDX-2.3","packages":[{}]}' ;;
*Provenance*) cat "$DESK/provenance" 2>/dev/null || echo '{"buildDefinition":{}}' ;;
*Manifests*) printf '` + amd64Digest + `\n` + arm64Digest + `\n' ;;
login*) cat >/dev/null ;;
"buildx inspect"*) exit 1 ;;
esac`,
	"helm": `
case "$*" in
version*) cat "$DESK/helm" 2>/dev/null || echo v4.3.1 ;;
"get values "*) cat "$DESK/values-$3" 2>/dev/null || exit 1 ;;
upgrade*) [ ! -e "$DESK/upgrade-fails" ] || exit 1 ;;
esac`,
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, folder: t.TempDir(), desk: t.TempDir()}
	for name, body := range programs {
		s.write(filepath.Join(s.desk, "bin", name), "#!/bin/sh\necho \""+name+" $*\" >>\"$DESK/calls\" # at once: both ends of a pipe write\n"+body+"\n", 0o755)
	}
	bin, err := os.ReadDir("bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range bin {
		s.write(filepath.Join(s.folder, "deploy/aws/bin", entry.Name()), read(t, "bin/"+entry.Name()), 0o755)
	}
	s.write(filepath.Join(s.folder, "Makefile"), read(t, root+"/Makefile"), 0o644)
	s.write(filepath.Join(s.folder, ".gitignore"), ".cache/\n", 0o644)
	s.git("init", "--quiet")
	s.commit("services/ingest/a.go", "services/query/a.go", "pkg/a.go", "deploy/helm/query/values.yaml", "README.md")
	return s
}

func (s *site) write(name, body string, mode os.FileMode) {
	s.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(body), mode); err != nil {
		s.Fatal(err)
	}
}

// says puts an answer on the desk.
func (s *site) says(question, answer string) { s.write(filepath.Join(s.desk, question), answer, 0o644) }

func (s *site) git(args ...string) string {
	s.Helper()
	command := exec.CommandContext(s.Context(), "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"}, args...)...)
	command.Dir = s.folder
	out, err := command.Output()
	if err != nil {
		s.Fatalf("git %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// commit changes files.
func (s *site) commit(names ...string) {
	s.Helper()
	for _, name := range names {
		file := filepath.Join(s.folder, name)
		before, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			s.Fatal(err)
		}
		s.write(file, string(before)+"x", 0o644)
	}
	s.git("add", ".")
	s.git("commit", "--quiet", "--message", "x")
}

// runs says that the cluster runs a service as of a commit.
func (s *site) runs(service, commit string) {
	s.says("values-"+service, "database:\n  ca: {}\nimage:\n  digest: "+indexDigest+"\n  registry: r\n  repository: coworking/"+service+"\n  tag: "+commit+"\nserviceMonitor:\n  enabled: false\n")
}

// make calls targets, one after the other until one fails, as CodeBuild does.
func (s *site) make(targets ...string) (out string, ok bool) {
	s.Helper()
	for _, target := range targets {
		command := exec.CommandContext(s.Context(), "make", "--silent", "HELM=helm", target)
		command.Dir = s.folder
		command.Env = append(os.Environ(), "DESK="+s.desk, "PATH="+s.desk+"/bin:"+os.Getenv("PATH"), "REGISTRY=registry", "CLUSTER=coworking",
			"NAMESPACE=coworking", "CAPACITY=spot", "SCAN_PAUSE=0", "SCAN_TRIES=3", "GOWORK=off", "GOFLAGS=")
		said, err := command.CombinedOutput()
		out += string(said)
		if err != nil {
			return out, false
		}
	}
	return out, true
}

// called are the calls of a program that begin like that.
func (s *site) called(with string) []string {
	s.Helper()
	body, err := os.ReadFile(filepath.Join(s.desk, "calls"))
	if err != nil && !os.IsNotExist(err) {
		s.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(string(body), "\n"), func(call string) bool { return !strings.HasPrefix(call, with) })
}

var release = []string{"changed", "push", "sbom", "scan-gate", "deploy-ingest", "deploy-query"}

func TestAReleaseIsPushedScannedAndDeployedByDigest(t *testing.T) {
	s := newSite(t)
	s.git("tag", "v1.4.0")
	head := s.git("rev-parse", "HEAD")
	if out, ok := s.make(release...); !ok {
		t.Fatal(out)
	}
	builds := s.called("docker buildx build")
	if len(builds) != 2 {
		t.Fatalf("%d builds", len(builds))
	}
	for _, want := range []string{
		" --platform linux/amd64,linux/arm64 ", " --sbom=true ", " --provenance=mode=max ", " --push ", " --file Dockerfile.ingest ",
		" --tag registry/coworking/ingest:" + head + " ", " --tag registry/coworking/ingest:1.4.0 ", " --build-arg VERSION=1.4.0 ",
	} {
		if !strings.Contains(builds[0], want) {
			t.Errorf("no%sin %s", want, builds[0])
		}
	}
	upgrade := func(service string) string {
		return "helm upgrade " + service + " deploy/helm/" + service + " --install --namespace coworking --rollback-on-failure --timeout 10m --history-max 10" +
			" --values deploy/helm/" + service + "/values-eks-spot.yaml --values deploy/aws/values.yaml" +
			" --set-string image.registry=registry --set-string image.repository=coworking/" + service +
			" --set-string image.digest=" + indexDigest + " --set-string image.tag=" + head
	}
	if diff := cmp.Diff([]string{upgrade("ingest"), upgrade("query")}, s.called("helm upgrade")); diff != "" {
		t.Errorf("upgrades (-want +got):\n%s", diff)
	}
	if scans := len(s.called("aws ecr describe-image-scan-findings")); scans != 2*2*3 {
		t.Errorf("%d questions about scans, want a status and two severities of four images", scans)
	}
}

func TestOnlyWhatChangedIsReleased(t *testing.T) {
	cases := map[string]struct {
		change string
		want   []string
	}{
		"one service":                  {"services/query/a.go", []string{"query"}},
		"its chart":                    {"deploy/helm/query/values.yaml", []string{"query"}},
		"what both are made of":        {"pkg/a.go", []string{"ingest", "query"}},
		"the values of this cluster":   {"deploy/aws/values.yaml", []string{"ingest", "query"}},
		"the other service's schema":   {"migrations/1.up.sql", []string{"ingest", "query"}},
		"a page":                       {"README.md", nil},
		"a page of a service's folder": {"docs/services/query/a.go", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			was := s.git("rev-parse", "HEAD")
			s.runs("ingest", was)
			s.runs("query", was)
			s.commit(c.change)
			if out, ok := s.make(release...); !ok {
				t.Fatal(out)
			}
			var built, deployed []string
			for _, call := range s.called("docker buildx build") {
				built = append(built, strings.TrimPrefix(regexp.MustCompile(`Dockerfile\.[a-z]+`).FindString(call), "Dockerfile."))
			}
			for _, call := range s.called("helm upgrade") {
				deployed = append(deployed, strings.Fields(call)[2])
			}
			if diff := cmp.Diff(c.want, built); diff != "" {
				t.Errorf("built (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.want, deployed); diff != "" {
				t.Errorf("deployed (-want +got):\n%s", diff)
			}
		})
	}
}

// What the cluster runs may be a commit that nobody has: then everything has changed.
func TestWhatCannotBeComparedHasChanged(t *testing.T) {
	s := newSite(t)
	s.runs("ingest", strings.Repeat("ab", 20))
	s.runs("query", s.git("rev-parse", "HEAD"))
	out, ok := s.make("changed")
	if want := "ingest: changed\nquery: the same as " + s.git("rev-parse", "HEAD") + "\n"; !ok || !strings.HasSuffix(out, want) {
		t.Errorf("%s, want %s", out, want)
	}
}

func TestAReleaseStopsWhereItShould(t *testing.T) {
	cases := map[string]struct {
		question, answer string
		want             string // what is said
	}{
		"the build fails":               {"build-fails", "", ""},
		"no bill of materials":          {"sbom", "null", "no bill of materials for amd64"},
		"no provenance":                 {"provenance", "null", "no provenance for amd64"},
		"a critical finding":            {"CRITICAL", "1", amd64Digest + " has findings that are CRITICAL: 1"},
		"a high finding":                {"HIGH", "3", amd64Digest + " has findings that are HIGH: 3"},
		"an image that nobody can scan": {"status", "UNSUPPORTED_IMAGE", "the scan of " + amd64Digest + ": UNSUPPORTED_IMAGE"},
		"a scan that failed":            {"status", "FAILED", "the scan of " + amd64Digest + ": FAILED"},
		"a scan that never comes":       {"status", "An error occurred (ScanNotFoundException)", "is not scanned yet, and nothing goes on without"},
		"a scan that takes too long":    {"status", "IN_PROGRESS", "is not scanned yet, and nothing goes on without"},
		"somebody who may not ask":      {"status", "An error occurred (AccessDeniedException)", "AccessDeniedException"},
		"an answer that is no number":   {"HIGH", "An error occurred (ThrottlingException)", "ThrottlingException"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.says(c.question, c.answer)
			out, ok := s.make(release...)
			if ok || !strings.Contains(out, c.want) {
				t.Errorf("went on %v, and said:\n%s\nwant %q", ok, out, c.want)
			}
			// CodeBuild comes to post_build all the same: nothing is deployed even if the guard were not there.
			if out, ok := s.make("deploy-ingest"); ok && len(s.called("helm upgrade")) > 0 {
				t.Errorf("deployed all the same:\n%s", out)
			}
		})
	}
}

func TestNothingIsDeployedAfterAFailedBuild(t *testing.T) {
	s := newSite(t)
	if out, ok := s.make("push", "sbom", "scan-gate"); !ok {
		t.Fatal(out)
	}
	t.Setenv("CODEBUILD_BUILD_SUCCEEDING", "0")
	if out, ok := s.make("deploy-ingest"); ok || !strings.Contains(out, "the build has failed: nothing is deployed") {
		t.Errorf("%v: %s", ok, out)
	}
	t.Setenv("CODEBUILD_BUILD_SUCCEEDING", "1")
	s.says("upgrade-fails", "")
	if _, ok := s.make("deploy-ingest", "deploy-query"); ok {
		t.Error("an upgrade that was taken back is a success")
	}
	if calls := s.called("helm upgrade query"); len(calls) > 0 {
		t.Errorf("query goes on without ingest: %v", calls)
	}
}

func TestHelm3IsToldInItsOwnWords(t *testing.T) {
	s := newSite(t)
	s.says("helm", "v3.22.0")
	if out, ok := s.make(release...); !ok {
		t.Fatal(out)
	}
	if calls := s.called("helm upgrade"); len(calls) != 2 || !strings.Contains(calls[0], " --atomic ") || strings.Contains(calls[0], "rollback") {
		t.Errorf("%v", calls)
	}
}

// Tags are immutable: a build that runs again pushes nothing that is there, and a version
// that is given later goes to the image that is there.
func TestAnImageThatIsThereIsNotBuiltAgain(t *testing.T) {
	s := newSite(t)
	s.says("images", indexDigest)
	if out, ok := s.make(release...); !ok {
		t.Fatal(out)
	}
	if calls := s.called("docker buildx build"); len(calls) > 0 {
		t.Errorf("built: %v", calls)
	}
	if calls := s.called("helm upgrade"); len(calls) != 2 {
		t.Errorf("deployed: %v", calls)
	}
}

func TestVersions(t *testing.T) {
	s := newSite(t)
	version := func() string {
		out, err := exec.CommandContext(t.Context(), filepath.Join(s.folder, "deploy/aws/bin/version")).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	short := func() string { return s.git("rev-parse", "--short=7", "HEAD") }
	if got, want := version(), "0.0.1-dev.1.g"+short(); got != want {
		t.Errorf("before the first tag %s, want %s", got, want)
	}
	s.git("tag", "v1.4.9")
	if got := version(); got != "1.4.9" {
		t.Errorf("on a tag %s", got)
	}
	s.git("tag", "nightly")
	s.commit("README.md")
	s.commit("README.md")
	if got, want := version(), "1.4.10-dev.2.g"+short(); got != want {
		t.Errorf("after a tag %s, want %s", got, want)
	}
}

func TestLoggingInKeepsThePasswordToItself(t *testing.T) {
	s := newSite(t)
	if out, ok := s.make("log-in"); !ok || strings.Contains(out, "secret") {
		t.Errorf("%v: %s", ok, out)
	}
	want := []string{"docker login --username AWS --password-stdin registry"}
	if diff := cmp.Diff(want, s.called("docker login")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestScriptsAreSound(t *testing.T) {
	entries, err := os.ReadDir("bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := "bin/" + entry.Name()
		if out, err := exec.CommandContext(t.Context(), "bash", "-n", name).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", name, out)
		}
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if isProgram := entry.Name() != "lib.sh"; isProgram != (info.Mode()&0o111 != 0) {
			t.Errorf("%s has the mode %s", name, info.Mode())
		}
		if checker, err := exec.LookPath("shellcheck"); err == nil {
			if out, err := exec.CommandContext(t.Context(), checker, "--external-sources", "--source-path=SCRIPTDIR", name).CombinedOutput(); err != nil {
				t.Errorf("%s:\n%s", name, out)
			}
		}
	}
}
