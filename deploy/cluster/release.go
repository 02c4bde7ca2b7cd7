package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"coworking/pkg/fault"
)

// install is both charts, each by its defaults but for what this cluster lacks: a
// balancer in front, and three brokers.
func (s *site) install(ctx context.Context) (string, error) {
	for _, service := range services {
		if _, err := s.helmUpgrade(ctx, service, s.OldTag, "--install", "--wait", "--timeout", "5m"); err != nil {
			return "", err
		}
	}
	return s.openLoad(ctx)
}

func (s *site) helmUpgrade(ctx context.Context, service, tag string, more ...string) (string, error) {
	args := []string{"upgrade", service, "deploy/helm/" + service, "--set", "ingress.enabled=false", "--set-string", "image.tag=" + tag}
	set := map[string]string{
		"image.repository":            s.image(service),
		"networkPolicy.database.port": portOf(s.DatabaseURL, "5432"),
	}
	if s.Reach == "node" {
		set["service.type"] = "NodePort"
	}
	if service == "ingest" {
		set["nats.url"], set["nats.monitorUrl"] = s.NATSURL, s.NATSMonitor
		set["networkPolicy.nats.port"] = portOf(s.NATSURL, "4222")
		set["networkPolicy.nats.monitorPort"] = portOf(s.NATSMonitor, "8222")
		set["stream.replicas"], set["stream.maxGibibytes"] = "1", "1"
	}
	for name, value := range set {
		args = append(args, "--set", name+"="+value)
	}
	return s.chart(ctx, append(args, more...)...)
}

func (s *site) image(service string) string {
	if service == "ingest" {
		return s.IngestImage
	}
	return s.QueryImage
}

// upgrade brings a service to the new version while it works.
func (s *site) upgrade(service string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		return s.underLoad(ctx, strict, func(ctx context.Context) error { return s.bring(ctx, service) })
	}
}

// bring is a service at the new version, with nothing left of the old one.
func (s *site) bring(ctx context.Context, service string) error {
	if _, err := s.helmUpgrade(ctx, service, s.NewTag, "--wait", "--timeout", "5m"); err != nil {
		return err
	}
	if err := s.settled(ctx, service); err != nil {
		return err
	}
	return s.runsOnly(ctx, service, s.NewTag)
}

// settled waits until a rollout is done and its old pods have gone.
func (s *site) settled(ctx context.Context, service string) error {
	if _, err := s.ctl(ctx, "rollout", "status", "deployment/"+service, "--timeout", "3m"); err != nil {
		return err
	}
	for {
		pods, err := s.podsAndThoseThatEnd(ctx, serving(service))
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(pods, ends) {
			return nil
		}
		if err := pause(ctx, pollEvery); err != nil {
			return fault.Unavailable.Errorf("old pods of %s do not go: %w", service, err)
		}
	}
}

func serving(service string) string {
	return "app.kubernetes.io/component=run,app.kubernetes.io/instance=" + service
}

// runsOnly says whether every pod of a service is of one version.
func (s *site) runsOnly(ctx context.Context, service, tag string) error {
	pods, err := s.pods(ctx, serving(service))
	if err != nil {
		return err
	}
	if len(pods) == 0 {
		return fault.Internal.Errorf("there is no pod of %s", service)
	}
	for _, p := range pods {
		if image := p.Spec.Containers[0].Image; !strings.HasSuffix(image, ":"+tag) {
			return fault.Internal.Errorf("%s runs %s, and not %s", p.Metadata.Name, image, tag)
		}
	}
	return nil
}

// breakage is an upgrade that cannot go well.
type breakage struct {
	name    string
	service string
	set     []string
}

var breakages = []breakage{
	{"a bad image of query is taken back by itself", "query", nil},
	{"a bad image of ingest, whose jobs fail, is taken back by itself", "ingest", nil},
	{
		"a bad image of ingest, without jobs, is taken back by itself", "ingest",
		[]string{"--set", "migrate.enabled=false", "--set", "setup.enabled=false"},
	},
}

// breaks upgrades to an image that is not there, and sees that nothing comes of it:
// the pods that served go on, and the release is what it was.
func (s *site) breaks(b breakage) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		before, err := s.pods(ctx, serving(b.service))
		if err != nil {
			return "", err
		}
		figures, err := s.underLoad(ctx, strict, func(ctx context.Context) error {
			if _, err := s.helmUpgrade(ctx, b.service, "no-such-version", append(b.set, s.takesBack, "--timeout", s.Bad.String())...); err == nil {
				return fault.Internal.Errorf("the upgrade to an image that is not there went well")
			}
			return nil
		})
		if err != nil {
			return figures, err
		}
		back, err := s.isBack(ctx, b.service)
		if err != nil {
			return figures, err
		}
		after, err := s.pods(ctx, serving(b.service))
		if err != nil {
			return figures, err
		}
		return figures + "\n" + back, sameAs(before, after)
	}
}

