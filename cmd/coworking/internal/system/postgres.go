package system

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"coworking/pkg/devpg"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
)

// database is the name of the database in a Postgres of our own.
const database = "postgres"

// postgres is a Postgres of our own, started anew at the same port when it dies.
type postgres struct {
	config devpg.Config
	server *devpg.Server
	url    pg.URL
	say    func(string)
}

// startPostgres runs a Postgres on a folder. One that was left behind by a system
// that was killed may still be on its way out: then it waits for it to go.
func startPostgres(ctx context.Context, dir string, patience time.Duration, log *os.File, progress *os.File, say func(string)) (*postgres, error) {
	p := &postgres{config: devpg.Config{Dir: filepath.Join(dir, "postgres"), Log: log, Progress: progress}, say: say}
	giveUp := time.Now().Add(patience)
	for {
		server, err := devpg.Start(ctx, p.config)
		if err == nil {
			p.server, p.url = server, pg.URL(server.URL(database))
			break
		}
		if time.Now().After(giveUp) || !wait(ctx, time.Second) {
			return nil, fault.Of(err).Errorf("%w (%s)", err, log.Name())
		}
	}
	// Its address must not change while others have it.
	parsed, err := url.Parse(string(p.url))
	if err != nil {
		return nil, fault.Internal.Errorf("the database's address: %w", err)
	}
	if p.config.Port, err = strconv.Atoi(parsed.Port()); err != nil {
		return nil, fault.Internal.Errorf("the database's port: %w", err)
	}
	return p, nil
}

// keep starts the server again whenever it dies, until the context ends.
func (p *postgres) keep(ctx context.Context) {
	pause := firstPause
	for {
		began := time.Now()
		select {
		case <-ctx.Done():
			return
		case <-p.server.Exited():
		}
		p.server.Stop() // what is left of it
		if time.Since(began) > steady {
			pause = firstPause
		}
		for {
			p.say(fmt.Sprintf("postgres ended: starting it again in %v", pause))
			if !wait(ctx, pause) {
				return
			}
			pause = min(2*pause, longestPause)
			server, err := devpg.Start(ctx, p.config)
			if err == nil {
				p.server = server
				break
			}
			p.say(err.Error())
		}
	}
}

func (p *postgres) stop() { p.server.Stop() }
