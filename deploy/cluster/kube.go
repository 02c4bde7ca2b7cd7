package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"time"

	"coworking/pkg/fault"
)

// kube asks a cluster by the two programs that its people use. Which cluster is
// KUBECONFIG's to say, which both read.
type kube struct {
	kubectl, helm string
	namespace     string
	// takesBack is Helm's flag for an upgrade that is undone if it fails.
	takesBack string
}

// ctl is `kubectl` in the namespace; the answer is its standard output.
func (k *kube) ctl(ctx context.Context, args ...string) (string, error) {
	return say(ctx, "", k.kubectl, append([]string{"--namespace", k.namespace}, args...)...)
}

// apply makes what a manifest says.
func (k *kube) apply(ctx context.Context, manifest string) error {
	_, err := say(ctx, manifest, k.kubectl, "--namespace", k.namespace, "apply", "--filename", "-")
	return err
}

// get reads an object, or a list of them, into a value.
func (k *kube) get(ctx context.Context, into any, args ...string) error {
	text, err := k.ctl(ctx, append([]string{"get", "--output", "json"}, args...)...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fault.Internal.Errorf("reading %v: %w", args, err)
	}
	return nil
}

// chart is `helm` in the namespace.
func (k *kube) chart(ctx context.Context, args ...string) (string, error) {
	return say(ctx, "", k.helm, append([]string{"--namespace", k.namespace}, args...)...)
}

// readVersion finds what this Helm calls the flag.
func (k *kube) readVersion(ctx context.Context) (string, error) {
	version, err := say(ctx, "", k.helm, "version", "--template", "{{.Version}}")
	if err != nil {
		return "", err
	}
	k.takesBack = "--rollback-on-failure"
	if strings.HasPrefix(version, "v3.") {
		k.takesBack = "--atomic"
	}
	return version, nil
}

// say runs a program; its error has the last of what it said. Secrets are on no
// command line: they go in by standard input.
func say(ctx context.Context, input, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(input), &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fault.Internal.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, tail(stdout.String()+stderr.String(), 2000))
	}
	return strings.TrimSpace(stdout.String()), nil
}

func tail(text string, most int) string {
	return text[max(0, len(text)-most):]
}

// pod is as much of one as is asked here.
type pod struct {
	Metadata struct {
		Name   string            `json:"name"`
		UID    string            `json:"uid"`
		Labels map[string]string `json:"labels"`
		// Deleted is when it was told to end.
		Deleted *time.Time `json:"deletionTimestamp"`
	} `json:"metadata"`
	Spec struct {
		Containers []struct {
			Image string `json:"image"`
		} `json:"containers"`
	} `json:"spec"`
	Status struct {
		Containers []struct {
			Restarts int `json:"restartCount"`
		} `json:"containerStatuses"`
	} `json:"status"`
}

// ends says whether a pod was told to end.
func ends(p pod) bool { return p.Metadata.Deleted != nil }

// pods are those that a label says, without those that end.
func (k *kube) pods(ctx context.Context, label string) ([]pod, error) {
	all, err := k.podsAndThoseThatEnd(ctx, label)
	return slices.DeleteFunc(all, ends), err
}

func (k *kube) podsAndThoseThatEnd(ctx context.Context, label string) ([]pod, error) {
	var list struct {
		Items []pod `json:"items"`
	}
	err := k.get(ctx, &list, "pods", "--selector", label)
	return list.Items, err
}