// isBack says whether the last thing that happened to a release was its rollback.
func (s *site) isBack(ctx context.Context, service string) (string, error) {
	text, err := s.chart(ctx, "history", service, "--output", "json")
	if err != nil {
		return "", err
	}
	var history []struct {
		Revision    int    `json:"revision"`
		Status      string `json:"status"`
		Description string `json:"description"`
	}
	if err := json.Unmarshal([]byte(text), &history); err != nil || len(history) == 0 {
		return "", fault.Internal.Errorf("reading the history of %s: %w", service, err)
	}
	last := history[len(history)-1]
	if last.Status != "deployed" || !strings.HasPrefix(last.Description, "Rollback") {
		return "", fault.Internal.Errorf("%s is %s: %s", service, last.Status, last.Description)
	}
	return fmt.Sprintf("revision %d: %s", last.Revision, last.Description), s.runsOnly(ctx, service, s.NewTag)
}

// sameAs says whether each pod of before is still there, and was never restarted.
func sameAs(before, after []pod) error {
	for _, old := range before {
		at := slices.IndexFunc(after, func(p pod) bool { return p.Metadata.UID == old.Metadata.UID })
		if at < 0 {
			return fault.Internal.Errorf("%s did not outlive it", old.Metadata.Name)
		}
		for i, c := range after[at].Status.Containers {
			if c.Restarts != old.Status.Containers[i].Restarts {
				return fault.Internal.Errorf("%s was restarted", old.Metadata.Name)
			}
		}
	}
	return nil
}

// thereAndBack takes both services back to what they were at first, by hand, and forward
// again, which also removes what the jobs of broken upgrades left to be read.
func (s *site) thereAndBack(ctx context.Context) (string, error) {
	return s.underLoad(ctx, strict, func(ctx context.Context) error {
		for _, service := range slices.Backward(services) {
			if _, err := s.chart(ctx, "rollback", service, "1", "--wait", "--timeout", "5m"); err != nil {
				return err
			}
			if err := s.settled(ctx, service); err != nil {
				return err
			}
			if err := s.runsOnly(ctx, service, s.OldTag); err != nil {
				return err
			}
		}
		for _, service := range services {
			if err := s.bring(ctx, service); err != nil {
				return err
			}
		}
		return nil
	})
}

