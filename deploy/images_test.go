package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	godigest "github.com/opencontainers/go-digest"
)

// image is a Dockerfile and what its service is made of.
type image struct {
	service string
	text    string
	build   instructions.Stage
	final   instructions.Stage
	needs   []source
}

// source is a module of this repository that a service is built of, and its files that
// are compiled or embedded; names from the repository's root.
type source struct {
	dir   string
	files []string
}

const root = ".."

// listenVariable is the environment by which a service is told where to listen, and
// listenPort the port that it has everywhere.
var (
	listenVariable = map[string]string{"ingest": "INTAKE_ADDR", "query": "QUERY_ADDR"}
	listenPort     = map[string]string{"ingest": "5154", "query": "5153"}
)

func TestImagesHold(t *testing.T) {
	for _, service := range charts {
		made := read(t, service, string(file(t, dockerfile(service))), needs(t, service))
		for check, wrong := range imageChecks {
			for _, sentence := range wrong(made) {
				t.Errorf("Dockerfile.%s: %s: %s", service, check, sentence)
			}
		}
	}
}

// Both are the same but for names, so that who has read one knows the other.
func TestImagesAreAlike(t *testing.T) {
	description := regexp.MustCompile(`(?m)^# SERVICE: .*|description="[^"]*"`)
	said := map[string]string{}
	for _, service := range charts {
		text := string(file(t, dockerfile(service)))
		for word, name := range map[string]string{service: "SERVICE", listenVariable[service]: "ADDR", listenPort[service]: "PORT"} {
			text = strings.ReplaceAll(text, word, name)
		}
		said[service] = description.ReplaceAllString(text, "")
	}
	if diff := cmp.Diff(said["ingest"], said["query"]); diff != "" {
		t.Errorf("the Dockerfiles differ (-ingest +query):\n%s", diff)
	}
}

func TestBrokenImagesAreFound(t *testing.T) {
	cases := map[string]struct{ from, to, want string }{
		"everything is copied":          {"COPY pkg pkg", "COPY . .", "COPY . .: names everything"},
		"a folder that is gone":         {"COPY pkg pkg", "COPY pkg pkg\nCOPY web web", "COPY web web: web is not there"},
		"a wildcard":                    {"COPY pkg pkg", "COPY pkg* ./", "COPY pkg* ./: names everything"},
		"something is added":            {"COPY pkg pkg", "ADD pkg pkg", "ADD pkg pkg: is no COPY"},
		"a module is not copied":        {"COPY migrations migrations\n", "", "migrations is not copied"},
		"a go.mod is not copied":        {"COPY pkg/go.mod pkg/go.sum pkg/\n", "", "pkg/go.mod is not copied before the download"},
		"the source before the others":  {"RUN go -C services/query mod download\n", "", "nothing is downloaded on its own"},
		"the workspace is in the way":   {" GOWORK=off", "", "GOWORK is not off"},
		"C is linked":                   {"CGO_ENABLED=0", "CGO_ENABLED=1", "CGO_ENABLED is not 0"},
		"paths of the builder":          {" -trimpath", "", "go build is without -trimpath"},
		"one processor":                 {" GOARCH=$TARGETARCH", "", "go build is without GOARCH=$TARGETARCH"},
		"what only a debugger reads":    {"-s -w ", "", "go build is without -s -w"},
		"no version":                    {" -X coworking/pkg/boot.Version=$VERSION", "", "go build is without -X coworking/pkg/boot.Version=$VERSION"},
		"an emulator":                   {"--platform=$BUILDPLATFORM ", "", "it is built on , not on $BUILDPLATFORM"},
		"the latest Go":                 {"golang:1.26-bookworm", "golang:latest", "golang:latest: is not golang:1.26-bookworm"},
		"a Go that has no tag":          {"golang:1.26-bookworm", "golang", "golang: is not golang:1.26-bookworm"},
		"a shell":                       {"gcr.io/distroless/static-debian12:nonroot", "debian:12", "debian:12: is not gcr.io/distroless/static-debian12:nonroot"},
		"one stage":                     {"FROM gcr.io/distroless/static-debian12:nonroot\n", "", "it has 1 stages"},
		"a user by name":                {"USER 65532:65532", "USER nonroot", `user "nonroot" is not 65532:65532`},
		"root":                          {"USER 65532:65532\n", "", `user "" is not 65532:65532`},
		"root, in the end":              {"USER 65532:65532\n", "USER 65532:65532\nUSER 0\n", `user "0" is not 65532:65532`},
		"a port that nobody listens to": {"EXPOSE 5153", "EXPOSE 8080", "EXPOSE is [8080], not [5153]"},
		"the loopback address":          {"ENV QUERY_ADDR=:5153\n", "", `QUERY_ADDR is "", not ":5153"`},
		"a shell that runs it":          {`ENTRYPOINT ["/usr/local/bin/query"]`, "ENTRYPOINT /usr/local/bin/query", "ENTRYPOINT is run by a shell"},
		"another verb":                  {`CMD ["run"]`, `CMD ["openapi"]`, "CMD is [openapi], not [run]"},
		"a label less":                  {`org.opencontainers.image.revision="$REVISION"`, `revision="$REVISION"`, "there is no label org.opencontainers.image.revision"},
		"another license":               {"Apache-2.0", "MIT", `the license is "MIT", the repository's is Apache-2.0`},
		"what the linter finds":         {"AS build", "as build", "FromAsCasing"},
		"what nobody set":               {"-o /out/query .", "-o /out/query .\nCOPY $NOTHING /", "UndefinedVar"},
	}
	sound, needed := string(file(t, dockerfile("query"))), needs(t, "query")
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(sound, c.from) {
				t.Fatalf("%q is not in the Dockerfile", c.from)
			}
			broken := read(t, "query", strings.Replace(sound, c.from, c.to, 1), needed)
			var said []string
			for _, wrong := range imageChecks {
				said = append(said, wrong(broken)...)
			}
			if !strings.Contains(strings.Join(said, "\n"), c.want) {
				t.Errorf("want %q, got %q", c.want, said)
			}
		})
	}
}

