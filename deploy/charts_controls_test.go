package deploy

import (
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	budget "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// sabotage is what somebody might do to a rendering of ingest, and what the check says.
type sabotage struct {
	do   func(objects []object)
	want string
}

func deployment(objects []object) *apps.Deployment { return of[*apps.Deployment](objects)[0] }

func serving(objects []object) *core.Container {
	return &deployment(objects).Spec.Template.Spec.Containers[0]
}

// set changes a variable of a container.
func setVariable(c *core.Container, name, value string) {
	for i := range c.Env {
		if c.Env[i].Name == name {
			c.Env[i].Value = value
		}
	}
}

func job(objects []object, component string) *batch.Job {
	for _, j := range of[*batch.Job](objects) {
		if strings.HasSuffix(j.Name, component) {
			return j
		}
	}
	return nil
}

// sabotages are, for each check, ways to break what it looks after.
var sabotages = map[string]map[string]sabotage{
	"names and labels can be names and labels": {
		"a capital letter": {func(o []object) { deployment(o).Name = "Ingest" }, "Deployment Ingest has no proper name"},
		"a label too long": {func(o []object) { deployment(o).Labels["a"] = strings.Repeat("a", 64) }, "is no label"},
		"the same twice": {func(o []object) {
			o[1].SetName(o[2].GetName())
			o[1].GetObjectKind().SetGroupVersionKind(o[2].GetObjectKind().GroupVersionKind())
		}, "is there twice"},
	},
	"pods are as restricted as a namespace can ask for": {
		"more privileges": {func(o []object) { yes := true; serving(o).SecurityContext.AllowPrivilegeEscalation = &yes }, "allowPrivilegeEscalation"},
		"a capability":    {func(o []object) { serving(o).SecurityContext.Capabilities.Add = []core.Capability{"NET_ADMIN"} }, "capabilities"},
		"no seccomp":      {func(o []object) { job(o, "setup").Spec.Template.Spec.SecurityContext.SeccompProfile = nil }, "seccompProfile"},
		"root": {func(o []object) {
			no := false
			deployment(o).Spec.Template.Spec.SecurityContext.RunAsNonRoot = &no
			serving(o).SecurityContext.RunAsNonRoot = nil
		}, "runAsNonRoot"},
		"a file of the node": {func(o []object) {
			spec := &job(o, "migrate").Spec.Template.Spec
			spec.Volumes = append(spec.Volumes, core.Volume{Name: "node", VolumeSource: core.VolumeSource{HostPath: &core.HostPathVolumeSource{Path: "/"}}})
		}, "hostPath"},
		"a token":         {func(o []object) { deployment(o).Spec.Template.Spec.AutomountServiceAccountToken = nil }, "has a token"},
		"a writable root": {func(o []object) { serving(o).SecurityContext.ReadOnlyRootFilesystem = nil }, "can write"},
		"another user":    {func(o []object) { deployment(o).Spec.Template.Spec.SecurityContext.RunAsUser = nil }, "65532"},
	},
	"containers say what they need and what they may take": {
		"no limit":    {func(o []object) { delete(serving(o).Resources.Limits, core.ResourceCPU) }, "no limit of cpu"},
		"upside down": {func(o []object) { serving(o).Resources.Requests[core.ResourceMemory] = resource.MustParse("1Gi") }, "more memory than it may take"},
		"too small":   {func(o []object) { serving(o).Resources.Limits[core.ResourceMemory] = resource.MustParse("64Mi") }, "measured"},
		"none of jobs": {func(o []object) {
			job(o, "setup").Spec.Template.Spec.Containers[0].Resources = core.ResourceRequirements{}
		}, "no request"},
	},
	"Go collects before the kernel kills": {
		"the limit itself": {func(o []object) { setVariable(serving(o), "GOMEMLIMIT", "256MiB") }, "GOMEMLIMIT=256MiB"},
		"none":             {func(o []object) { serving(o).Env = nil }, "GOMEMLIMIT="},
		"next to nothing":  {func(o []object) { setVariable(serving(o), "GOMEMLIMIT", "1MiB") }, "GOMEMLIMIT=1MiB"},
	},
	"images are pinned": {
		"latest":        {func(o []object) { serving(o).Image = "coworking/ingest:latest" }, "latest"},
		"nothing":       {func(o []object) { serving(o).Image = "registry:5000/coworking/ingest" }, "registry:5000"},
		"half a digest": {func(o []object) { serving(o).Image = "coworking/ingest@sha256:0123" }, "0123"},
		"latest of a cron job": {func(o []object) {
			of[*batch.CronJob](o)[0].Spec.JobTemplate.Spec.Template.Spec.Containers[0].Image = "x:latest"
		}, "x:latest"},
	},
	"a pod that ends has the time that it needs": {
		"the default grace": {func(o []object) {
			short := int64(30)
			deployment(o).Spec.Template.Spec.TerminationGracePeriodSeconds = &short
		}, "30s of grace"},
		"longer than spot": {func(o []object) {
			long := int64(300)
			deployment(o).Spec.Template.Spec.TerminationGracePeriodSeconds = &long
		}, "5m0s of grace"},
		"no sleep":              {func(o []object) { serving(o).Lifecycle = nil }, "no preStop"},
		"longer transactions":   {func(o []object) { of[*core.ConfigMap](o)[0].Data["WRITE_TIMEOUT"] = "60s" }, "where it needs"},
		"a sleep past the rest": {func(o []object) { serving(o).Lifecycle.PreStop.Sleep.Seconds = 50 }, "where it needs"},
	},
	"nothing goes before something else is there": {
		"the default strategy": {func(o []object) { deployment(o).Spec.Strategy = apps.DeploymentStrategy{} }, "takes pods away"},
		"all at once": {func(o []object) {
			deployment(o).Spec.Strategy.Type = apps.RecreateDeploymentStrategyType
			deployment(o).Spec.Strategy.RollingUpdate = nil
		}, "takes pods away"},
		"a share": {func(o []object) {
			share := intstr.FromString("25%")
			deployment(o).Spec.Strategy.RollingUpdate.MaxUnavailable = &share
		}, "takes pods away"},
		"no readiness": {func(o []object) { serving(o).ReadinessProbe = nil }, "is not asked"},
	},
	"selectors pick the pods that serve, and no others": {
		"a service of all":  {func(o []object) { delete(of[*core.Service](o)[0].Spec.Selector, "app.kubernetes.io/component") }, "Service ingest: picks the pod of Job ingest-migrate: true"},
		"a service of none": {func(o []object) { of[*core.Service](o)[0].Spec.Selector["x"] = "y" }, "Service ingest: picks the pod of Deployment ingest: false"},
		"a budget of another": {func(o []object) {
			of[*budget.PodDisruptionBudget](o)[0].Spec.Selector.MatchLabels["app.kubernetes.io/instance"] = "other"
		}, "PodDisruptionBudget ingest: picks the pod of Deployment ingest: false"},
		"a deployment's own": {func(o []object) { deployment(o).Spec.Template.Labels["app.kubernetes.io/instance"] = "other" }, "Deployment ingest: picks the pod of Deployment ingest: false"},
		"a spread of nothing": {func(o []object) {
			deployment(o).Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels = nil
		}, "Deployment ingest's spread"},
		"a monitor of another":   {func(o []object) { of[*ServiceMonitor](o)[0].Spec.Selector.MatchLabels["x"] = "y" }, "ServiceMonitor ingest does not pick"},
		"hooks without a policy": {func(o []object) { job(o, "setup").Spec.Template.Labels["app.kubernetes.io/component"] = "other" }, "no policy picks the pod of Job ingest-setup"},
	},
	"ports are those of a container": {
		"of a service": {func(o []object) { of[*core.Service](o)[0].Spec.Ports[0].TargetPort = intstr.FromInt32(80) }, "Service ingest: sends to port 80"},
		"of a probe":   {func(o []object) { serving(o).LivenessProbe.HTTPGet.Port = intstr.FromString("metrics") }, "the liveness probe asks port metrics"},
		"of a policy": {func(o []object) {
			other := intstr.FromInt32(8080)
			policyOf(o, "ingest").Spec.Ingress[0].Ports[0].Port = &other
		}, "NetworkPolicy ingest: lets in at port 8080"},
		"of an ingress": {func(o []object) {
			of[*networking.Ingress](o)[0].Spec.Rules[0].HTTP.Paths[0].Backend.Service.Port.Name = "web"
		}, "goes to no port"},
		"of a monitor":     {func(o []object) { of[*ServiceMonitor](o)[0].Spec.Endpoints[0].Port = "metrics" }, "ServiceMonitor ingest: scrapes metrics"},
		"of the container": {func(o []object) { serving(o).Ports[0].ContainerPort = 8080 }, "listens on :5154"},
	},
	"policies let through what pods are told to reach": {
		"the broker":            {func(o []object) { of[*core.ConfigMap](o)[0].Data["NATS_URL"] = "nats://nats:4333" }, "Deployment ingest cannot reach NATS_URL"},
		"names":                 {func(o []object) { policyOf(o, "ingest").Spec.Egress = policyOf(o, "ingest").Spec.Egress[1:] }, "cannot look names up"},
		"the broker, by a hook": {func(o []object) { policyOf(o, "ingest-hooks").Annotations = nil }, "Job ingest-setup cannot reach NATS_URL"},
	},
	"helm test asks through the Service": {
		"another address":  {func(o []object) { setVariable(testOf(o, "health"), "INTAKE_ADDR", "ingest:80") }, "Pod ingest-test-health asks ingest:80, which is no Service"},
		"the tables alone": {func(o []object) { testOf(o, "health").Args = []string{"migrate", "status"} }, "no test asks for health"},
		"not let out": {func(o []object) {
			rules := policyOf(o, "ingest-jobs").Spec.Egress
			policyOf(o, "ingest-jobs").Spec.Egress = rules[:len(rules)-1]
		}, "Pod ingest-test-health may not ask the pod of Deployment ingest"},
		"not let in": {func(o []object) {
			policyOf(o, "ingest").Spec.Ingress[0].From = []networking.NetworkPolicyPeer{{IPBlock: &networking.IPBlock{CIDR: "10.0.0.0/8"}}}
		}, "Pod ingest-test-health may not ask the pod of Deployment ingest"},
	},
	"a balancer with a name speaks TLS": {
		"a name alone": {func(o []object) { of[*networking.Ingress](o)[0].Spec.Rules[0].Host = "events.example.org" }, `events.example.org is asked in the clear: ""`},
	},
	"scaling and disruption leave somebody there": {
		"all may go": {func(o []object) {
			all := intstr.FromInt32(2)
			of[*budget.PodDisruptionBudget](o)[0].Spec.MaxUnavailable = &all
		}, "of 2 pods all may go"},
		"none may go": {func(o []object) {
			none := intstr.FromInt32(0)
			of[*budget.PodDisruptionBudget](o)[0].Spec.MaxUnavailable = &none
		}, "or none"},
		"bounds reversed":   {func(o []object) { of[*autoscaling.HorizontalPodAutoscaler](o)[0].Spec.MaxReplicas = 1 }, "its least is more than its most"},
		"a target not here": {func(o []object) { of[*autoscaling.HorizontalPodAutoscaler](o)[0].Spec.ScaleTargetRef.Name = "x" }, "no target"},
		"two who scale":     {func(o []object) { two := int32(2); deployment(o).Spec.Replicas = &two }, "2 say how many"},
	},
	"hooks are cleaned up, in order, and need nothing that is not there": {
		"one that stays":        {func(o []object) { delete(job(o, "migrate").Annotations, "helm.sh/hook-delete-policy") }, "Job ingest-migrate stays"},
		"one that is no hook":   {func(o []object) { job(o, "migrate").Annotations["helm.sh/hook"] = "pre-flight" }, "there is no hook pre-flight"},
		"the release's account": {func(o []object) { job(o, "setup").Spec.Template.Spec.ServiceAccountName = "ingest" }, "Job ingest-setup needs ServiceAccount ingest"},
		"the release's config":  {func(o []object) { job(o, "setup").Spec.Template.Spec.Containers[0].EnvFrom = serving(o).EnvFrom }, "Job ingest-setup needs ConfigMap ingest"},
		"the release's secret": {func(o []object) {
			job(o, "migrate").Spec.Template.Spec.Containers[0].Env[1].ValueFrom.SecretKeyRef.Name = "ingest"
		}, "Job ingest-migrate needs ExternalSecret ingest"},
		"an account too late":    {func(o []object) { accountOf(o, "ingest-hooks").Annotations["helm.sh/hook-weight"] = "5" }, "needs ServiceAccount ingest-hooks"},
		"not at a rollback":      {func(o []object) { accountOf(o, "ingest-hooks").Annotations["helm.sh/hook"] = "pre-install,pre-upgrade" }, "Job ingest-setup needs ServiceAccount ingest-hooks"},
		"stream before schema":   {func(o []object) { job(o, "setup").Annotations["helm.sh/hook-weight"] = "-15" }, "the stream is made before the schema"},
		"a pod that needs hooks": {func(o []object) { deployment(o).Spec.Template.Spec.ServiceAccountName = "ingest-hooks" }, "Deployment ingest needs ServiceAccount ingest-hooks"},
	},
	"what is referred to is there": {
		"an account": {func(o []object) { deployment(o).Spec.Template.Spec.ServiceAccountName = "x" }, "refers to ServiceAccount x"},
		"a config":   {func(o []object) { serving(o).EnvFrom[0].ConfigMapRef.Name = "x" }, "refers to ConfigMap x"},
		"a secret":   {func(o []object) { serving(o).Env[1].ValueFrom.SecretKeyRef.Name = "x" }, "refers to ExternalSecret x"},
		"a file":     {func(o []object) { of[*core.ConfigMap](o)[0].Data["HOOKS_FILE"] = "/etc/webhooks/x.json" }, "names /etc/webhooks/x.json"},
		"a volume for nobody": {func(o []object) {
			spec := &deployment(o).Spec.Template.Spec
			spec.Volumes = append(spec.Volumes, core.Volume{Name: "idle"})
		}, "nobody mounts idle"},
	},
	"the stream is set up for those who read it": {
		"other partitions":   {func(o []object) { of[*core.ConfigMap](o)[0].Data["PARTITIONS"] = "2" }, "setup has another number of partitions"},
		"one copy by hand":   {func(o []object) { delete(of[*core.ConfigMap](o)[0].Data, "REPLICAS") }, "setup has REPLICAS=3, pods that serve have "},
		"longer than waited": {func(o []object) { of[*core.ConfigMap](o)[0].Data["WRITE_TIMEOUT"] = "16s" }, "waits 1m0s for transactions of 16s"},
		"larger batches":     {func(o []object) { of[*core.ConfigMap](o)[0].Data["BATCH_SIZE"] = "9999" }, "hands out 20000 for batches of 9999"},
	},
}

func policyOf(objects []object, name string) *networking.NetworkPolicy {
	all := of[*networking.NetworkPolicy](objects)
	return all[slices.IndexFunc(all, func(p *networking.NetworkPolicy) bool { return p.Name == name })]
}

// testOf is the container of a pod of `helm test`.
func testOf(objects []object, what string) *core.Container {
	all := of[*core.Pod](objects)
	return &all[slices.IndexFunc(all, func(p *core.Pod) bool { return strings.HasSuffix(p.Name, "-test-"+what) })].Spec.Containers[0]
}

func accountOf(objects []object, name string) *core.ServiceAccount {
	all := of[*core.ServiceAccount](objects)
	return all[slices.IndexFunc(all, func(a *core.ServiceAccount) bool { return a.Name == name })]
}

// A check that finds nothing might look at nothing: each is shown what it is to find.
func TestBrokenRenderingsAreFound(t *testing.T) {
	for check, wrong := range checks {
		if len(sabotages[check]) == 0 {
			t.Errorf("%s: nobody broke it", check)
		}
		for name, c := range sabotages[check] {
			t.Run(check+": "+name, func(t *testing.T) {
				objects := rendered(t, helms["Helm 4"], release{chart: "ingest", name: "ingest"}, values(t, "ingest", "eks-on-demand"))
				c.do(objects)
				if said := strings.Join(wrong(objects), "\n"); !strings.Contains(said, c.want) {
					t.Errorf("want %q in:\n%s", c.want, said)
				}
			})
		}
	}
}

// So is what reads renderings: fields that the API does not have are no typing errors
// for nobody to see.
func TestUnknownFieldsAreFound(t *testing.T) {
	cases := map[string]string{
		"of a deployment": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replica: 2}\n",
		"deep in a pod":   "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, resource: {}}]}\n",
		"said twice":      "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: ClusterIP, type: NodePort}\n",
		"of a wrong kind": "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: http}]}\n",
		"of a custom one": "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec: {minReplicas: 2}\n",
		"of an unknown":   "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\n",
	}
	for name, document := range cases {
		if objects, err := decode(map[string]string{"a.yaml": document}); err == nil {
			t.Errorf("%s: %v", name, objects)
		}
	}
}