// deletePods tells each pod to go, waits until it has and until another has taken its
// place, and goes on to the next. Reports go on meanwhile, but for where the only
// database goes.
func (s *site) deletePods(ctx context.Context) (string, error) {
	figures, err := s.underLoad(ctx, strict, func(ctx context.Context) error {
		for _, service := range services {
			if err := s.deleteEach(ctx, serving(service), "deployment/"+service); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return figures, err
	}
	for label, owner := range map[string]string{
		"app.kubernetes.io/name=nats":     "statefulset/nats",
		"app.kubernetes.io/name=postgres": "statefulset/postgres",
	} {
		if pods, err := s.pods(ctx, label); err != nil || len(pods) == 0 {
			continue // given, and not ours to stop
		}
		more, err := s.underLoad(ctx, nothingLost, func(ctx context.Context) error { return s.deleteEach(ctx, label, owner) })
		figures += "\n" + owner + ": " + more
		if err != nil {
			return figures, err
		}
	}
	return figures, nil
}

// hurryPods gives them no time to finish: reports that they were asked for at that
// moment may be lost, events are not.
func (s *site) hurryPods(ctx context.Context) (string, error) {
	return s.underLoad(ctx, nothingLost, func(ctx context.Context) error {
		for _, service := range services {
			if err := s.deleteEach(ctx, serving(service), "deployment/"+service, "--force", "--grace-period=0"); err != nil {
				return err
			}
		}
		return nil
	})
}

// handOutAgain is what docs/deploy.md does after a restore: ingest goes, the chart's job has
// the stream hand out all that it has, and ingest comes back. Here the database lacks
// nothing, so each event comes again and none may count.
func (s *site) handOutAgain(ctx context.Context) (string, error) {
	if err := s.scale(ctx, "ingest", 0); err != nil {
		return "", err
	}
	if _, err := s.helmUpgrade(ctx, "ingest", s.NewTag, "--set", "setup.replay=true", "--timeout", "5m"); err != nil {
		return "", err
	}
	if pods, err := s.pods(ctx, serving("ingest")); err != nil || len(pods) > 0 {
		return "", errors.Join(err, fault.Internal.Errorf("%d pods of ingest came back with the upgrade", len(pods)))
	}
	if err := s.scale(ctx, "ingest", 2); err != nil {
		return "", err
	}
	again, err := s.handedOutAgain(ctx)
	if err != nil {
		return "", err
	}
	if err := s.load.counted(ctx); err != nil {
		return "", err
	}
	_, err = s.helmUpgrade(ctx, "ingest", s.NewTag, "--wait", "--timeout", "5m")
	return fmt.Sprintf("%d messages came again, %d events are counted", again, s.load.total), err
}

// scale says how many pods a service has, and waits until that is so.
func (s *site) scale(ctx context.Context, service string, count int) error {
	if _, err := s.ctl(ctx, "scale", "deployment/"+service, "--replicas", strconv.Itoa(count)); err != nil {
		return err
	}
	return s.settled(ctx, service)
}

// handedOutAgain waits until at least as many duplicates came as events were acknowledged:
// pods that have just started count from nothing.
func (s *site) handedOutAgain(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		pods, err := s.pods(ctx, serving("ingest"))
		if err != nil {
			return 0, err
		}
		again := 0
		for _, p := range pods {
			text, err := say(ctx, "", s.kubectl, "get", "--raw", "/api/v1/namespaces/"+s.namespace+"/pods/"+p.Metadata.Name+":5154/proxy/metrics")
			if err != nil {
				return 0, err
			}
			for _, found := range duplicates.FindAllStringSubmatch(text, -1) {
				count, err := strconv.ParseFloat(found[1], 64)
				if err != nil {
					return 0, fault.Internal.Errorf("reading %s: %w", found[0], err)
				}
				again += int(count)
			}
		}
		if again >= s.load.total {
			return again, nil
		}
		if err := pause(ctx, pollEvery); err != nil {
			return again, fault.Unavailable.Errorf("%d messages came again, of %d: %w", again, s.load.total, err)
		}
	}
}

var duplicates = regexp.MustCompile(`(?m)^ingest_messages_total\{[^}]*outcome="duplicate"[^}]*\} (\S+)$`)

func (s *site) deleteEach(ctx context.Context, label, owner string, how ...string) error {
	pods, err := s.pods(ctx, label)
	if err != nil {
		return err
	}
	for _, p := range pods {
		if _, err := s.ctl(ctx, append([]string{"delete", "pod", p.Metadata.Name, "--timeout", "2m"}, how...)...); err != nil {
			return err
		}
		if _, err := s.ctl(ctx, "rollout", "status", owner, "--timeout", "3m"); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) helmTest(ctx context.Context) (string, error) {
	for _, service := range services {
		if _, err := s.chart(ctx, "test", service, "--timeout", "2m"); err != nil {
			return "", err
		}
	}
	return "", nil
}

// verify runs tonight's job now.
func (s *site) verify(ctx context.Context) (string, error) {
	if _, err := s.ctl(ctx, "create", "job", "verify-now", "--from", "cronjob/ingest-verify"); err != nil {
		return "", err
	}
	failed := s.ended(ctx, "verify-now")
	said, err := s.ctl(ctx, "logs", "job/verify-now")
	if failed != nil || err != nil {
		return said, errors.Join(failed, err)
	}
	var report struct {
		Equal  bool `json:"equal"`
		Stream struct {
			Partitions []struct {
				Messages int `json:"messages"`
			} `json:"partitions"`
		} `json:"stream"`
	}
	if err := json.Unmarshal([]byte(said), &report); err != nil || !report.Equal || len(report.Stream.Partitions) == 0 {
		return said, fault.Internal.Errorf("it does not say that they are equal: %w", err)
	}
	return fmt.Sprintf("%d messages in the stream, %d events acknowledged, each with its own number", report.Stream.Partitions[0].Messages, s.load.total), nil
}

// ended waits for a job; an error if it failed.
func (s *site) ended(ctx context.Context, name string) error {
	for {
		var job struct {
			Status struct {
				Succeeded int `json:"succeeded"`
				Failed    int `json:"failed"`
			} `json:"status"`
		}
		err := s.get(ctx, &job, "job", name)
		switch {
		case err != nil:
			return err
		case job.Status.Succeeded > 0:
			return nil
		case job.Status.Failed > 0:
			return fault.Internal.Errorf("the job %s failed", name)
		}
		if err := pause(ctx, pollEvery); err != nil {
			return fault.Unavailable.Errorf("the job %s does not end: %w", name, err)
		}
	}
}

// uninstall takes both releases away, and looks for what they forgot. The Secrets were
// made by hand, the job by the step before.
func (s *site) uninstall(ctx context.Context) (string, error) {
	if _, err := s.ctl(ctx, "delete", "job", "verify-now", "--ignore-not-found"); err != nil {
		return "", err
	}
	for _, service := range slices.Backward(services) {
		if _, err := s.chart(ctx, "uninstall", service, "--wait", "--timeout", "3m"); err != nil {
			return "", err
		}
	}
	return s.nothingLeft(ctx)
}

// nothingLeft looks for objects of every kind there is, until none is there.
func (s *site) nothingLeft(ctx context.Context) (string, error) {
	text, err := say(ctx, "", s.kubectl, "api-resources", "--namespaced", "--verbs=list,delete", "--output", "name")
	if err != nil {
		return "", err
	}
	kinds := strings.Fields(text)
	var left string
	// A pod may take as long as its grace period.
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); {
		left, err = s.ctl(ctx, "get", strings.Join(kinds, ","), "--selector", "app.kubernetes.io/part-of=coworking", "--output", "name", "--ignore-not-found")
		if err != nil {
			return "", err
		}
		if left == "" {
			return strconv.Itoa(len(kinds)) + " kinds of objects looked for", nil
		}
		if err := pause(ctx, pollEvery); err != nil {
			return "", err
		}
	}
	return "", fault.Internal.Errorf("still there: %s", strings.Join(strings.Fields(left), ", "))
}