// What the builder gets is what is compiled, and little else.
func TestTheContextIsWhatIsCompiled(t *testing.T) {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(file(t, filepath.Join(root, ".dockerignore"))))
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	left := func(name string) bool {
		out, err := ignored.MatchesOrParentMatches(name)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, service := range charts {
		for _, module := range needs(t, service) {
			for _, name := range module.files {
				if left(name) {
					t.Errorf("%s needs %s, which .dockerignore leaves out", service, name)
				}
			}
		}
	}
	for _, name := range []string{
		".git/config", ".env", "bin/query", "go.work", "README.md", "compose.yaml", "deploy/compose/nats-server.conf", "cmd/coworking/main.go",
		"services/query/run_test.go", "services/query/internal/report/testdata/world.sql", "services/query/web/node_modules/x/index.js", "bench/main.go",
	} {
		if !left(name) {
			t.Errorf("the builder gets %s", name)
		}
	}
}

// An image is a binary on next to nothing: unpacked, it has 40 MB at most.
func TestImagesAreSmall(t *testing.T) {
	const most, base = 40_000_000, 3_000_000 // certificates, time zones, names of users
	flags := regexp.MustCompile(`-ldflags "([^"]*)"`)
	for _, service := range charts {
		binary := filepath.Join(t.TempDir(), service)
		command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags.FindStringSubmatch(string(file(t, dockerfile(service))))[1], "-o", binary, ".")
		command.Dir = filepath.Join(root, "services", service)
		command.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOOS=linux")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", service, err, out)
		}
		info, err := os.Stat(binary)
		if err != nil {
			t.Fatal(err)
		}
		if size := info.Size() + base; size > most {
			t.Errorf("the image of %s has %d bytes", service, size)
		}
	}
}

func dockerfile(service string) string { return filepath.Join(root, "Dockerfile."+service) }

// read parses a Dockerfile as BuildKit does. One without two stages has the same stage
// as both.
func read(t *testing.T, service, text string, needed []source) image {
	t.Helper()
	parsed, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	return image{service, text, stages[0], stages[len(stages)-1], needed}
}

// needs asks Go, without the workspace, which modules of this repository a service is
// compiled of.
func needs(t *testing.T, service string) []source {
	t.Helper()
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("go", "list", "-deps", "-json=Dir,Module,GoFiles,EmbedFiles", ".")
	command.Dir = filepath.Join(root, "services", service)
	command.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOOS=linux")
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []source
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var found struct {
			Dir                 string
			Module              *struct{ Dir string }
			GoFiles, EmbedFiles []string
		}
		if err := decoder.Decode(&found); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if found.Module == nil || !strings.HasPrefix(found.Module.Dir, here+string(filepath.Separator)) {
			continue
		}
		module, at := within(here, found.Module.Dir), within(here, found.Dir)
		index := slices.IndexFunc(all, func(s source) bool { return s.dir == module })
		if index < 0 {
			index = len(all)
			all = append(all, source{dir: module, files: []string{module + "/go.mod", module + "/go.sum"}})
		}
		for _, name := range slices.Concat(found.GoFiles, found.EmbedFiles) {
			all[index].files = append(all[index].files, path.Join(at, name))
		}
	}
}

