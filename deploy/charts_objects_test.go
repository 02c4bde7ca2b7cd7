package deploy

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

// object is one document of a rendering.
type object interface {
	runtime.Object
	meta.Object
}

// kind is what an object says that it is.
func kind(o object) string { return o.GetObjectKind().GroupVersionKind().Kind }

// title is how a sentence calls an object.
func title(o object) string { return kind(o) + " " + o.GetName() }

// strict decodes into the API's own types, and refuses fields that they do not have,
// and fields that are said twice.
var strict = func() runtime.Decoder {
	types := runtime.NewScheme()
	if err := scheme.AddToScheme(types); err != nil {
		panic(err)
	}
	for version, custom := range customTypes {
		types.AddKnownTypes(version, custom...)
	}
	return serializer.NewCodecFactory(types, serializer.EnableStrict).UniversalDeserializer()
}()

// decode is the objects of a rendering, in the order of their files.
func decode(files map[string]string) ([]object, error) {
	var objects []object
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Base(name) == "NOTES.txt" {
			continue
		}
		reader := yaml.NewYAMLReader(newBufferedReader(files[name]))
		for {
			document, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if empty(document) {
				continue
			}
			decoded, _, err := strict.Decode(document, nil, nil)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			o, ok := decoded.(object)
			if !ok {
				return nil, fmt.Errorf("%s: %T has no metadata", name, decoded)
			}
			objects = append(objects, o)
		}
	}
	return objects, nil
}

// empty is a document without a line that says something.
func empty(document []byte) bool {
	for line := range strings.Lines(string(document)) {
		if line = strings.TrimSpace(line); line != "" && line != "---" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

// of is the objects of one type.
func of[T object](objects []object) []T {
	var found []T
	for _, o := range objects {
		if typed, ok := o.(T); ok {
			found = append(found, typed)
		}
	}
	return found
}

// pod is a pod that an object is, or makes.
type pod struct {
	owner object
	meta  *meta.ObjectMeta
	spec  *core.PodSpec
}

// component is which of the chart's pods it is: run, migrate and so on.
func (p pod) component() string { return p.meta.Labels["app.kubernetes.io/component"] }

// container is the one that a pod of these charts has.
func (p pod) container() *core.Container { return &p.spec.Containers[0] }

// environment is the container's variables, also those out of a ConfigMap of the
// rendering; a value that comes from elsewhere is empty.
func (p pod) environment(objects []object) map[string]string {
	values := map[string]string{}
	for _, from := range p.container().EnvFrom {
		for _, config := range of[*core.ConfigMap](objects) {
			if from.ConfigMapRef != nil && from.ConfigMapRef.Name == config.Name {
				maps.Copy(values, config.Data)
			}
		}
	}
	for _, variable := range p.container().Env {
		values[variable.Name] = variable.Value
	}
	return values
}

// pods is all pods that there will be.
func pods(objects []object) []pod {
	var found []pod
	for _, o := range objects {
		switch o := o.(type) {
		case *core.Pod:
			found = append(found, pod{o, &o.ObjectMeta, &o.Spec})
		case *apps.Deployment:
			found = append(found, pod{o, &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec})
		case *batch.Job:
			found = append(found, pod{o, &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec})
		case *batch.CronJob:
			template := &o.Spec.JobTemplate.Spec.Template
			found = append(found, pod{o, &template.ObjectMeta, &template.Spec})
		}
	}
	return found
}

// hook is when Helm makes an object that is not of the release itself; nil if it is.
func hook(o object) []string {
	events := o.GetAnnotations()["helm.sh/hook"]
	if events == "" {
		return nil
	}
	return strings.Split(events, ",")
}

// The custom resources that the charts make, as far as they make them: what is not
// here is refused. Taken from the operators' published CRDs.

var customTypes = map[schema.GroupVersion][]runtime.Object{
	{Group: "monitoring.coreos.com", Version: "v1"}: {&ServiceMonitor{}, &PrometheusRule{}},
	{Group: "external-secrets.io", Version: "v1"}:   {&ExternalSecret{}},
	{Group: "keda.sh", Version: "v1alpha1"}:         {&ScaledObject{}},
}
