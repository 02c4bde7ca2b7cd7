package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"coworking/pkg/fault"
)

const (
	pollEvery = 500 * time.Millisecond
	// around is how long the load runs before and after what happens under it.
	around = 3 * time.Second
	// patience is how long an event may take from its acknowledgement into a report.
	patience = time.Minute
)

// load is who publishes and who reads, over and over.
type load struct {
	door, reports       string // host:port
	doorKey, reportsKey string
	space               string
	day                 time.Time

	mu    sync.Mutex
	next  int // of the events, each with its own number
	total int // of those that were acknowledged, ever
}

// account is what came of one stretch of load.
type account struct {
	mu sync.Mutex

	events, again int            // acknowledged; and sent once more although they were
	requests      map[string]int // of publishers, by what came of them
	reports       int
	failed        []string // reports, and why
	unexpected    []string // what publishers heard and must not
}

func (a *account) String() string {
	var outcomes []string
	for _, outcome := range slices.Sorted(maps.Keys(a.requests)) {
		outcomes = append(outcomes, fmt.Sprintf("%s x %d", outcome, a.requests[outcome]))
	}
	return fmt.Sprintf("%d events acknowledged, %d of them sent twice (%s); %d reports, %d failed",
		a.events, a.again, strings.Join(outcomes, ", "), a.reports, len(a.failed))
}

// openLoad makes keys the way that people do, and finds out where the services are.
func (s *site) openLoad(ctx context.Context) (string, error) {
	l := &load{
		space: "cluster-" + strings.ToLower(rand.Text()[:8]),
		day:   time.Now().UTC().AddDate(0, 0, -1).Truncate(24 * time.Hour),
	}
	var err error
	for key, scope := range map[*string]string{&l.doorKey: "events:write", &l.reportsKey: "reports:read"} {
		if *key, err = s.ctl(ctx, "exec", "deployment/query", "--", "query", "keys", "create", "cluster test", "--scope", scope); err != nil {
			return "", err
		}
	}
	if l.door, err = s.address(ctx, "ingest"); err != nil {
		return "", err
	}
	if l.reports, err = s.address(ctx, "query"); err != nil {
		return "", err
	}
	s.load = l
	return fmt.Sprintf("ingest at %s, query at %s", l.door, l.reports), nil
}

// address is where a Service is reached from here. It is looked up once: what is under
// test is the service, and not the names.
func (s *site) address(ctx context.Context, service string) (string, error) {
	var found struct {
		Spec struct {
			ClusterIP string `json:"clusterIP"`
			Ports     []struct {
				Port     int `json:"port"`
				NodePort int `json:"nodePort"`
			} `json:"ports"`
		} `json:"spec"`
	}
	if err := s.get(ctx, &found, "service", service); err != nil {
		return "", err
	}
	port := found.Spec.Ports[0]
	if s.Reach == "service" {
		return net.JoinHostPort(found.Spec.ClusterIP, strconv.Itoa(port.Port)), nil
	}
	node, err := s.ctl(ctx, "get", "nodes", "--output", `jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}`)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(strings.Fields(node)[0], strconv.Itoa(port.NodePort)), nil
}

// publishAndCount is the same without a load: what goes in comes out.
func (s *site) publishAndCount(ctx context.Context) (string, error) {
	a := &account{requests: map[string]int{}}
	p := s.load.publisher(a, true)
	watching, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { s.watch(watching) })
	defer group.Wait()
	defer stop()
	for a.events < s.Events {
		if err := p.publish(ctx, s.load.batch(min(100, s.Events-a.events))); err != nil {
			return a.String(), err
		}
	}
	return a.String(), s.settle(ctx, a, strict)
}

// severity is what a stretch of load must not have seen.
type severity int

const (
	nothingLost severity = iota // each event counts once
	strict                      // and not one report failed
)

// underLoad does something while events come in and reports are read, and then sees
// that each event that was ever acknowledged counts, and counts once.
func (s *site) underLoad(ctx context.Context, how severity, do func(context.Context) error) (string, error) {
	a := &account{requests: map[string]int{}}
	loading, stop := context.WithCancel(ctx)
	defer stop()
	var group sync.WaitGroup
	for i := range 4 {
		kept := i%2 == 0
		if i < 2 {
			group.Go(func() { s.load.publisher(a, kept).run(ctx, loading) })
		}
		group.Go(func() { s.load.reader(a, kept).run(loading) })
	}
	group.Go(func() { s.watch(loading) })

	err := pause(ctx, around)
	if err == nil {
		err = do(ctx)
	}
	if err == nil {
		err = pause(ctx, around)
	}
	stop()
	group.Wait()
	if err != nil {
		return a.String(), err
	}
	return a.String(), s.settle(ctx, a, how)
}

// settle judges a stretch of load, and waits until its events are counted.
func (s *site) settle(ctx context.Context, a *account, how severity) error {
	s.load.total += a.events
	if err := s.load.counted(ctx); err != nil {
		return err
	}
	switch {
	case len(a.unexpected) > 0:
		return fault.Internal.Errorf("publishers heard what they must not, such as %s", a.unexpected[0])
	case how == strict && len(a.failed) > 0:
		return fault.Internal.Errorf("reports failed: %s", strings.Join(a.failed[:min(5, len(a.failed))], "; "))
	default:
		return nil
	}
}

// counted waits until the report says as many check-ins as were ever acknowledged.
func (l *load) counted(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r := l.reader(&account{}, false)
	for {
		body, err := r.get(ctx, l.dailyUsage())
		got := -1
		if err == nil {
			got, err = checkins(body)
		}
		switch {
		case got == l.total:
			return nil
		case got > l.total:
			return fault.Internal.Errorf("%d check-ins are counted, of %d", got, l.total)
		}
		if late := pause(ctx, pollEvery); late != nil {
			return fault.Internal.Errorf("%d check-ins are counted, of %d (%w)", got, l.total, err)
		}
	}
}

func (l *load) dailyUsage() string {
	return fmt.Sprintf("/api/v1/reports/daily_usage?space=%s&from=%s&to=%s", l.space,
		l.day.Format(time.DateOnly), l.day.AddDate(0, 0, 1).Format(time.DateOnly))
}

// checkins is the number in the report of one day; 0 of a space that is not known yet.
func checkins(body []byte) (int, error) {
	var answer struct {
		Totals struct {
			Checkins *int `json:"checkins"`
		} `json:"totals"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return -1, fault.Internal.Errorf("the report is not readable: %w", err)
	}
	if answer.Totals.Checkins == nil {
		return 0, nil
	}
	return *answer.Totals.Checkins, nil
}

// pause waits, unless the context ends before.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
