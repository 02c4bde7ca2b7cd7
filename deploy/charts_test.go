// Package deploy holds the charts to what they promise: rendered by the two Helms that
// they are for, in memory, and read as the API server would, without one.
package deploy

import (
	"bufio"
	"flag"
	"io"
	"log"      //nolint:depguard // to silence it
	"log/slog" //nolint:depguard // the same
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	loader4 "helm.sh/helm/v4/pkg/chart/v2/loader"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestMain silences Helm, which says of each chart that it follows the link in charts/.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	m.Run()
}

// namespace is where the charts are installed, here.
const namespace = "coworking"

var charts = []string{"ingest", "query"}

// scenes are the files of values that the charts are rendered with, by a name; %s is
// the chart.
var scenes = map[string][]string{
	"no values":      {},
	"dev":            {"helm/%s/values-dev.yaml"},
	"eks-on-demand":  {"helm/%s/values-eks-on-demand.yaml"},
	"eks-spot":       {"helm/%s/values-eks-spot.yaml"},
	"as we deploy":   {"helm/%s/values-eks-on-demand.yaml", "aws/values.yaml"},
	"so, on spot":    {"helm/%s/values-eks-spot.yaml", "aws/values.yaml"},
	"everything":     {"testdata/charts/values/%s-everything.yaml"},
	"the other ones": {"testdata/charts/values/%s-others.yaml"},
}

// values reads the files of a scene; the later one wins.
func values(t *testing.T, chart, scene string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, name := range scenes[scene] {
		read := map[string]any{}
		if err := yaml.UnmarshalStrict(file(t, strings.ReplaceAll(name, "%s", chart)), &read); err != nil {
			t.Fatal(err)
		}
		all = loader4.MergeMaps(all, read)
	}
	return all
}

func file(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func newBufferedReader(text string) *bufio.Reader { return bufio.NewReader(strings.NewReader(text)) }

// rendered is the objects that one Helm makes of a chart.
func rendered(t *testing.T, by helm, r release, values map[string]any) []object {
	t.Helper()
	files, err := by.render(r, values)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := decode(files)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// everyRendering calls f for each chart, with each of the values, by each Helm.
func everyRendering(t *testing.T, f func(t *testing.T, by helm, chart, scene string)) {
	t.Helper()
	for _, chart := range charts {
		for scene := range scenes {
			for name, by := range helms {
				t.Run(chart+", "+scene+", "+name, func(t *testing.T) { f(t, by, chart, scene) })
			}
		}
	}
}

func TestChartsHold(t *testing.T) {
	everyRendering(t, func(t *testing.T, by helm, chart, scene string) {
		t.Helper()
		objects := rendered(t, by, release{chart: chart, name: chart}, values(t, chart, scene))
		for check, wrong := range checks {
			for _, sentence := range wrong(objects) {
				t.Errorf("%s: %s", check, sentence)
			}
		}
	})
}

func TestChartsHoldUnderAnyName(t *testing.T) {
	for _, chart := range charts {
		for _, name := range []string{"a", "prod-" + chart, "a-name-that-is-as-long-as-helm-lets-a-release-be-53-ch"[:53]} {
			objects := rendered(t, helms["Helm 4"], release{chart: chart, name: name}, values(t, chart, "everything"))
			for check, wrong := range checks {
				for _, sentence := range wrong(objects) {
					t.Errorf("%s, %s: %s", name, check, sentence)
				}
			}
		}
	}
}

func TestBothHelmsMakeTheSame(t *testing.T) {
	for _, chart := range charts {
		for scene := range scenes {
			r := release{chart: chart, name: chart}
			three := canonical(t, rendered(t, helms["Helm 3"], r, values(t, chart, scene)))
			four := canonical(t, rendered(t, helms["Helm 4"], r, values(t, chart, scene)))
			if diff := cmp.Diff(three, four); diff != "" {
				t.Errorf("%s, %s (-Helm 3 +Helm 4):\n%s", chart, scene, diff)
			}
		}
	}
}

func TestHelmFindsNothingToSay(t *testing.T) {
	everyRendering(t, func(t *testing.T, by helm, chart, scene string) {
		t.Helper()
		for _, said := range by.lint(filepath.Join("helm", chart), values(t, chart, scene)) {
			t.Error(said)
		}
	})
}

func TestKubernetesThatChartsTake(t *testing.T) {
	for name, by := range helms {
		for version, want := range map[string]bool{"v1.29.9": false, kubernetes: true, "v1.33.4-eks-aae3d75": true, "v1.36.3": true} {
			for _, chart := range append([]string{"common"}, charts...) {
				got, err := by.takes(filepath.Join("helm", chart), version)
				if err != nil || got != want {
					t.Errorf("%s: %s takes %s: %t, %v", name, chart, version, got, err)
				}
			}
		}
	}
}

// Nothing is required: without a value there is each object that needs no CRD, and no
// other.
func TestChartsWithoutValues(t *testing.T) {
	alike := []string{
		"ConfigMap %s", "ConfigMap %s-dashboards", "Deployment %s", "HorizontalPodAutoscaler %s", "Ingress %s",
		"NetworkPolicy %s", "NetworkPolicy %s-jobs", "PodDisruptionBudget %s", "Service %s", "ServiceAccount %s",
	}
	own := map[string][]string{
		"ingest": {
			"CronJob %s-verify", "Job %s-migrate", "Job %s-setup", "NetworkPolicy %s-hooks", "Pod %s-test-health", "Pod %s-test-schema",
			"ServiceAccount %s-hooks",
		},
		"query": {"Pod %s-test-database", "Pod %s-test-health"},
	}
	for _, chart := range charts {
		var want []string
		for _, title := range append(slices.Clone(alike), own[chart]...) {
			want = append(want, strings.ReplaceAll(title, "%s", chart))
		}
		var got []string
		for _, o := range rendered(t, helms["Helm 4"], release{chart: chart, name: chart}, nil) {
			got = append(got, title(o))
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", chart, diff)
		}
	}
}

func TestChartsWithoutDashboardsAndAlerts(t *testing.T) {
	for _, chart := range charts {
		for name, by := range helms {
			objects := rendered(t, by, release{chart, chart, []string{"dashboards/", "alerts.yaml"}}, values(t, chart, "everything"))
			if len(objects) == 0 {
				t.Errorf("%s, %s: nothing", chart, name)
			}
		}
	}
}

func TestNotesAreText(t *testing.T) {
	everyRendering(t, func(t *testing.T, by helm, chart, scene string) {
		t.Helper()
		files, err := by.render(release{chart: chart, name: chart}, values(t, chart, scene))
		if err != nil {
			t.Fatal(err)
		}
		notes := files[chart+"/templates/NOTES.txt"]
		if !strings.Contains(notes, "helm -n "+namespace+" test "+chart) || strings.Contains(notes, "<no value>") {
			t.Errorf("notes:\n%s", notes)
		}
	})
}

func TestValuesAreAllRendered(t *testing.T) {
	for _, chart := range charts {
		there, err := filepath.Glob("helm/" + chart + "/values-*.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range there {
			if !slices.ContainsFunc(slices.Collect(maps.Values(scenes)), func(files []string) bool {
				return slices.Contains(files, strings.Replace(filepath.ToSlash(name), "/"+chart+"/", "/%s/", 1))
			}) {
				t.Errorf("no test renders %s", name)
			}
		}
	}
}
