package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// usage is the most that a pod of each kind was seen to take.
type usage map[string]taken

type taken struct {
	cpu    float64 // of a processor
	memory int64   // bytes
}

const watchEvery = 5 * time.Second

// watch asks the metrics server while there is load, if there is one.
func (s *site) watch(ctx context.Context) {
	for pause(ctx, watchEvery) == nil {
		text, err := say(ctx, "", s.kubectl, "get", "--raw", "/apis/metrics.k8s.io/v1beta1/namespaces/"+s.namespace+"/pods")
		if err != nil {
			return
		}
		s.used.add([]byte(text))
	}
}

// add takes one answer of the metrics server in.
func (u usage) add(body []byte) {
	var list struct {
		Items []struct {
			Metadata struct {
				Labels map[string]string `json:"labels"`
			} `json:"metadata"`
			Containers []struct {
				Usage struct {
					CPU    resource.Quantity `json:"cpu"`
					Memory resource.Quantity `json:"memory"`
				} `json:"usage"`
			} `json:"containers"`
		} `json:"items"`
	}
	if json.Unmarshal(body, &list) != nil {
		return // a figure less
	}
	for _, item := range list.Items {
		name := item.Metadata.Labels["app.kubernetes.io/name"]
		if part := item.Metadata.Labels["app.kubernetes.io/component"]; part != "run" && part != "" {
			name += " " + part
		}
		var now taken
		for _, c := range item.Containers {
			now.cpu += c.Usage.CPU.AsApproximateFloat64()
			now.memory += c.Usage.Memory.Value()
		}
		u[name] = taken{max(u[name].cpu, now.cpu), max(u[name].memory, now.memory)}
	}
}

func (u usage) report(out io.Writer) {
	for _, name := range slices.Sorted(maps.Keys(u)) {
		fmt.Fprintf(out, "the most that a pod took: %s %.0fm of a processor, %d MiB\n", name, u[name].cpu*1000, u[name].memory>>20)
	}
	if len(u) == 0 {
		fmt.Fprintln(out, "what pods took is not known: there is no metrics server")
	}
}
