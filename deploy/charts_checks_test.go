package deploy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// checks are what holds of every rendering, each as a function to the sentences that
// say where it does not.
var checks = map[string]func([]object) []string{
	"names and labels can be names and labels":                           badNames,
	"pods are as restricted as a namespace can ask for":                  unrestricted,
	"containers say what they need and what they may take":               boundless,
	"Go collects before the kernel kills":                                memoryLimits,
	"images are pinned":                                                  unpinned,
	"a pod that ends has the time that it needs":                         hasty,
	"nothing goes before something else is there":                        interrupting,
	"selectors pick the pods that serve, and no others":                  wrongSelections,
	"ports are those of a container":                                     wrongPorts,
	"policies let through what pods are told to reach":                   blocked,
	"helm test asks through the Service":                                 unasked,
	"a balancer with a name speaks TLS":                                  overheard,
	"scaling and disruption leave somebody there":                        wrongNumbers,
	"hooks are cleaned up, in order, and need nothing that is not there": wrongHooks,
	"what is referred to is there":                                       dangling,
	"the stream is set up for those who read it":                         disagreements,
}

// external are Secrets and ConfigMaps that the test values name, and somebody else
// makes.
var external = []string{"broker", "postgres-app", "postgres-ca", "rds-ca", "somebody"}

func badNames(objects []object) []string {
	var wrong []string
	seen := map[string]bool{}
	for _, o := range objects {
		if seen[title(o)] {
			wrong = append(wrong, title(o)+" is there twice")
		}
		seen[title(o)] = true
		longest := validation.DNS1123LabelMaxLength
		if kind(o) == "CronJob" {
			longest = 52 // its jobs get a suffix
		}
		if said := validation.IsDNS1123Label(o.GetName()); len(said) > 0 || len(o.GetName()) > longest {
			wrong = append(wrong, title(o)+" has no proper name")
		}
		if o.GetNamespace() != namespace {
			wrong = append(wrong, title(o)+" is in no namespace")
		}
		wrong = append(wrong, badLabels(title(o), o.GetLabels())...)
	}
	for _, p := range pods(objects) {
		wrong = append(wrong, badLabels("the pod of "+title(p.owner), p.meta.Labels)...)
	}
	return wrong
}

func badLabels(who string, labels map[string]string) []string {
	var wrong []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if len(validation.IsQualifiedName(key)) > 0 || len(validation.IsValidLabelValue(labels[key])) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s: %s=%s is no label", who, key, labels[key]))
		}
	}
	for _, key := range []string{"name", "instance", "version", "part-of", "managed-by"} {
		if labels["app.kubernetes.io/"+key] == "" {
			wrong = append(wrong, who+" does not say "+key)
		}
	}
	return wrong
}

// unrestricted asks Kubernetes' own judge of pods, and what it does not ask about.
func unrestricted(objects []object) []string {
	judge, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return []string{err.Error()}
	}
	var wrong []string
	for _, p := range pods(objects) {
		level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
		result := policy.AggregateCheckResults(judge.EvaluatePod(level, p.meta, p.spec))
		if !result.Allowed {
			wrong = append(wrong, title(p.owner)+": "+result.ForbiddenDetail())
		}
		if p.spec.AutomountServiceAccountToken == nil || *p.spec.AutomountServiceAccountToken {
			wrong = append(wrong, title(p.owner)+" has a token of the cluster's")
		}
		if s := p.spec.SecurityContext; s == nil || s.RunAsUser == nil || *s.RunAsUser != 65532 {
			wrong = append(wrong, title(p.owner)+" is not the image's user 65532")
		}
		for _, c := range p.spec.Containers {
			if s := c.SecurityContext; s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
				wrong = append(wrong, title(p.owner)+" can write to its image")
			}
		}
	}
	return wrong
}

func boundless(objects []object) []string {
	var wrong []string
	for _, p := range pods(objects) {
		r := p.container().Resources
		for _, name := range []core.ResourceName{core.ResourceCPU, core.ResourceMemory} {
			least, asked := r.Requests[name]
			most, bounded := r.Limits[name]
			switch {
			case !asked || !bounded:
				wrong = append(wrong, fmt.Sprintf("%s: no request or no limit of %s", title(p.owner), name))
			case least.Cmp(most) > 0:
				wrong = append(wrong, fmt.Sprintf("%s: asks for more %s than it may take", title(p.owner), name))
			}
		}
		if p.component() == "run" && r.Limits.Memory().Cmp(resource.MustParse("104Mi")) <= 0 {
			wrong = append(wrong, title(p.owner)+": the service was measured at 104Mi, while it drains")
		}
	}
	return wrong
}

// memoryLimits asks that GOMEMLIMIT is below the limit, and not so far below that the
// rest is never used.
func memoryLimits(objects []object) []string {
	var wrong []string
	for _, p := range pods(objects) {
		said := p.environment(objects)["GOMEMLIMIT"]
		soft, err := resource.ParseQuantity(strings.TrimSuffix(said, "B"))
		limit := p.container().Resources.Limits.Memory().Value()
		if err != nil || soft.Value() >= limit || soft.Value() < limit/2 {
			wrong = append(wrong, fmt.Sprintf("%s: GOMEMLIMIT=%s, where %d bytes are the limit", title(p.owner), said, limit))
		}
	}
	return wrong
}

