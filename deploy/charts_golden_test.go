package deploy

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// canonical is a rendering whatever its layout and its order.
func canonical(t *testing.T, objects []object) string {
	t.Helper()
	sorted := slices.Clone(objects)
	slices.SortStableFunc(sorted, func(a, b object) int { return strings.Compare(title(a), title(b)) })
	var all strings.Builder
	for _, o := range sorted {
		text, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString("---\n")
		all.Write(text)
	}
	return all.String()
}

// withoutFiles leaves out what is in files of its own, which have their own tests.
func withoutFiles(objects []object) []object {
	for _, o := range objects {
		switch o := o.(type) {
		case *core.ConfigMap:
			for name := range o.Data {
				if strings.HasSuffix(name, ".json") {
					o.Data[name] = "(the file)"
				}
			}
		case *PrometheusRule:
			o.Spec.Groups = nil
		}
	}
	return objects
}

func TestGoldenRenderings(t *testing.T) {
	for _, chart := range charts {
		for scene, name := range map[string]string{"no values": chart, "eks-on-demand": chart + "-eks-on-demand", "eks-spot": chart + "-eks-spot"} {
			got := canonical(t, withoutFiles(rendered(t, helms["Helm 4"], release{chart: chart, name: chart}, values(t, chart, scene))))
			golden := "testdata/charts/golden/" + name + ".yaml"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(file(t, golden)), got); diff != "" {
				t.Errorf("%s is another (go test ./deploy -update, and look at the difference) (-want +got):\n%s", golden, diff)
			}
		}
	}
}

// What is in files of its own comes through as it is.
func TestDashboardsAndAlertsComeThrough(t *testing.T) {
	for _, chart := range charts {
		objects := rendered(t, helms["Helm 4"], release{chart: chart, name: chart}, values(t, chart, "eks-on-demand"))
		for _, config := range of[*core.ConfigMap](objects) {
			if config.Name != chart+"-dashboards" {
				continue
			}
			want := map[string]string{chart + ".json": string(file(t, "helm/"+chart+"/dashboards/"+chart+".json"))}
			if diff := cmp.Diff(want, config.Data); diff != "" {
				t.Errorf("dashboards (-want +got):\n%s", diff)
			}
		}
		var want struct {
			Groups []ruleGroup `json:"groups"`
		}
		if err := yaml.UnmarshalStrict(file(t, "helm/"+chart+"/alerts.yaml"), &want); err != nil {
			t.Fatal(err)
		}
		rules := of[*PrometheusRule](objects)
		if len(rules) != 1 {
			t.Fatalf("%d rules", len(rules))
		}
		if diff := cmp.Diff(want.Groups, rules[0].Spec.Groups); diff != "" || len(want.Groups) == 0 {
			t.Errorf("alerts (-want +got):\n%s", diff)
		}
		for _, rule := range of[*PrometheusRule](rendered(t, helms["Helm 3"], release{chart: chart, name: chart}, values(t, chart, "everything")))[0].Spec.Groups[0].Rules {
			if want := "https://git.example.org/coworking/docs/runbooks/" + rule.Alert + ".md"; rule.Annotations["runbook_url"] != want {
				t.Errorf("%s names %s", rule.Alert, rule.Annotations["runbook_url"])
			}
		}
	}
}
