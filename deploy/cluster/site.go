package main

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"coworking/pkg/fault"
)

// services are both, in the order in which they are installed.
var services = []string{"ingest", "query"}

// site is the namespace that the test works in, and what it knows of it.
type site struct {
	*testCmd
	*kube

	out            io.Writer
	passed, failed int

	load *load
	used usage
}

//go:embed postgres.yaml
var postgres string

// look says what the test is about to work with, before anything is made.
func (s *site) look(ctx context.Context) error {
	helm, err := s.readVersion(ctx)
	if err != nil {
		return err
	}
	where, err := say(ctx, "", s.kubectl, "config", "current-context")
	if err != nil {
		return err
	}
	var version struct {
		Server struct {
			GitVersion string `json:"gitVersion"`
		} `json:"serverVersion"`
	}
	text, err := say(ctx, "", s.kubectl, "version", "--output", "json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), &version); err != nil {
		return fault.Internal.Errorf("reading the cluster's version: %w", err)
	}
	if _, err := s.ctl(ctx, "get", "namespace", s.namespace); err == nil {
		return fault.Invalid.Errorf("there is a namespace %s already, and the test removes the one it works in: name another", s.namespace)
	}
	fmt.Fprintf(s.out, "context %s, Kubernetes %s, Helm %s, namespace %s, tags %s and %s\n",
		where, version.Server.GitVersion, helm, s.namespace, s.OldTag, s.NewTag)
	return nil
}

func (s *site) makeNamespace(ctx context.Context) (string, error) {
	return "", s.apply(ctx, fmt.Sprintf(`
apiVersion: v1
kind: Namespace
metadata:
  name: %s
  labels:
    pod-security.kubernetes.io/enforce: restricted
`, s.namespace))
}

// provide installs the broker and the database that are not given, and hands out
// the database's address.
func (s *site) provide(ctx context.Context) (string, error) {
	figures := []string{"the broker is given", "the database is given"}
	if s.DatabaseURL == "" {
		figures[1] = "the database is a pod"
		if err := s.apply(ctx, postgres); err != nil {
			return "", err
		}
		if _, err := s.ctl(ctx, "rollout", "status", "statefulset/postgres", "--timeout", "5m"); err != nil {
			return "", err
		}
		s.DatabaseURL = "postgres://coworking:coworking@postgres:5432/coworking?sslmode=disable"
	}
	if s.NATSURL == "" {
		figures[0] = "the broker is one pod of the official chart"
		if err := s.installBroker(ctx); err != nil {
			return "", err
		}
		s.NATSURL, s.NATSMonitor = "nats://nats:4222", "http://nats:8222"
	}
	for _, service := range services {
		if err := s.apply(ctx, secret(service, s.DatabaseURL)); err != nil {
			return "", err
		}
	}
	return strings.Join(figures, ", "), nil
}

// natsChart is the official chart's version that values-nats.yaml was read with.
const natsChart = "2.14.2"

// installBroker is as deploy/helm/values-nats.yaml says, but with one broker: a
// cluster for tests seldom has three nodes to spread them over.
func (s *site) installBroker(ctx context.Context) error {
	_, err := s.chart(ctx, "install", "nats", "nats", "--repo", "https://nats-io.github.io/k8s/helm/charts", "--version", natsChart,
		"--values", "deploy/helm/values-nats.yaml", "--set", "config.cluster.enabled=false",
		"--set", "config.jetstream.fileStore.pvc.size=2Gi", "--wait", "--timeout", "5m")
	return err
}

func secret(name, databaseURL string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\ndata:\n  DATABASE_URL: %s\n",
		name, base64.StdEncoding.EncodeToString([]byte(databaseURL)))
}

// explain is what helps to understand a failure.
func (s *site) explain(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var all []string
	for _, args := range [][]string{
		{"get", "pods,jobs", "--output", "wide"},
		{"get", "events", "--sort-by", ".lastTimestamp"},
		{"logs", "--selector", "app.kubernetes.io/part-of=coworking", "--prefix", "--tail", "15", "--ignore-errors"},
	} {
		text, err := s.ctl(ctx, args...)
		if err != nil {
			text = err.Error()
		}
		all = append(all, "--- kubectl "+strings.Join(args, " "), tail(text, 6000))
	}
	return strings.Join(all, "\n")
}

// remove takes the namespace away, with all that is in it, whatever happened.
func (s *site) remove(ctx context.Context) {
	if s.Keep {
		fmt.Fprintf(s.out, "kept: kubectl delete namespace %s\n", s.namespace)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Minute)
	defer cancel()
	if _, err := s.ctl(ctx, "delete", "namespace", s.namespace, "--ignore-not-found", "--timeout", "4m"); err != nil {
		fmt.Fprintln(s.out, "the namespace is not removed:", err)
	}
}
