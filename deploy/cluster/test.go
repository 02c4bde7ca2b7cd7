package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"coworking/pkg/fault"
)

// testCmd is the test: what it is given, and its steps in their order.
type testCmd struct {
	IngestImage string `default:"coworking/ingest" env:"INGEST_IMAGE" help:"The image of ingest, with its registry if it has one, without a tag."`
	QueryImage  string `default:"coworking/query" env:"QUERY_IMAGE" help:"The same of query."`
	OldTag      string `default:"old" env:"OLD_TAG" help:"The tag that is installed."`
	NewTag      string `default:"new" env:"NEW_TAG" help:"The tag that is upgraded to. The nodes must have both, or be able to pull them."`

	NATSURL     string `name:"nats-url" env:"NATS_URL" help:"A broker that pods reach, and that nobody else uses: its stream stays there, and belongs to the database's tables. If not given, one is installed by its official chart."`
	NATSMonitor string `name:"nats-monitor-url" env:"NATS_MONITOR_URL" help:"Its monitoring address."`
	DatabaseURL string `env:"DATABASE_URL" help:"A Postgres that pods reach, and that nobody else uses: its tables stay there. If not given, one is installed."`

	Reach     string        `enum:"service,node" default:"service" env:"REACH" help:"How this program reaches the services: at the address of the Service (service: it runs on a node, or in a pod), or at a port of a node (node)."`
	Namespace string        `env:"NAMESPACE" help:"The namespace; it must not exist. One with a random name if not given."`
	Keep      bool          `help:"Leave everything there at the end, to be looked at."`
	Events    int           `default:"1000" help:"How many check-ins are published before the load."`
	Bad       time.Duration `default:"45s" help:"How long a broken upgrade is given before it is taken back."`

	Kubectl string `default:"kubectl" env:"KUBECTL" help:"The kubectl to use."`
	Helm    string `default:"helm" env:"HELM" help:"The Helm to use: 3 or 4."`
}

// longest is for one step, whatever it waits for.
const longest = 10 * time.Minute

// Run says PASS or FAIL of each step. What it made is removed, also after a failure.
func (c *testCmd) Run(ctx context.Context, out io.Writer) error {
	if c.Namespace == "" {
		c.Namespace = "coworking-test-" + strings.ToLower(rand.Text()[:6])
	}
	s := &site{
		testCmd: c, out: out,
		kube: &kube{kubectl: c.Kubectl, helm: c.Helm, namespace: c.Namespace},
		used: usage{},
	}
	if err := s.look(ctx); err != nil {
		return err
	}
	defer s.remove(ctx)
	s.steps(ctx)
	s.used.report(out)
	fmt.Fprintf(out, "%d passed, %d failed\n", s.passed, s.failed)
	if s.failed > 0 {
		return fault.Internal.Errorf("%d of %d steps failed", s.failed, s.passed+s.failed)
	}
	return nil
}

// steps are what must hold. Each of the first ones is needed by all that follow.
func (s *site) steps(ctx context.Context) {
	if !s.step(ctx, "a namespace of its own, with Pod Security restricted", s.makeNamespace) ||
		!s.step(ctx, "a broker and a database", s.provide) ||
		!s.step(ctx, "install: the schema, the stream, both services ready", s.install) ||
		!s.step(ctx, "what is published is counted", s.publishAndCount) {
		return
	}
	for _, service := range services {
		s.step(ctx, "upgrade of "+service+" under load", s.upgrade(service))
	}
	for _, b := range breakages {
		s.step(ctx, b.name, s.breaks(b))
	}
	s.step(ctx, "both rolled back by hand, and forward again, under load", s.thereAndBack)
	s.step(ctx, "delete each pod in turn, under load", s.deletePods)
	s.step(ctx, "delete each pod of both services without a grace period, under load", s.hurryPods)
	s.step(ctx, "as after a restore: the stream handed out once more", s.handOutAgain)
	s.step(ctx, "helm test", s.helmTest)
	s.step(ctx, "verify: stream, events and rollups agree", s.verify)
	s.step(ctx, "uninstall leaves nothing", s.uninstall)
}

// step runs one step and says how it went; false if it failed.
func (s *site) step(ctx context.Context, name string, run func(context.Context) (string, error)) bool {
	if ctx.Err() != nil { // interrupted: what is left was not tried
		s.failed++
		fmt.Fprintf(s.out, "FAIL    0 s  %s: not tried\n", name)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	began := time.Now()
	figures, err := run(ctx)
	word := "PASS"
	if err != nil {
		word = "FAIL"
		s.failed++
	} else {
		s.passed++
	}
	fmt.Fprintf(s.out, "%s %4.0f s  %s\n", word, time.Since(began).Seconds(), name)
	if figures != "" {
		fmt.Fprintf(s.out, "             %s\n", strings.ReplaceAll(figures, "\n", "\n             "))
	}
	if err != nil {
		fmt.Fprintf(s.out, "             %v\n%s\n", err, s.explain(ctx))
	}
	return err == nil
}

// portOf is an address's port, as the charts' network policies want it.
func portOf(address, otherwise string) string {
	if parsed, err := url.Parse(address); err == nil && parsed.Port() != "" {
		return parsed.Port()
	}
	return otherwise
}
