package aws

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// buildspec is what CodeBuild's reference has, as far as a build of one project goes.
// https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
type buildspec struct {
	Version string `yaml:"version"`
	RunAs   string `yaml:"run-as"`
	Env     struct {
		Shell             string            `yaml:"shell"`
		Variables         map[string]string `yaml:"variables"`
		ParameterStore    map[string]string `yaml:"parameter-store"`
		SecretsManager    map[string]string `yaml:"secrets-manager"`
		ExportedVariables []string          `yaml:"exported-variables"`
		GitCredential     string            `yaml:"git-credential-helper"`
	} `yaml:"env"`
	Phases struct {
		Install   phase `yaml:"install"`
		PreBuild  phase `yaml:"pre_build"`
		Build     phase `yaml:"build"`
		PostBuild phase `yaml:"post_build"`
	} `yaml:"phases"`
	Reports   map[string]any `yaml:"reports"`
	Artifacts map[string]any `yaml:"artifacts"`
	Cache     map[string]any `yaml:"cache"`
}

type phase struct {
	RunAs           string            `yaml:"run-as"`
	OnFailure       string            `yaml:"on-failure"`
	RuntimeVersions map[string]string `yaml:"runtime-versions"`
	Commands        []string          `yaml:"commands"`
	Finally         []string          `yaml:"finally"`
}

var (
	makeTarget = regexp.MustCompile(`(?m)^([a-z][a-z-]*):[^=]`)
	makeCall   = regexp.MustCompile(`^make ([a-z][a-z-]*)( [A-Z_]+=[a-z]+)*$`)
)

func targets(makefile string) []string {
	var names []string
	for _, match := range makeTarget.FindAllStringSubmatch(makefile, -1) {
		names = append(names, match[1])
	}
	return names
}