func within(here, dir string) string {
	return filepath.ToSlash(strings.TrimPrefix(dir, here+string(filepath.Separator)))
}

// imageChecks say, in a sentence for each mistake, what is wrong with an image.
var imageChecks = map[string]func(image) []string{
	"BuildKit's linter":        lintImage,
	"two stages, pinned bases": checkStages,
	"only what is named":       checkCopies,
	"each module":              checkModules,
	"built as a release is":    checkBuild,
	"nobody, and one program":  checkProgram,
	"it says what it is":       checkLabels,
}

// lintImage is `docker build --check`, with every rule there is.
func lintImage(i image) []string {
	file := llb.NewSourceMap(nil, "Dockerfile."+i.service, "Dockerfile", []byte(i.text))
	file.Definition = &llb.Definition{} // where it came from does not matter
	found, err := dockerfile2llb.DockerfileLint(context.Background(), []byte(i.text), dockerfile2llb.ConvertOpt{
		Config:       dockerui.Config{LinterConfig: &linter.Config{ExperimentalAll: true}},
		MetaResolver: anyBase{},
		SourceMap:    file,
	})
	if err != nil {
		return []string{err.Error()}
	}
	var said []string
	if found.Error != nil {
		said = append(said, found.Error.Message)
	}
	for _, w := range found.Warnings {
		said = append(said, w.RuleName+": "+w.Detail)
	}
	return said
}

// anyBase answers for each base image, which nobody need fetch to read a Dockerfile.
type anyBase struct{}

func (anyBase) ResolveImageConfig(_ context.Context, name string, _ sourceresolver.Opt) (string, godigest.Digest, []byte, error) {
	return name, "", []byte(`{"architecture":"amd64","os":"linux"}`), nil
}

var _ llb.ImageMetaResolver = anyBase{}

const (
	builder    = "golang:1.26-bookworm"
	distroless = "gcr.io/distroless/static-debian12:nonroot"
)

func checkStages(i image) []string {
	var said []string
	if count := strings.Count(i.text, "\nFROM "); count != 2 {
		said = append(said, fmt.Sprintf("it has %d stages", count))
	}
	if i.build.Platform != "$BUILDPLATFORM" {
		said = append(said, fmt.Sprintf("it is built on %s, not on $BUILDPLATFORM", i.build.Platform))
	}
	for _, stage := range []struct{ name, want string }{{i.build.BaseName, builder}, {i.final.BaseName, distroless}} {
		if name, _, _ := strings.Cut(stage.name, "@"); name != stage.want {
			said = append(said, fmt.Sprintf("%s: is not %s", stage.name, stage.want))
		}
	}
	return said
}

func checkCopies(i image) []string {
	var said []string
	for _, stage := range []instructions.Stage{i.build, i.final} {
		for _, command := range stage.Commands {
			switch c := command.(type) {
			case *instructions.AddCommand:
				said = append(said, c.String()+": is no COPY")
			case *instructions.CopyCommand:
				if c.From != "" {
					continue
				}
				for _, name := range c.SourcePaths {
					if clean := path.Clean(name); clean == "." || clean == "/" || strings.ContainsAny(name, "*?[$") {
						said = append(said, c.String()+": names everything")
					} else if _, err := os.Stat(filepath.Join(root, clean)); errors.Is(err, fs.ErrNotExist) {
						said = append(said, fmt.Sprintf("%s: %s is not there", c, name))
					}
				}
			}
		}
	}
	return said
}

// checkModules holds that what go.mod's own directories need is there before the
// download, and the source only after it: a line of code is no reason to fetch anew.
func checkModules(i image) []string {
	var before, after []string
	downloaded := false
	for _, command := range i.build.Commands {
		switch c := command.(type) {
		case *instructions.CopyCommand:
			for _, name := range c.SourcePaths {
				target := path.Join(c.DestPath, path.Base(name))
				if !strings.HasSuffix(c.DestPath, "/") {
					target = c.DestPath
				}
				if target != name { // replace directives are relative: places must be the same
					continue
				}
				if downloaded {
					after = append(after, name)
				} else {
					before = append(before, name)
				}
			}
		case *instructions.RunCommand:
			downloaded = downloaded || slices.Equal(c.CmdLine, []string{"go -C services/" + i.service + " mod download"})
		}
	}
	if !downloaded {
		return []string{"nothing is downloaded on its own"}
	}
	var said, wantBefore, wantAfter []string
	for _, module := range i.needs {
		wantBefore = append(wantBefore, module.dir+"/go.mod", module.dir+"/go.sum")
		wantAfter = append(wantAfter, module.dir)
	}
	for _, name := range wantBefore {
		if !slices.Contains(before, name) {
			said = append(said, name+" is not copied before the download")
		}
	}
	for _, name := range wantAfter {
		if !slices.Contains(after, name) {
			said = append(said, name+" is not copied")
		}
	}
	for _, name := range slices.Concat(before, after) {
		if !slices.Contains(wantBefore, name) && !slices.Contains(wantAfter, name) {
			said = append(said, name+" is copied for nothing")
		}
	}
	return said
}

