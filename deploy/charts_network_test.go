package deploy

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	budget "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func set(of map[string]string) labels.Set { return labels.Set(of) }

// wrongSelections: what is meant for the pods that serve picks them all, and none of
// jobs and tests; every pod has a policy.
func wrongSelections(objects []object) []string {
	var wrong []string
	for _, d := range of[*apps.Deployment](objects) {
		wrong = append(wrong, selection(objects, title(d), d.Spec.Selector)...)
		for _, spread := range d.Spec.Template.Spec.TopologySpreadConstraints {
			wrong = append(wrong, selection(objects, title(d)+"'s spread", spread.LabelSelector)...)
		}
	}
	for _, s := range of[*core.Service](objects) {
		wrong = append(wrong, selection(objects, title(s), &meta.LabelSelector{MatchLabels: s.Spec.Selector})...)
	}
	for _, b := range of[*budget.PodDisruptionBudget](objects) {
		wrong = append(wrong, selection(objects, title(b), b.Spec.Selector)...)
	}
	for _, m := range of[*ServiceMonitor](objects) {
		for _, s := range of[*core.Service](objects) {
			if !selects(&m.Spec.Selector, s.Labels) {
				wrong = append(wrong, title(m)+" does not pick "+title(s))
			}
		}
	}
	policies := of[*networking.NetworkPolicy](objects)
	for _, p := range pods(objects) {
		if len(policies) > 0 && len(policiesOf(objects, p)) == 0 {
			wrong = append(wrong, "no policy picks the pod of "+title(p.owner))
		}
	}
	return wrong
}

func selection(objects []object, who string, selector *meta.LabelSelector) []string {
	var wrong []string
	for _, p := range pods(objects) {
		if serves := p.component() == "run"; selects(selector, p.meta.Labels) != serves {
			wrong = append(wrong, fmt.Sprintf("%s: picks the pod of %s: %t", who, title(p.owner), !serves))
		}
	}
	return wrong
}

// policiesOf is the policies that are there when the pod is.
func policiesOf(objects []object, p pod) []*networking.NetworkPolicy {
	var found []*networking.NetworkPolicy
	for _, policy := range of[*networking.NetworkPolicy](objects) {
		there := hook(policy) == nil || before(policy, p.owner)
		if early := hook(p.owner) != nil && !slices.Contains(hook(p.owner), "test"); early && hook(policy) == nil {
			there = false
		}
		if there && selects(&policy.Spec.PodSelector, p.meta.Labels) {
			found = append(found, policy)
		}
	}
	return found
}

