package boot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shop is a binary with two verbs.
type shop struct {
	Run   runCmd   `cmd:"" help:"Let people in."`
	Close closeCmd `cmd:"" help:"Let nobody in."`
}

type runCmd struct {
	Door    string `required:"" env:"SHOP_DOOR" help:"Which door."`
	Key     string `required:"" env:"SHOP_KEY" help:"What opens it."`
	Seats   int    `default:"20" env:"SHOP_SEATS" help:"How many may sit."`
	Tables  int    `default:"5" env:"SHOP_TABLES" help:"How many tables there are."`
	Music   string `default:"jazz" enum:"jazz,none" env:"SHOP_MUSIC" help:"What is played: ${enum}."`
	Lights  bool   `default:"true" negatable:"" help:"Whether there is light."`
	Fail    bool   `help:"Find the door stuck."`
	Wait    bool   `help:"Stay open until told to close."`
	Visitor string `arg:"" optional:"" help:"Who comes first."`
}

func (c *runCmd) Run(ctx context.Context, log *zap.Logger, out io.Writer) error {
	if c.Fail {
		return errors.New("the door is stuck")
	}
	if c.Wait {
		<-ctx.Done()
	}
	log.Info("open", zap.Int("seats", c.Seats))
	fmt.Fprintf(out, "%s, %d seats, music %s, lights %v\n", c.Door, c.Seats, c.Music, c.Lights)
	return nil
}

type closeCmd struct {
	Tables int  `default:"5" env:"SHOP_TABLES_LEFT" help:"How many tables are left."`
	Stuck  bool `help:"Find the shutter stuck."`
}

type stuckError struct{}

func (stuckError) Error() string { return "the shutter is stuck" }
func (stuckError) ExitCode() int { return 7 }

func (c closeCmd) Run() error {
	if c.Stuck {
		return stuckError{}
	}
	return nil
}

func TestEveryMistakeIsSaidInOneGo(t *testing.T) {
	cases := map[string]struct {
		args        string
		environment map[string]string
		want        string
	}{
		"two flags are missing": {
			args: "run",
			want: "shop: --door (SHOP_DOOR) is missing: Which door.\nshop: --key (SHOP_KEY) is missing: What opens it.\n",
		},
		"an empty variable is as good as none": {
			args:        "run --door north",
			environment: map[string]string{"SHOP_KEY": ""},
			want:        "shop: --key (SHOP_KEY) is missing: What opens it.\n",
		},
		"a flag, two variables, a choice and a missing flag": {
			args:        "run --door north --seats many",
			environment: map[string]string{"SHOP_TABLES": "few", "SHOP_MUSIC": "polka"},
			want: "shop: --key (SHOP_KEY) is missing: What opens it.\n" +
				"shop: --seats (SHOP_SEATS): expected a valid 64 bit int but got \"many\"\n" +
				"shop: --tables (SHOP_TABLES): expected a valid 64 bit int but got \"few\"\n" +
				"shop: --music (SHOP_MUSIC): \"polka\" is none of jazz, none\n",
		},
		"unknown flags hide nothing": {
			args: "run --dour=north --cellar --seats many --key=k --door=d",
			want: "shop: unknown flag --dour, did you mean \"--door\"?\n" +
				"shop: unknown flag --cellar\n" +
				"shop: --seats (SHOP_SEATS): expected a valid 64 bit int but got \"many\"\n",
		},
		"no verb": {
			args: "",
			want: "shop: expected one of \"run\", \"close\"\n",
		},
		"a level that is none": {
			args: "close --log-level=shout",
			want: "shop: --log-level (LOG_LEVEL): unrecognized level: \"shout\"\n",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for name, value := range c.environment {
				t.Setenv(name, value)
			}
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), "shop", "A shop.", &shop{}, strings.Fields(c.args), &stdout, &stderr)
			if diff := cmp.Diff(c.want+"shop --help says what there is.\n", stderr.String()); diff != "" {
				t.Errorf("standard error (-want +got):\n%s", diff)
			}
			if code != exitUsage || stdout.Len() > 0 {
				t.Errorf("exit code %d, standard output %q", code, &stdout)
			}
		})
	}
}