func checkBuild(i image) []string {
	var said []string
	set := variables(i.build)
	for name, want := range map[string]string{"GOWORK": "off", "CGO_ENABLED": "0"} {
		if set[name] != want {
			said = append(said, fmt.Sprintf("%s is not %s", name, want))
		}
	}
	var build string
	for _, command := range i.build.Commands {
		if c, ok := command.(*instructions.RunCommand); ok && strings.Contains(c.String(), "go build") {
			build = c.String()
		}
	}
	for _, want := range []string{
		"GOOS=$TARGETOS", "GOARCH=$TARGETARCH", "go build -C services/" + i.service + " ", "-trimpath", "-s -w", "-X coworking/pkg/boot.Version=$VERSION",
	} {
		if !strings.Contains(build, want) {
			said = append(said, "go build is without "+want)
		}
	}
	return said
}

func checkProgram(i image) []string {
	var said []string
	var user string
	var ports []string
	run := map[string]instructions.ShellDependantCmdLine{}
	for _, command := range i.final.Commands {
		switch c := command.(type) {
		case *instructions.UserCommand:
			user = c.User
		case *instructions.ExposeCommand:
			ports = append(ports, c.Ports...)
		case *instructions.EntrypointCommand:
			run["ENTRYPOINT"] = c.ShellDependantCmdLine
		case *instructions.CmdCommand:
			run["CMD"] = c.ShellDependantCmdLine
		case *instructions.RunCommand:
			said = append(said, c.String()+": there is nothing to run it")
		}
	}
	if user != "65532:65532" {
		said = append(said, fmt.Sprintf("user %q is not 65532:65532", user))
	}
	if want := []string{listenPort[i.service]}; !slices.Equal(ports, want) {
		said = append(said, fmt.Sprintf("EXPOSE is %v, not %v", ports, want))
	}
	variable, want := listenVariable[i.service], ":"+listenPort[i.service]
	if got := variables(i.final)[variable]; got != want {
		said = append(said, fmt.Sprintf("%s is %q, not %q", variable, got, want))
	}
	for name, want := range map[string]string{"ENTRYPOINT": "/usr/local/bin/" + i.service, "CMD": "run"} {
		switch got := run[name]; {
		case got.PrependShell:
			said = append(said, name+" is run by a shell")
		case !slices.Equal(got.CmdLine, []string{want}):
			said = append(said, fmt.Sprintf("%s is %v, not [%s]", name, got.CmdLine, want))
		}
	}
	return said
}

func checkLabels(i image) []string {
	var said []string
	labels := map[string]string{}
	for _, command := range i.final.Commands {
		if c, ok := command.(*instructions.LabelCommand); ok {
			for _, label := range c.Labels {
				labels[label.Key] = strings.Trim(label.Value, `"`)
			}
		}
	}
	const prefix = "org.opencontainers.image."
	for name, want := range map[string]string{
		"title": "coworking " + i.service, "description": "", "version": "$VERSION", "revision": "$REVISION", "created": "$CREATED",
		"source": "$SOURCE", "licenses": "",
	} {
		switch got, there := labels[prefix+name]; {
		case !there:
			said = append(said, "there is no label "+prefix+name)
		case got == "" || want != "" && got != want:
			said = append(said, fmt.Sprintf("label %s%s is %q, not %q", prefix, name, got, want))
		}
	}
	if got := labels[prefix+"licenses"]; got != "Apache-2.0" {
		said = append(said, fmt.Sprintf("the license is %q, the repository's is Apache-2.0", got))
	}
	return said
}

// variables is the environment of a stage.
func variables(stage instructions.Stage) map[string]string {
	set := map[string]string{}
	for _, command := range stage.Commands {
		if c, ok := command.(*instructions.EnvCommand); ok {
			for _, pair := range c.Env {
				set[pair.Key] = pair.Value
			}
		}
	}
	return set
}
