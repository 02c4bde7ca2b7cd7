package deploy

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	chart3 "helm.sh/helm/v3/pkg/chart"
	loader3 "helm.sh/helm/v3/pkg/chart/loader"
	chartutil3 "helm.sh/helm/v3/pkg/chartutil"
	engine3 "helm.sh/helm/v3/pkg/engine"
	lint3 "helm.sh/helm/v3/pkg/lint"
	support3 "helm.sh/helm/v3/pkg/lint/support"
	common4 "helm.sh/helm/v4/pkg/chart/common"
	util4 "helm.sh/helm/v4/pkg/chart/common/util"
	lint4 "helm.sh/helm/v4/pkg/chart/v2/lint"
	support4 "helm.sh/helm/v4/pkg/chart/v2/lint/support"
	loader4 "helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil4 "helm.sh/helm/v4/pkg/chart/v2/util"
	engine4 "helm.sh/helm/v4/pkg/engine"
)

// kubernetes is the version that charts are rendered for: the oldest that they take.
const kubernetes = "v1.30.0"

// release is what somebody calls an installation.
type release struct {
	chart string // the folder below helm/
	name  string
	// without are prefixes of files that the chart is rendered without.
	without []string
}

// helm is one of the versions that the charts are for.
type helm struct {
	// render is the text of each file in templates/.
	render func(r release, values map[string]any) (map[string]string, error)
	// lint is what is worse than information.
	lint func(folder string, values map[string]any) []string
	// takes says whether the chart takes a version of Kubernetes.
	takes func(folder, version string) (bool, error)
}

var helms = map[string]helm{
	"Helm 3": {render: render3, lint: lintBy3, takes: takes3},
	"Helm 4": {render: render4, lint: lintBy4, takes: takes4},
}

func render3(r release, values map[string]any) (map[string]string, error) {
	chart, err := loader3.Load(filepath.Join("helm", r.chart))
	if err != nil {
		return nil, err
	}
	chart.Files = slices.DeleteFunc(chart.Files, func(f *chart3.File) bool { return anyPrefix(f.Name, r.without) })
	if err := chartutil3.ProcessDependencies(chart, values); err != nil {
		return nil, err
	}
	version, err := chartutil3.ParseKubeVersion(kubernetes)
	if err != nil {
		return nil, err
	}
	all, err := chartutil3.ToRenderValues(chart, values,
		chartutil3.ReleaseOptions{Name: r.name, Namespace: namespace, Revision: 1, IsInstall: true},
		&chartutil3.Capabilities{KubeVersion: *version, APIVersions: chartutil3.DefaultVersionSet})
	if err != nil {
		return nil, err
	}
	return engine3.Render(chart, all)
}

func render4(r release, values map[string]any) (map[string]string, error) {
	chart, err := loader4.Load(filepath.Join("helm", r.chart))
	if err != nil {
		return nil, err
	}
	chart.Files = slices.DeleteFunc(chart.Files, func(f *common4.File) bool { return anyPrefix(f.Name, r.without) })
	if err := chartutil4.ProcessDependencies(chart, values); err != nil {
		return nil, err
	}
	version, err := common4.ParseKubeVersion(kubernetes)
	if err != nil {
		return nil, err
	}
	all, err := util4.ToRenderValues(chart, values,
		common4.ReleaseOptions{Name: r.name, Namespace: namespace, Revision: 1, IsInstall: true},
		&common4.Capabilities{KubeVersion: *version, APIVersions: common4.DefaultVersionSet})
	if err != nil {
		return nil, err
	}
	return engine4.Render(chart, all)
}

func anyPrefix(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

func lintBy3(folder string, values map[string]any) []string {
	version, err := chartutil3.ParseKubeVersion(kubernetes)
	if err != nil {
		return []string{err.Error()}
	}
	var said []string
	for _, m := range lint3.AllWithKubeVersion(folder, values, namespace, version).Messages {
		if m.Severity > support3.InfoSev {
			said = append(said, fmt.Sprint(m))
		}
	}
	return said
}

func lintBy4(folder string, values map[string]any) []string {
	version, err := common4.ParseKubeVersion(kubernetes)
	if err != nil {
		return []string{err.Error()}
	}
	var said []string
	for _, m := range lint4.RunAll(folder, values, namespace, lint4.WithKubeVersion(version)).Messages {
		if m.Severity > support4.InfoSev {
			said = append(said, fmt.Sprint(m))
		}
	}
	return said
}

func takes3(folder, version string) (bool, error) {
	chart, err := loader3.Load(folder)
	if err != nil {
		return false, err
	}
	return chartutil3.IsCompatibleRange(chart.Metadata.KubeVersion, version), nil
}

func takes4(folder, version string) (bool, error) {
	chart, err := loader4.Load(folder)
	if err != nil {
		return false, err
	}
	return chartutil4.IsCompatibleRange(chart.Metadata.KubeVersion, version), nil
}