func TestAVerbRuns(t *testing.T) {
	cases := map[string]struct {
		args        string
		environment map[string]string
		code        int
		out, log    string
	}{
		"with flags": {
			args: "run --door north --key k --no-lights --music none",
			out:  "north, 20 seats, music none, lights false\n", log: "open",
		},
		"with variables": {
			args:        "run",
			environment: map[string]string{"SHOP_DOOR": "south", "SHOP_KEY": "k", "SHOP_SEATS": "3"},
			out:         "south, 3 seats, music jazz, lights true\n", log: "open",
		},
		"with a flag that outdoes a bad variable": {
			args:        "run --seats 7",
			environment: map[string]string{"SHOP_DOOR": "south", "SHOP_KEY": "k", "SHOP_SEATS": "many"},
			out:         "south, 7 seats, music jazz, lights true\n", log: "open",
		},
		"whatever is wrong with another verb": {
			args:        "close",
			environment: map[string]string{"SHOP_SEATS": "many"},
		},
		"and fails": {
			args: "run --door north --key k --fail", code: exitFailed, log: "run ended",
		},
		"less loudly": {
			args: "run --door north --key k --log-level error",
			out:  "north, 20 seats, music jazz, lights true\n",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for name, value := range c.environment {
				t.Setenv(name, value)
			}
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), "shop", "A shop.", &shop{}, strings.Fields(c.args), &stdout, &stderr)
			log, out := split(t, stdout.String())
			if code != c.code || out != c.out || log != c.log || stderr.Len() > 0 {
				t.Errorf("exit code %d, output %q, log %q, standard error %q", code, out, log, &stderr)
			}
		})
	}
}

func TestAVerbBesideTheServiceSpeaksToPeople(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), "shop", "A shop.", &shop{}, []string{"close", "--stuck"}, &stdout, &stderr)
	if code != 7 || stdout.Len() > 0 || stderr.String() != "shop: the shutter is stuck\n" {
		t.Errorf("exit code %d, output %q, standard error %q", code, &stdout, &stderr)
	}
}

// split tells the log, one JSON object a line, from the output: the last message,
// and the text.
func split(t *testing.T, stdout string) (log, out string) {
	t.Helper()
	for line := range strings.Lines(stdout) {
		var entry struct{ Msg, Level, Time, Service string }
		if json.Unmarshal([]byte(line), &entry) != nil {
			out += line
			continue
		}
		if entry.Service != "shop" || entry.Level == "" || entry.Time == "" {
			t.Errorf("log line %s", line)
		}
		log = entry.Msg
	}
	return log, out
}

func TestAVerbEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		ended <- run(ctx, "shop", "A shop.", &shop{}, []string{"run", "--door=d", "--key=k", "--wait"}, io.Discard, io.Discard)
	}()
	stop()
	if code := <-ended; code != exitWell {
		t.Errorf("exit code %d", code)
	}
}

func TestHelpAndVersionAreAnswered(t *testing.T) {
	cases := map[string]struct{ args, want string }{
		"the version":      {args: "--version", want: "shop development\n"},
		"what verbs exist": {args: "--help", want: "Let nobody in."},
		"what a verb asks": {args: "run --help", want: "--seats=20          How many may sit ($SHOP_SEATS)."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), "shop", "A shop.", &shop{}, strings.Fields(c.args), &stdout, &stderr)
			if code != exitWell || stderr.Len() > 0 || !strings.Contains(stdout.String(), c.want) {
				t.Errorf("exit code %d, standard error %q, output:\n%s", code, &stderr, &stdout)
			}
		})
	}
}
