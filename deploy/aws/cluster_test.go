package aws

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// clusterConfig is eksctl's ClusterConfig v1alpha5, of which only the fields that are
// used are here: one that is misspelt is refused, as eksctl refuses it.
// https://eksctl.io/usage/schema/
type clusterConfig struct {
	APIVersion    string                                 `yaml:"apiVersion"`
	Kind          string                                 `yaml:"kind"`
	Metadata      struct{ Name, Region, Version string } `yaml:"metadata"`
	UpgradePolicy struct {
		SupportType string `yaml:"supportType"`
	} `yaml:"upgradePolicy"`
	AccessConfig struct {
		AuthenticationMode string `yaml:"authenticationMode"`
	} `yaml:"accessConfig"`
	VPC struct {
		CIDR string `yaml:"cidr"`
		NAT  struct {
			Gateway string `yaml:"gateway"`
		} `yaml:"nat"`
		ClusterEndpoints struct {
			PrivateAccess bool `yaml:"privateAccess"`
			PublicAccess  bool `yaml:"publicAccess"`
		} `yaml:"clusterEndpoints"`
	} `yaml:"vpc"`
	CloudWatch struct {
		ClusterLogging struct {
			EnableTypes        []string `yaml:"enableTypes"`
			LogRetentionInDays int      `yaml:"logRetentionInDays"`
		} `yaml:"clusterLogging"`
	} `yaml:"cloudWatch"`
	Addons []addon `yaml:"addons"`
	IAM    struct {
		PodIdentityAssociations []association `yaml:"podIdentityAssociations"`
	} `yaml:"iam"`
	ManagedNodeGroups []nodeGroup `yaml:"managedNodeGroups"`
}

type addon struct {
	Name                    string        `yaml:"name"`
	ConfigurationValues     string        `yaml:"configurationValues"`
	PodIdentityAssociations []association `yaml:"podIdentityAssociations"`
}

type association struct {
	Namespace            string          `yaml:"namespace"`
	ServiceAccountName   string          `yaml:"serviceAccountName"`
	WellKnownPolicies    map[string]bool `yaml:"wellKnownPolicies"`
	PermissionPolicyARNs []string        `yaml:"permissionPolicyARNs"`
	PermissionPolicy     map[string]any  `yaml:"permissionPolicy"`
}

type nodeGroup struct {
	Name              string                                `yaml:"name"`
	AMIFamily         string                                `yaml:"amiFamily"`
	InstanceType      string                                `yaml:"instanceType"`
	InstanceTypes     []string                              `yaml:"instanceTypes"`
	Spot              bool                                  `yaml:"spot"`
	MinSize           int                                   `yaml:"minSize"`
	DesiredCapacity   int                                   `yaml:"desiredCapacity"`
	MaxSize           int                                   `yaml:"maxSize"`
	MaxPodsPerNode    int                                   `yaml:"maxPodsPerNode"`
	PrivateNetworking bool                                  `yaml:"privateNetworking"`
	VolumeType        string                                `yaml:"volumeType"`
	VolumeSize        int                                   `yaml:"volumeSize"`
	VolumeEncrypted   bool                                  `yaml:"volumeEncrypted"`
	DisableIMDSv1     bool                                  `yaml:"disableIMDSv1"`
	Taints            []struct{ Key, Value, Effect string } `yaml:"taints"`
	Tags              map[string]string                     `yaml:"tags"`
	PropagateASGTags  bool                                  `yaml:"propagateASGTags"`
}

func configOf(body string) (c clusterConfig, err error) {
	decoder := yaml.NewDecoder(strings.NewReader(body))
	decoder.KnownFields(true)
	return c, decoder.Decode(&c)
}

func TestTheClusterIsWhatEksctlTakes(t *testing.T) {
	body := read(t, "cluster.yaml")
	c, err := configOf(body)
	if err != nil {
		t.Fatal(err)
	}
	if c.APIVersion != "eksctl.io/v1alpha5" || c.Kind != "ClusterConfig" {
		t.Errorf("%s %s", c.APIVersion, c.Kind)
	}
	for _, m := range templates(t) {
		if name := object(m.parameters["ClusterName"])["Default"]; name != nil && name != c.Metadata.Name {
			t.Errorf("%s takes the cluster to be %v", m.name, name)
		}
	}
	if !strings.Contains(read(t, "kubernetes/secrets.yaml"), "region: "+c.Metadata.Region+"\n") {
		t.Errorf("secrets are looked for in another region than %s", c.Metadata.Region)
	}
	for _, misspelt := range []string{"maxPodPerNode", "privateNetwork"} {
		if _, err := configOf(strings.ReplaceAll(body, map[string]string{"maxPodPerNode": "maxPodsPerNode", "privateNetwork": "privateNetworking"}[misspelt], misspelt)); err == nil {
			t.Errorf("%s is taken", misspelt)
		}
	}
}