// unbuildable says what of a buildspec CodeBuild or make would not take, or what is
// more than a call of make.
func unbuildable(body, makefile string) []string {
	var spec buildspec
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(body)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&spec); err != nil {
		return []string{err.Error()}
	}
	var wrong []string
	if spec.Version != "0.2" {
		wrong = append(wrong, "version "+spec.Version)
	}
	if !slices.Contains([]string{"", "bash"}, spec.Env.Shell) {
		wrong = append(wrong, "the shell "+spec.Env.Shell)
	}
	known := targets(makefile)
	for name, p := range map[string]phase{"install": spec.Phases.Install, "pre_build": spec.Phases.PreBuild, "build": spec.Phases.Build, "post_build": spec.Phases.PostBuild} {
		if !slices.Contains([]string{"", "ABORT", "CONTINUE"}, p.OnFailure) {
			wrong = append(wrong, name+": on-failure "+p.OnFailure)
		}
		for _, command := range append(slices.Clone(p.Commands), p.Finally...) {
			switch match := makeCall.FindStringSubmatch(command); {
			case match == nil:
				wrong = append(wrong, fmt.Sprintf("%s: %q is no call of make", name, command))
			case !slices.Contains(known, match[1]):
				wrong = append(wrong, fmt.Sprintf("%s: make has no %s", name, match[1]))
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

func TestTheBuildspecCallsMakeAndNothingElse(t *testing.T) {
	complain(t, unbuildable(read(t, root+"/buildspec.yaml"), read(t, root+"/Makefile")))
}

func TestABrokenBuildspecIsFound(t *testing.T) {
	cases := map[string]struct {
		body string
		want []string
	}{
		"a target that is none": {"version: 0.2\nphases: {build: {commands: [make tset]}}", []string{"build: make has no tset"}},
		"logic":                 {"version: 0.2\nphases: {post_build: {commands: ['if true; then make test; fi', make test]}}", []string{`post_build: "if true; then make test; fi" is no call of make`}},
		"another version":       {"version: 0.1\nphases: {}", []string{"version 0.1"}},
		"a phase that is none":  {"version: 0.2\nphases: {deploy: {}}", []string{"yaml: unmarshal errors:\n  line 2: field deploy not found in type struct { Install aws.phase \"yaml:\\\"install\\\"\"; PreBuild aws.phase \"yaml:\\\"pre_build\\\"\"; Build aws.phase \"yaml:\\\"build\\\"\"; PostBuild aws.phase \"yaml:\\\"post_build\\\"\" }"}},
		"what to do on failure": {"version: 0.2\nphases: {build: {on-failure: PANIC}}", []string{"build: on-failure PANIC"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, unbuildable(c.body, "test: build ## All tests\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What is tested, scanned and deployed comes in that order, and nothing is left out.
func TestTheBuildspecKeepsTheOrder(t *testing.T) {
	var spec buildspec
	if err := yaml.Unmarshal([]byte(read(t, root+"/buildspec.yaml")), &spec); err != nil {
		t.Fatal(err)
	}
	p := spec.Phases
	got := strings.Join(slices.Concat(p.Install.Commands, p.PreBuild.Commands, p.Build.Commands, p.PostBuild.Commands), ", ")
	want := "make pipeline-tools, make test, make test-deploy, make log-in, make changed, make push, make sbom, make scan-gate, make deploy-ingest, make deploy-query"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A workflow is as much of GitHub's as ours have.
type workflow struct {
	Name        string            `yaml:"name"`
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency map[string]any    `yaml:"concurrency"`
	Jobs        map[string]struct {
		RunsOn         string `yaml:"runs-on"`
		TimeoutMinutes int    `yaml:"timeout-minutes"`
		Steps          []struct {
			Uses string         `yaml:"uses"`
			With map[string]any `yaml:"with"`
			Run  string         `yaml:"run"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

var pinned = regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40}$`)

// unworkable says what of a workflow is not known, not pinned, not bounded, or calls
// what is not there.
func unworkable(body, makefile string) []string {
	var w workflow
	decoder := yaml.NewDecoder(strings.NewReader(body))
	decoder.KnownFields(true)
	if err := decoder.Decode(&w); err != nil {
		return []string{err.Error()}
	}
	var wrong []string
	if diff := cmp.Diff(map[string]string{"contents": "read"}, w.Permissions); diff != "" {
		wrong = append(wrong, "may do more than read")
	}
	for name, job := range w.Jobs {
		if job.TimeoutMinutes == 0 || job.RunsOn == "" {
			wrong = append(wrong, name+": has no end or no machine")
		}
		for _, step := range job.Steps {
			match := makeCall.FindStringSubmatch(step.Run)
			switch {
			case step.Uses != "" && !pinned.MatchString(step.Uses):
				wrong = append(wrong, step.Uses+" may be another one tomorrow")
			case match != nil && !slices.Contains(targets(makefile), match[1]):
				wrong = append(wrong, "make has no "+match[1])
			case step.Uses == "" && match == nil && step.Run != ".ci/run" && !strings.HasPrefix(step.Run, "kind "):
				wrong = append(wrong, fmt.Sprintf("%q is neither make, kind nor .ci/run", step.Run))
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

func TestWorkflowsCallWhatIsThere(t *testing.T) {
	files, err := filepath.Glob(root + "/.github/workflows/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflows: %v", err)
	}
	for _, name := range files {
		complain(t, unworkable(read(t, name), read(t, root+"/Makefile")))
	}
	broken := "jobs: {a: {steps: [{uses: actions/checkout@v7}, {run: make tset}, {run: rm -r .}]}}"
	want := []string{`"rm -r ." is neither make, kind nor .ci/run`, "a: has no end or no machine", "actions/checkout@v7 may be another one tomorrow", "make has no tset", "may do more than read"}
	if diff := cmp.Diff(want, unworkable(broken, "test: build\n")); diff != "" {
		t.Errorf("of a broken one (-want +got):\n%s", diff)
	}
}
