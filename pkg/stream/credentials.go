package stream

import (
	"os"
	"path/filepath"
	"strings"

	"coworking/pkg/fault"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// InboxPrefix and the name of a user are where the user hears answers: on a broker
// with accounts each has an inbox of its own, and may listen nowhere else.
const InboxPrefix = "_INBOX_"

// SeedSuffix ends the name of a seed file, which begins with that of its user.
const SeedSuffix = ".nk"

// Credentials is who a process is to the broker, as flags of a verb. The zero value
// is nobody, which is all that a broker without accounts wants to know.
type Credentials struct {
	NKey  string `name:"nats-nkey" env:"NATS_NKEY_SEED_FILE" placeholder:"FILE" help:"The seed that proves to the broker who this is, such as seeds/worker.nk of 'ingest setup --accounts'."`
	Creds string `name:"nats-creds" env:"NATS_CREDS" placeholder:"FILE" help:"The same for a broker with operators and JWTs: a .creds file."`
	Inbox string `name:"nats-inbox-prefix" env:"NATS_INBOX_PREFIX" placeholder:"PREFIX" help:"Where answers are heard. With a seed the default is _INBOX_ and the name of its file, without .nk."`
	CA    string `name:"nats-ca" env:"NATS_CA" placeholder:"FILE" help:"The certificates (PEM) that the broker's must be signed by. With it, nothing is said to a broker without TLS."`
}

// Connect is the package's Connect, as somebody. A file that is not there,
// and a seed that is none, are fault.Invalid; what they hold is never logged.
func (c Credentials) Connect(address, name string, log *zap.Logger) (*nats.Conn, jetstream.JetStream, error) {
	options, err := c.options()
	if err != nil {
		return nil, nil, err
	}
	return Connect(address, name, log, options...)
}

// As is the credentials of another user of the same broker, by the seed file; the
// same ones if there is none.
func (c Credentials) As(seed string) Credentials {
	if seed == "" {
		return c
	}
	return Credentials{NKey: seed, CA: c.CA}
}

func (c Credentials) options() ([]nats.Option, error) {
	var options []nats.Option
	switch {
	case c.NKey != "" && c.Creds != "":
		return nil, fault.Invalid.Errorf("a seed file and a .creds file: the broker can be told one thing only")
	case c.NKey != "":
		option, err := nats.NkeyOptionFromSeed(c.NKey)
		if err != nil {
			return nil, fault.Invalid.Errorf("the seed file %s: %w", c.NKey, err)
		}
		options = append(options, option)
	case c.Creds != "":
		if _, err := os.Stat(c.Creds); err != nil { // the client reads it each time it connects, and would try for ever
			return nil, fault.Invalid.Errorf("the .creds file: %w", err)
		}
		options = append(options, nats.UserCredentials(c.Creds))
	}
	if len(options) > 0 {
		// Whoever is refused twice may be welcome the third time: keys and the
		// broker's list of them are not changed in the same instant.
		options = append(options, nats.IgnoreAuthErrorAbort())
	}
	if prefix := c.inbox(); prefix != "" {
		options = append(options, nats.CustomInboxPrefix(prefix))
	}
	if c.CA != "" {
		options = append(options, nats.RootCAs(c.CA))
	}
	return options, nil
}

// inbox is the prefix of the inbox, empty for the client's own.
func (c Credentials) inbox() string {
	if c.Inbox != "" || c.NKey == "" {
		return c.Inbox
	}
	return InboxPrefix + strings.TrimSuffix(filepath.Base(c.NKey), SeedSuffix)
}
