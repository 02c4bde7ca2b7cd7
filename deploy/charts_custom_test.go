package deploy

import (
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// custom is what every custom resource begins with.
type custom struct {
	meta.TypeMeta   `json:",inline"`
	meta.ObjectMeta `json:"metadata"`
}

// ServiceMonitor is the Prometheus operator's.
type ServiceMonitor struct {
	custom `json:",inline"`

	Spec struct {
		Selector  meta.LabelSelector `json:"selector"`
		Endpoints []struct {
			Port          string `json:"port"`
			Path          string `json:"path"`
			Interval      string `json:"interval"`
			ScrapeTimeout string `json:"scrapeTimeout"`
			HonorLabels   bool   `json:"honorLabels"`
		} `json:"endpoints"`
	} `json:"spec"`
}

// PrometheusRule is the Prometheus operator's.
type PrometheusRule struct {
	custom `json:",inline"`

	Spec struct {
		Groups []ruleGroup `json:"groups"`
	} `json:"spec"`
}

type ruleGroup struct {
	Name     string `json:"name"`
	Interval string `json:"interval,omitempty"`
	Rules    []struct {
		Alert       string            `json:"alert,omitempty"`
		Record      string            `json:"record,omitempty"`
		Expr        string            `json:"expr"`
		For         string            `json:"for,omitempty"`
		Labels      map[string]string `json:"labels,omitempty"`
		Annotations map[string]string `json:"annotations,omitempty"`
	} `json:"rules"`
}

// ExternalSecret is the External Secrets Operator's.
type ExternalSecret struct {
	custom `json:",inline"`

	Spec struct {
		RefreshInterval string `json:"refreshInterval"`
		SecretStoreRef  struct {
			Kind string `json:"kind"`
			Name string `json:"name"`
		} `json:"secretStoreRef"`
		Target struct {
			Name           string `json:"name"`
			CreationPolicy string `json:"creationPolicy"`
		} `json:"target"`
		DataFrom []struct {
			Extract struct {
				Key string `json:"key"`
			} `json:"extract"`
		} `json:"dataFrom"`
	} `json:"spec"`
}

// ScaledObject is KEDA's.
type ScaledObject struct {
	custom `json:",inline"`

	Spec struct {
		ScaleTargetRef struct {
			Name string `json:"name"`
		} `json:"scaleTargetRef"`
		MinReplicaCount int32 `json:"minReplicaCount"`
		MaxReplicaCount int32 `json:"maxReplicaCount"`
		PollingInterval int32 `json:"pollingInterval"`
		CooldownPeriod  int32 `json:"cooldownPeriod"`
		Triggers        []struct {
			Type       string            `json:"type"`
			MetricType string            `json:"metricType,omitempty"`
			Metadata   map[string]string `json:"metadata"`
		} `json:"triggers"`
	} `json:"spec"`
}

// DeepCopyObject is runtime.Object's.
func (o *ServiceMonitor) DeepCopyObject() runtime.Object { clone := *o; return &clone }

// DeepCopyObject is runtime.Object's.
func (o *PrometheusRule) DeepCopyObject() runtime.Object { clone := *o; return &clone }

// DeepCopyObject is runtime.Object's.
func (o *ExternalSecret) DeepCopyObject() runtime.Object { clone := *o; return &clone }

// DeepCopyObject is runtime.Object's.
func (o *ScaledObject) DeepCopyObject() runtime.Object { clone := *o; return &clone }