var digest = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)

func unpinned(objects []object) []string {
	var wrong []string
	for _, p := range pods(objects) {
		if image := p.container().Image; !digest.MatchString(image) && !tagged(image) {
			wrong = append(wrong, title(p.owner)+": "+image)
		}
	}
	return wrong
}

// tagged says whether an image has a tag that means the same tomorrow.
func tagged(image string) bool {
	_, tag, found := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	return found && tag != "" && tag != "latest" && !strings.Contains(image, "@")
}

// drain is how long a service needs once it is told to stop, as its code has it: the
// requests that run have 15 seconds after a second of notice, the last traces 5; ingest
// finishes the request for messages that runs (3 seconds) and up to two batches.
func drain(environment map[string]string) time.Duration {
	const door, traces = 16 * time.Second, 5 * time.Second
	write, err := time.ParseDuration(environment["WRITE_TIMEOUT"])
	if err != nil {
		return door + traces
	}
	return max(door, 3*time.Second+2*write) + traces
}

// notice is how long a spot node stays once it is told to go.
const notice = 120 * time.Second

func hasty(objects []object) []string {
	var wrong []string
	for _, d := range of[*apps.Deployment](objects) {
		p := pods([]object{d})[0]
		if p.spec.TerminationGracePeriodSeconds == nil || p.container().Lifecycle == nil || p.container().Lifecycle.PreStop == nil || p.container().Lifecycle.PreStop.Sleep == nil {
			wrong = append(wrong, title(d)+": no preStop that sleeps, or no grace period")
			continue
		}
		grace := time.Duration(*p.spec.TerminationGracePeriodSeconds) * time.Second
		needs := time.Duration(p.container().Lifecycle.PreStop.Sleep.Seconds)*time.Second + drain(p.environment(objects))
		if grace < needs+5*time.Second || grace > notice {
			wrong = append(wrong, fmt.Sprintf("%s: %v of grace, where it needs %v, and has %v", title(d), grace, needs, notice))
		}
	}
	return wrong
}

func interrupting(objects []object) []string {
	var wrong []string
	for _, d := range of[*apps.Deployment](objects) {
		rolling := d.Spec.Strategy.RollingUpdate
		if rolling == nil || rolling.MaxUnavailable == nil || rolling.MaxUnavailable.IntValue() != 0 || rolling.MaxUnavailable.StrVal != "" || rolling.MaxSurge == nil || rolling.MaxSurge.IntValue() < 1 {
			wrong = append(wrong, title(d)+" takes pods away before others are there")
		}
		if p := pods([]object{d})[0].container(); p.ReadinessProbe == nil || p.LivenessProbe == nil || p.StartupProbe == nil {
			wrong = append(wrong, title(d)+" is not asked how it is")
		}
	}
	return wrong
}

// wrongHooks: what Helm makes before or after a release has to go again, comes in its
// order, and can only lean on hooks that come before it.
func wrongHooks(objects []object) []string {
	known := []string{"pre-install", "post-install", "pre-upgrade", "post-upgrade", "pre-rollback", "post-rollback", "pre-delete", "post-delete", "test"}
	var wrong []string
	for _, o := range objects {
		for _, event := range hook(o) {
			if !slices.Contains(known, event) {
				wrong = append(wrong, title(o)+": there is no hook "+event)
			}
		}
		policies := strings.Split(o.GetAnnotations()["helm.sh/hook-delete-policy"], ",")
		if hook(o) != nil && (!slices.Contains(policies, "before-hook-creation") || !slices.Contains(policies, "hook-succeeded")) {
			wrong = append(wrong, title(o)+" stays, or is in its own way")
		}
	}
	for _, p := range pods(objects) {
		if slices.Contains(hook(p.owner), "test") {
			continue // it comes when everything is there
		}
		for _, needed := range references(p) {
			for _, o := range objects {
				if kind(o) == needed.kind && o.GetName() == needed.name && !before(o, p.owner) {
					wrong = append(wrong, fmt.Sprintf("%s needs %s, which is not there yet", title(p.owner), title(o)))
				}
			}
		}
	}
	if migrate, setup := named(objects, "migrate"), named(objects, "setup"); migrate != nil && setup != nil && weight(migrate) >= weight(setup) {
		wrong = append(wrong, "the stream is made before the schema")
	}
	return wrong
}

// named is the Job of a component.
func named(objects []object, component string) object {
	for _, p := range pods(objects) {
		if _, job := p.owner.(*batch.Job); job && p.component() == component {
			return p.owner
		}
	}
	return nil
}

// before says whether o is there when what needs it is made.
func before(o, needs object) bool {
	if hook(needs) == nil {
		return hook(o) == nil
	}
	for _, event := range hook(needs) {
		if !slices.Contains(hook(o), event) {
			return false
		}
	}
	return weight(o) < weight(needs)
}

