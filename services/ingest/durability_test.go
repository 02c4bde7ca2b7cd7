package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"coworking/pkg/boot"

	"go.uber.org/zap"
	logs "go.uber.org/zap/zaptest/observer"
)

// A worker that starts while the broker is away says how durable it is once it is back.
func TestWhatIsWeakerThanPromisedIsSaidOnceItIsKnown(t *testing.T) {
	s := newService(t)
	health := boot.NewHealth()
	core, log := logs.New(zap.InfoLevel)
	said := func(message, of string) (times int) {
		for _, entry := range log.FilterMessage(message).All() {
			if strings.Contains(fmt.Sprint(entry.ContextMap()), of) {
				times++
			}
		}
		return times
	}
	s.stream.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		(&runCmd{}).noteDurability(ctx, zap.New(core), health, s.pool, s.stream.JS)
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for said("not known yet how durable the broker is", "broker") == 0 {
		select {
		case <-tick.C:
		case <-ended:
			t.Fatal("it gave up")
		}
	}
	s.stream.Restart()
	<-ended
	if n := said("weaker than promised", "1 of 3 copies"); n != 1 {
		t.Errorf("the broker's copies are mentioned %d times", n)
	}
	if n := said("weaker than promised", "synchronous_commit"); n != 1 {
		t.Errorf("the database's setting is mentioned %d times", n)
	}
}