func TestTheClusterHasWhatWasAskedFor(t *testing.T) {
	c, err := configOf(read(t, "cluster.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, one := range c.Addons {
		names = append(names, one.Name)
		var values map[string]any
		if err := yaml.Unmarshal([]byte(one.ConfigurationValues), &values); err != nil {
			t.Errorf("%s: %v", one.Name, err)
		}
		if one.Name == "vpc-cni" && object(values["env"])["ENABLE_PREFIX_DELEGATION"] != "true" {
			t.Error("11 pods on a t3.small, and no prefix delegation")
		}
		// Of the add-on's ways to ship lines, filters and queries know its own Fluent Bit alone.
		if one.Name == "amazon-cloudwatch-observability" && (values["containerLogs"] != nil || values["otelContainerInsights"] != nil) {
			t.Error("lines are shipped in another form than queries and metric filters ask for")
		}
	}
	for _, name := range []string{"amazon-cloudwatch-observability", "aws-ebs-csi-driver", "eks-pod-identity-agent", "metrics-server"} {
		if !slices.Contains(names, name) {
			t.Errorf("the add-on %s is missing", name)
		}
	}
	accounts := []string{}
	for _, one := range c.IAM.PodIdentityAssociations {
		accounts = append(accounts, one.Namespace+"/"+one.ServiceAccountName)
	}
	if !slices.Contains(accounts, "kube-system/cluster-autoscaler") {
		t.Error("nobody may scale the nodes")
	}
	spot := 0
	for _, group := range c.ManagedNodeGroups {
		if !slices.Contains(append(group.InstanceTypes, group.InstanceType), "t3.small") {
			t.Errorf("%s has no t3.small", group.Name)
		}
		if group.MaxSize <= group.MinSize || !group.VolumeEncrypted || !group.DisableIMDSv1 {
			t.Errorf("%s cannot grow, or its disks or its credentials lie open", group.Name)
		}
		if !group.Spot {
			continue
		}
		spot++
		if len(group.InstanceTypes) < 2 {
			t.Errorf("%s depends on one kind of machine", group.Name)
		}
		var values struct {
			Tolerations []struct{ Key, Operator, Value, Effect string } `yaml:"tolerations"`
		}
		if err := yaml.Unmarshal([]byte(read(t, "../helm/query/values-eks-spot.yaml")), &values); err != nil {
			t.Fatal(err)
		}
		for _, taint := range group.Taints {
			if !slices.ContainsFunc(values.Tolerations, func(one struct{ Key, Operator, Value, Effect string }) bool {
				return one.Key == taint.Key && one.Value == taint.Value && one.Effect == taint.Effect
			}) {
				t.Errorf("the services do not put up with the taint %s of %s", taint.Key, group.Name)
			}
			if strings.Contains(taint.Key, "eks.amazonaws.com/") || strings.Contains(taint.Key, "kubernetes.io/") {
				t.Errorf("EKS keeps the taint %s to itself", taint.Key)
			}
		}
	}
	if spot != 1 {
		t.Errorf("%d groups of spot nodes", spot)
	}
}

var chartKind = regexp.MustCompile(`(?m)^kind: ([A-Za-z]+)`)

// resources are the kinds that the charts have, as RBAC names them. The last ones need
// CRDs that this cluster has not: values.yaml switches them off.
var resources = map[string]string{
	"ConfigMap": "configmaps", "CronJob": "cronjobs", "Deployment": "deployments", "ExternalSecret": "externalsecrets",
	"HorizontalPodAutoscaler": "horizontalpodautoscalers", "Ingress": "ingresses", "Job": "jobs", "NetworkPolicy": "networkpolicies",
	"PodDisruptionBudget": "poddisruptionbudgets", "Service": "services", "ServiceAccount": "serviceaccounts",
	"Pod": "", "PrometheusRule": "", "ServiceMonitor": "", "ScaledObject": "",
}

// CodeBuild may make what the charts are made of, or a deployment would end halfway.
func TestTheDeployerMayMakeWhatTheChartsHave(t *testing.T) {
	may := map[string][]string{}
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(read(t, "kubernetes/deployer.yaml"))))
	for {
		var one struct {
			Kind  string
			Rules []struct {
				APIGroups []string `yaml:"apiGroups"`
				Resources []string
				Verbs     []string
			}
		}
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if one.Kind == "ClusterRole" || one.Kind == "ClusterRoleBinding" {
			t.Errorf("a %s reaches beyond the namespace", one.Kind)
		}
		for _, rule := range one.Rules {
			for _, resource := range rule.Resources {
				may[resource] = append(may[resource], rule.Verbs...)
			}
			if strings.Contains(fmt.Sprint(rule), "*") {
				t.Errorf("anything: %v", rule)
			}
		}
	}
	files, err := filepath.Glob("../helm/*/templates/*")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range files {
		if filepath.Base(name) == "tests" {
			continue
		}
		for _, match := range chartKind.FindAllStringSubmatch(read(t, name), -1) {
			seen++
			resource, known := resources[match[1]]
			switch {
			case !known:
				t.Errorf("%s: nobody says whether CodeBuild may make a %s", name, match[1])
			case resource != "" && (!slices.Contains(may[resource], "create") || !slices.Contains(may[resource], "patch") || !slices.Contains(may[resource], "delete")):
				t.Errorf("%s: CodeBuild may not make %s", name, resource)
			}
		}
	}
	if seen < 10 {
		t.Errorf("%d kinds in the charts: they are looked for in the wrong place", seen)
	}
	if !slices.Contains(may["secrets"], "create") {
		t.Error("Helm cannot keep its releases")
	}
}