func weight(o object) int {
	n, err := strconv.Atoi(o.GetAnnotations()["helm.sh/hook-weight"])
	if err != nil {
		return 0
	}
	return n
}

// reference is an object that a pod cannot start without.
type reference struct{ kind, name string }

func references(p pod) []reference {
	found := []reference{{"ServiceAccount", p.spec.ServiceAccountName}}
	for _, volume := range p.spec.Volumes {
		if volume.ConfigMap != nil {
			found = append(found, reference{"ConfigMap", volume.ConfigMap.Name})
		}
		if volume.Secret != nil {
			found = append(found, reference{"ExternalSecret", volume.Secret.SecretName})
		}
	}
	for _, from := range p.container().EnvFrom {
		if from.ConfigMapRef != nil {
			found = append(found, reference{"ConfigMap", from.ConfigMapRef.Name})
		}
	}
	for _, variable := range p.container().Env {
		if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
			found = append(found, reference{"ExternalSecret", variable.ValueFrom.SecretKeyRef.Name})
		}
	}
	return found
}

// dangling is what pods refer to and neither the chart nor anybody else makes. Secrets
// are made by External Secrets where the chart has it do so, else by hand.
func dangling(objects []object) []string {
	fromOutside := len(of[*ExternalSecret](objects)) == 0
	var wrong []string
	for _, p := range pods(objects) {
		for _, needed := range references(p) {
			there := slices.ContainsFunc(objects, func(o object) bool { return kind(o) == needed.kind && o.GetName() == needed.name })
			byHand := slices.Contains(external, needed.name) || needed.kind == "ExternalSecret" && fromOutside ||
				needed == reference{"ServiceAccount", "default"}
			if !there && !byHand {
				wrong = append(wrong, fmt.Sprintf("%s refers to %s %s", title(p.owner), needed.kind, needed.name))
			}
		}
		mounted := map[string]bool{}
		for _, mount := range p.container().VolumeMounts {
			mounted[mount.Name] = true
		}
		for _, volume := range p.spec.Volumes {
			if !mounted[volume.Name] {
				wrong = append(wrong, title(p.owner)+": nobody mounts "+volume.Name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(p.environment(objects))) {
			if value := p.environment(objects)[name]; strings.HasPrefix(value, "/") && !readable(p, value) {
				wrong = append(wrong, fmt.Sprintf("%s: %s names %s, which is mounted nowhere", title(p.owner), name, value))
			}
		}
	}
	return wrong
}

// readable says whether a file lies in a volume of the pod, and among what that takes
// out of its Secret.
func readable(p pod, file string) bool {
	for _, mount := range p.container().VolumeMounts {
		rest, below := strings.CutPrefix(file, mount.MountPath+"/")
		if !below {
			continue
		}
		for _, volume := range p.spec.Volumes {
			if volume.Name != mount.Name {
				continue
			}
			if volume.Secret == nil || len(volume.Secret.Items) == 0 {
				return true
			}
			return slices.ContainsFunc(volume.Secret.Items, func(i core.KeyToPath) bool { return i.Path == rest })
		}
	}
	return false
}

// disagreements: ingest refuses a stream of another number of partitions, or one that
// waits shorter or hands out less than it wants.
func disagreements(objects []object) []string {
	found := map[string]map[string]string{}
	for _, p := range pods(objects) {
		found[p.component()] = p.environment(objects)
	}
	run, setup := found["run"], found["setup"]
	if setup == nil {
		return nil
	}
	var wrong []string
	for _, other := range []string{"setup", "verify"} {
		if found[other] != nil && found[other]["PARTITIONS"] != run["PARTITIONS"] {
			wrong = append(wrong, other+" has another number of partitions")
		}
	}
	for _, name := range []string{"REPLICAS", "MAX_BYTES", "ACK_WAIT", "MAX_ACK_PENDING"} {
		if run[name] != setup[name] { // by hand, in a pod, setup would make another stream
			wrong = append(wrong, fmt.Sprintf("setup has %s=%s, pods that serve have %s", name, setup[name], run[name]))
		}
	}
	wait, _ := time.ParseDuration(setup["ACK_WAIT"])
	write, _ := time.ParseDuration(run["WRITE_TIMEOUT"])
	if write == 0 || wait < 4*write {
		wrong = append(wrong, fmt.Sprintf("the stream waits %v for transactions of %v", wait, write))
	}
	pending, _ := strconv.Atoi(setup["MAX_ACK_PENDING"])
	batch, _ := strconv.Atoi(run["BATCH_SIZE"])
	if batch == 0 || pending < 4*batch {
		wrong = append(wrong, fmt.Sprintf("the stream hands out %d for batches of %d", pending, batch))
	}
	return wrong
}

// selects says whether a selector picks these labels.
func selects(selector *meta.LabelSelector, labels map[string]string) bool {
	parsed, err := meta.LabelSelectorAsSelector(selector)
	return err == nil && !parsed.Empty() && parsed.Matches(set(labels))
}
