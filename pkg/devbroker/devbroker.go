// Package devbroker is a NATS broker inside the process, for a laptop or a test.
package devbroker

import (
	"net"
	"strconv"
	"time"

	"coworking/pkg/fault"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"
)

// Config is where the broker keeps its streams and listens. Addresses are
// host:port; port 0 finds a free one.
type Config struct {
	Dir         string      // where the streams are kept; what is there is found again
	Addr        string      // default 127.0.0.1:0
	MonitorAddr string      // of its monitoring pages; none if empty
	SyncAlways  bool        // sync each write: what is acknowledged survives a power cut
	Log         *zap.Logger // warnings and errors of the broker; none if nil
}

// Broker is a running broker.
type Broker struct {
	server        *server.Server
	addr, monitor string // kept, since a stopped server no longer knows
}

const startTimeout = 10 * time.Second

// Start runs a broker and returns when clients can connect and the streams that
// are kept in its folder are there again.
func Start(c Config) (*Broker, error) {
	host, port, err := address(c.Addr)
	if err != nil {
		return nil, err
	}
	options := &server.Options{
		ServerName: "devbroker", Host: host, Port: port,
		JetStream: true, StoreDir: c.Dir, SyncAlways: c.SyncAlways,
		NoSigs: true,
	}
	if c.MonitorAddr != "" {
		if options.HTTPHost, options.HTTPPort, err = address(c.MonitorAddr); err != nil {
			return nil, err
		}
	}
	s, err := server.NewServer(options)
	if err != nil {
		return nil, fault.Internal.Errorf("the broker: %w", err)
	}
	log := &quiet{log: zap.NewNop().Sugar()}
	if c.Log != nil {
		log.log = c.Log.Named("broker").Sugar()
	}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	b := &Broker{server: s}
	if err := b.ready(log); err != nil {
		b.Close()
		return nil, err
	}
	b.addr = s.Addr().String()
	if monitor := s.MonitorAddr(); monitor != nil {
		b.monitor = "http://" + monitor.String()
	}
	return b, nil
}

// ready waits until clients can connect, or the broker has said why they cannot.
func (b *Broker) ready(log *quiet) error {
	for deadline := time.Now().Add(startTimeout); ; {
		switch {
		case log.fatal.Load() != nil:
			return fault.Internal.Errorf("the broker: %s", *log.fatal.Load())
		case b.server.ReadyForConnections(50 * time.Millisecond):
			return nil
		case time.Now().After(deadline):
			return fault.Unavailable.Errorf("the broker did not start within %v", startTimeout)
		}
	}
}

// address splits host:port; the server calls a free port -1.
func address(addr string) (host string, port int, err error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, digits, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fault.Invalid.Errorf("the broker's address: %w", err)
	}
	port, err = strconv.Atoi(digits)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fault.Invalid.Errorf("the broker's address %s: %q is no port", addr, digits)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// Addr is where clients connect, host:port; it can be given to Start again.
func (b *Broker) Addr() string { return b.addr }

// URL is where clients connect.
func (b *Broker) URL() string { return "nats://" + b.addr }

// MonitorURL is where its monitoring pages are, or "" if it has none.
func (b *Broker) MonitorURL() string { return b.monitor }

// Close stops the broker and waits until it has let go of its folder.
func (b *Broker) Close() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
}