func wrongPorts(objects []object) []string {
	var wrong []string
	for _, d := range of[*apps.Deployment](objects) {
		c := pods([]object{d})[0].container()
		for name, probe := range map[string]*core.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
			if probe != nil && probe.HTTPGet != nil && !open(c, probe.HTTPGet.Port) {
				wrong = append(wrong, fmt.Sprintf("%s: the %s probe asks port %s", title(d), name, probe.HTTPGet.Port.String()))
			}
		}
		wrong = append(wrong, listening(objects, pods([]object{d})[0])...)
		for _, s := range of[*core.Service](objects) {
			for _, port := range s.Spec.Ports {
				if !open(c, port.TargetPort) {
					wrong = append(wrong, fmt.Sprintf("%s: sends to port %s", title(s), port.TargetPort.String()))
				}
			}
		}
		for _, policy := range policiesOf(objects, pods([]object{d})[0]) {
			for _, rule := range policy.Spec.Ingress {
				for _, port := range rule.Ports {
					if !open(c, *port.Port) {
						wrong = append(wrong, fmt.Sprintf("%s: lets in at port %s", title(policy), port.Port.String()))
					}
				}
			}
		}
	}
	for _, i := range of[*networking.Ingress](objects) {
		for _, rule := range i.Spec.Rules {
			for _, path := range rule.HTTP.Paths {
				if !served(objects, path.Backend.Service.Name, path.Backend.Service.Port.Name) {
					wrong = append(wrong, fmt.Sprintf("%s: %s goes to no port of a Service", title(i), path.Path))
				}
			}
		}
	}
	for _, m := range of[*ServiceMonitor](objects) {
		for _, endpoint := range m.Spec.Endpoints {
			if !served(objects, "", endpoint.Port) {
				wrong = append(wrong, fmt.Sprintf("%s: scrapes %s, no port of a Service", title(m), endpoint.Port))
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

// listening asks that the container's port is the one that the service is told.
func listening(objects []object, p pod) []string {
	for _, name := range []string{"INTAKE_ADDR", "QUERY_ADDR"} {
		if addr := p.environment(objects)[name]; addr != "" && addr != ":"+strconv.Itoa(int(p.container().Ports[0].ContainerPort)) {
			return []string{fmt.Sprintf("%s: listens on %s", title(p.owner), addr)}
		}
	}
	return nil
}

// open says whether a container has a port.
func open(c *core.Container, port intstr.IntOrString) bool {
	return slices.ContainsFunc(c.Ports, func(p core.ContainerPort) bool {
		return port.Type == intstr.String && p.Name == port.StrVal || port.Type == intstr.Int && p.ContainerPort == port.IntVal
	})
}

// served says whether a Service has a port; any Service if none is named.
func served(objects []object, service, port string) bool {
	return slices.ContainsFunc(of[*core.Service](objects), func(s *core.Service) bool {
		return (service == "" || s.Name == service) && slices.ContainsFunc(s.Spec.Ports, func(p core.ServicePort) bool { return p.Name == port })
	})
}

// blocked is what pods are told to reach, and no policy lets them.
func blocked(objects []object) []string {
	if len(of[*networking.NetworkPolicy](objects)) == 0 {
		return nil
	}
	var wrong []string
	for _, p := range pods(objects) {
		allowed := map[string]bool{}
		for _, policy := range policiesOf(objects, p) {
			for _, rule := range policy.Spec.Egress {
				for _, port := range rule.Ports {
					allowed[port.Port.String()] = true
				}
			}
		}
		environment := p.environment(objects)
		for _, name := range slices.Sorted(maps.Keys(environment)) {
			address, err := url.Parse(environment[name])
			if err != nil || address.Host == "" || strings.HasPrefix(environment[name], "/") {
				continue
			}
			port := address.Port()
			if port == "" && address.Scheme == "https" {
				port = "443"
			}
			if !allowed[port] {
				wrong = append(wrong, fmt.Sprintf("the pod of %s cannot reach %s=%s", title(p.owner), name, environment[name]))
			}
		}
		if !allowed["53"] {
			wrong = append(wrong, fmt.Sprintf("the pod of %s cannot look names up", title(p.owner)))
		}
	}
	return wrong
}

// On AWS a policy stands before the brokers: ingest's pods pass, and nobody else's.
func TestTheBrokersLetIngestInAndNobodyElse(t *testing.T) {
	objects, err := decode(map[string]string{"broker.yaml": string(file(t, "aws/kubernetes/broker.yaml"))})
	if err != nil {
		t.Fatal(err)
	}
	policy := of[*networking.NetworkPolicy](objects)[0]
	for _, chart := range charts {
		all := rendered(t, helms["Helm 4"], release{chart: chart, name: chart}, values(t, chart, "as we deploy"))
		for _, p := range pods(all) {
			for _, name := range []string{"NATS_URL", "NATS_MONITOR_URL"} {
				address, err := url.Parse(p.environment(all)[name])
				if err != nil {
					t.Fatal(err)
				}
				if address.Host != "" && !passes(policy, p, address.Port()) {
					t.Errorf("the pod of %s does not reach %s", title(p.owner), address)
				}
			}
			if passes(policy, p, "6222") || chart != "ingest" && passes(policy, p, "4222") {
				t.Errorf("the pod of %s reaches more of the brokers than it needs", title(p.owner))
			}
		}
	}
}

// passes says whether a policy lets a pod of its own namespace in at a port.
func passes(policy *networking.NetworkPolicy, p pod, port string) bool {
	return slices.ContainsFunc(policy.Spec.Ingress, func(r networking.NetworkPolicyIngressRule) bool {
		return slices.ContainsFunc(r.Ports, func(at networking.NetworkPolicyPort) bool { return at.Port.String() == port }) &&
			slices.ContainsFunc(r.From, func(from networking.NetworkPolicyPeer) bool {
				return from.PodSelector != nil && selects(from.PodSelector, p.meta.Labels)
			})
	})
}

// overheard are the ALBs that have a name, for which there can be a certificate, and that
// are not told to speak TLS, and nothing else: their controller does not by itself.
func overheard(objects []object) []string {
	var wrong []string
	for _, i := range of[*networking.Ingress](objects) {
		listens := i.Annotations["alb.ingress.kubernetes.io/listen-ports"]
		if class := i.Spec.IngressClassName; class != nil && *class == "alb" && i.Spec.Rules[0].Host != "" && listens != `[{"HTTPS": 443}]` {
			wrong = append(wrong, fmt.Sprintf("%s: %s is asked in the clear: %q", title(i), i.Spec.Rules[0].Host, listens))
		}
	}
	return wrong
}

// unasked: one pod of `helm test` asks for health at the name and the port of a Service
// that there is, and policies let it out there, and in at the other end.
func unasked(objects []object) []string {
	var wrong []string
	tests, asks := 0, 0
	for _, p := range pods(objects) {
		if !slices.Contains(hook(p.owner), "test") {
			continue
		}
		tests++
		if !slices.Equal(p.container().Args, []string{"health"}) {
			continue
		}
		asks++
		environment := p.environment(objects)
		address := environment["INTAKE_ADDR"] + environment["QUERY_ADDR"]
		if !slices.ContainsFunc(of[*core.Service](objects), func(s *core.Service) bool {
			return address == fmt.Sprintf("%s:%d", s.Name, s.Spec.Ports[0].Port)
		}) {
			wrong = append(wrong, fmt.Sprintf("%s asks %s, which is no Service", title(p.owner), address))
		}
		for _, d := range of[*apps.Deployment](objects) {
			if serves := pods([]object{d})[0]; !lets(objects, p, serves) {
				wrong = append(wrong, fmt.Sprintf("%s may not ask the pod of %s", title(p.owner), title(d)))
			}
		}
	}
	if tests > 0 && asks == 0 {
		wrong = append(wrong, "no test asks for health")
	}
	return wrong
}

// lets says whether policies let one pod ask another at its port: both sides must.
func lets(objects []object, from, to pod) bool {
	port := to.container().Ports[0].ContainerPort
	names := func(ports []networking.NetworkPolicyPort) bool {
		return slices.ContainsFunc(ports, func(p networking.NetworkPolicyPort) bool { return p.Port.IntVal == port })
	}
	picks := func(peers []networking.NetworkPolicyPeer, other pod) bool {
		return len(peers) == 0 || slices.ContainsFunc(peers, func(p networking.NetworkPolicyPeer) bool {
			return p.PodSelector != nil && p.NamespaceSelector == nil && selects(p.PodSelector, other.meta.Labels)
		})
	}
	out, in := policiesOf(objects, from), policiesOf(objects, to)
	goes := len(out) == 0 || slices.ContainsFunc(out, func(p *networking.NetworkPolicy) bool {
		return slices.ContainsFunc(p.Spec.Egress, func(r networking.NetworkPolicyEgressRule) bool { return names(r.Ports) && picks(r.To, to) })
	})
	comes := len(in) == 0 || slices.ContainsFunc(in, func(p *networking.NetworkPolicy) bool {
		return slices.ContainsFunc(p.Spec.Ingress, func(r networking.NetworkPolicyIngressRule) bool { return names(r.Ports) && picks(r.From, from) })
	})
	return goes && comes
}

// wrongNumbers: bounds in their order, targets that are there, one who scales, and
// fewer pods that may go at once than there are.
func wrongNumbers(objects []object) []string {
	var wrong []string
	for _, d := range of[*apps.Deployment](objects) {
		scalers, least := 0, int32(1)
		if d.Spec.Replicas != nil {
			scalers, least = 1, *d.Spec.Replicas
		}
		for _, s := range of[*autoscaling.HorizontalPodAutoscaler](objects) {
			scalers++
			least = *s.Spec.MinReplicas
			if s.Spec.ScaleTargetRef.Name != d.Name || s.Spec.ScaleTargetRef.Kind != "Deployment" || least > s.Spec.MaxReplicas {
				wrong = append(wrong, title(s)+": no target, or its least is more than its most")
			}
		}
		for _, s := range of[*ScaledObject](objects) {
			scalers++
			least = s.Spec.MinReplicaCount
			if s.Spec.ScaleTargetRef.Name != d.Name || least > s.Spec.MaxReplicaCount {
				wrong = append(wrong, title(s)+": no target, or its least is more than its most")
			}
		}
		if scalers != 1 {
			wrong = append(wrong, fmt.Sprintf("%d say how many pods %s has", scalers, title(d)))
		}
		for _, b := range of[*budget.PodDisruptionBudget](objects) {
			if b.Spec.MaxUnavailable == nil || b.Spec.MaxUnavailable.Type != intstr.Int || b.Spec.MaxUnavailable.IntVal < 1 || b.Spec.MaxUnavailable.IntVal >= least {
				wrong = append(wrong, fmt.Sprintf("%s: of %d pods all may go at once, or none", title(b), least))
			}
		}
	}
	return wrong
}
