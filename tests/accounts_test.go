package tests

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"coworking/pkg/devpg"
	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// guarded is a broker as `ingest setup --accounts` configures it, with TLS, the
// stream, and publishers for the spaces berlin and soho.
type guarded struct {
	*testing.T
	dir    string // with the configuration
	url    string
	ca     string
	server *server.Server
}

// shortly is how long a request waits that nobody may answer.
const shortly = 300 * time.Millisecond

// guard starts a broker whose accounts.conf is changed before, or as it is.
func guard(t *testing.T, change func(string) string) *guarded {
	t.Helper()
	g := &guarded{T: t, dir: t.TempDir()}
	g.ca = filepath.Join(g.dir, "ca.crt")
	g.verb("setup", "--accounts", "--space", "berlin", "--space", "soho", "--partitions", "2", "--out", g.dir)
	writeCertificates(t, g.dir)
	g.edit("accounts.conf", change)
	g.edit("nats-server.conf", strings.NewReplacer(
		"0.0.0.0:4222", "127.0.0.1:-1", "127.0.0.1:8222", "127.0.0.1:-1",
		"/etc/nats/certs", g.dir, "/var/lib/nats", t.TempDir(),
	).Replace)
	options, err := server.ProcessConfigFile(filepath.Join(g.dir, "nats-server.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if !options.SyncAlways {
		t.Error("the broker does not sync every write")
	}
	options.NoSigs, options.NoLog = true, true
	if g.server, err = server.NewServer(options); err != nil {
		t.Fatal(err)
	}
	g.server.Start()
	t.Cleanup(func() {
		g.server.Shutdown()
		g.server.WaitForShutdown()
	})
	if !g.server.ReadyForConnections(patience) {
		t.Fatal("the broker does not start")
	}
	g.url = "nats://" + g.server.Addr().String()
	g.verb("setup", "--partitions", "2", "--max-bytes", "67108864")
	return g
}

func (g *guarded) edit(name string, change func(string) string) {
	g.Helper()
	path := filepath.Join(g.dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		g.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(change(string(text))), 0o600); err != nil {
		g.Fatal(err)
	}
}

// command is a binary, as a user.
func (g *guarded) command(binary, user string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(g.Context(), binary, args...)
	cmd.Env = append(environment(), "NATS_URL="+g.url, "NATS_CA="+g.ca, "NATS_NKEY_SEED_FILE="+g.seed(user))
	return cmd
}

// verb runs a verb of ingest as the admin.
func (g *guarded) verb(args ...string) {
	g.Helper()
	if out, err := g.command(ingest(g.T), "admin", args...).CombinedOutput(); err != nil {
		g.Fatalf("ingest %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (g *guarded) seed(user string) string {
	return filepath.Join(g.dir, "seeds", user+stream.SeedSuffix)
}

// as connects a user as our clients do.
func (g *guarded) as(user string) (*nats.Conn, jetstream.JetStream) {
	g.Helper()
	conn, js, err := stream.Credentials{NKey: g.seed(user), CA: g.ca}.Connect(g.url, g.Name(), zap.NewNop())
	if err != nil {
		g.Fatal(err)
	}
	g.Cleanup(conn.Close)
	if !conn.IsConnected() {
		g.Fatalf("%s is not let in: %v", user, conn.LastError())
	}
	return conn, js
}

// stored is how many messages the stream has of a space.
func (g *guarded) stored(space string) int {
	g.Helper()
	_, js := g.as("admin")
	there, err := js.Stream(g.Context(), stream.Name)
	if err != nil {
		g.Fatal(err)
	}
	info, err := there.Info(g.Context(), jetstream.WithSubjectFilter("checkins.v1.*."+space+".>"))
	if err != nil {
		g.Fatal(err)
	}
	count := 0
	for _, n := range info.State.Subjects {
		count += int(n)
	}
	return count
}

// checks are what accounts promise; an error is a promise broken. The last ones
// break the most where nothing holds them back.
var checks = []struct {
	name string
	run  func(*guarded) error
}{
	{"a publisher's own events are acknowledged", (*guarded).publishesItsOwn},
	{"nobody publishes for another's space", (*guarded).publishesForAnother},
	{"an acknowledgement is not sent into another's space", (*guarded).answersIntoAnothers},
	{"no id of a publisher suppresses another's event", (*guarded).suppresses},
	{"a publisher listens to its own inbox alone", (*guarded).listens},
	{"the worker cannot publish", (*guarded).workerPublishes},
	{"the worker changes nothing in the stream", func(g *guarded) error { return g.meddles("worker") }},
	{"a publisher knows of no stream", func(g *guarded) error { return g.meddles("publisher-berlin") }},
}

func (g *guarded) publishesItsOwn() error {
	before := g.stored("berlin")
	conn, js := g.as("publisher-berlin")
	var messages []stream.Message
	for i := range 5 {
		messages = append(messages, checkIn("berlin", strconv.Itoa(i)))
	}
	p := stream.NewPublisher(js, stream.Patience{})
	if err := errors.Join(p.PublishBatch(g.Context(), messages, nil).Err(), p.Publish(g.Context(), messages[0])); err != nil {
		return err
	}
	if stored := g.stored("berlin") - before; stored != 6 || conn.LastError() != nil {
		return fmt.Errorf("%d of 6 are stored, %w", stored, conn.LastError())
	}
	return nil
}

func (g *guarded) publishesForAnother() error {
	before := g.stored("soho")
	conn, _ := g.as("publisher-berlin")
	forged := checkIn("soho", "forged")
	answer, err := conn.Request(forged.Subject, forged.Body, shortly)
	if stored := g.stored("soho") - before; err == nil || stored != 0 {
		return fmt.Errorf("%d are stored: %v", stored, answer)
	}
	return nil
}

// answersIntoAnothers asks the stream to send its acknowledgement to another space,
// or to the stream's own API.
func (g *guarded) answersIntoAnothers() error {
	before := g.stored("soho")
	conn, _ := g.as("publisher-berlin")
	mine := checkIn("berlin", "with an address for the answer")
	for _, reply := range []string{
		"checkins.v1.soho.checkin", "checkins.v1.0.soho.checkin",
		"$JS.API.STREAM.PURGE.CHECKINS", "$JS.API.CONSUMER.DELETE.CHECKINS.ingest-v1-0",
	} {
		if err := conn.PublishRequest(mine.Subject, reply, mine.Body); err != nil {
			return err
		}
	}
	if _, err := conn.Request(mine.Subject, mine.Body, patience); err != nil { // after all of these
		return err
	}
	if stored := g.stored("soho") - before; stored != 0 {
		return fmt.Errorf("%d acknowledgements are stored as another's events", stored)
	}
	return nil
}

// suppresses lets a publisher use the ids of another's next event, in the event and
// in the header that the broker goes by.
func (g *guarded) suppresses() error {
	before := g.stored("soho")
	mine, theirs := checkIn("berlin", "next"), checkIn("soho", "next")
	conn, _ := g.as("publisher-berlin")
	for _, id := range []string{"next", "door/next", theirs.Subject} {
		message := &nats.Msg{Subject: mine.Subject, Data: mine.Body, Header: nats.Header{nats.MsgIdHdr: {id}}}
		if _, err := conn.RequestMsg(message, patience); err != nil {
			return err
		}
	}
	_, js := g.as("publisher-soho")
	if err := stream.NewPublisher(js, stream.Patience{}).Publish(g.Context(), theirs); err != nil {
		return err
	}
	if stored := g.stored("soho") - before; stored != 1 {
		return fmt.Errorf("%d of 1 are stored", stored)
	}
	return nil
}

func (g *guarded) listens() error {
	for _, subject := range []string{
		">", "*.>", "checkins.v1.>", "checkins.v1.berlin.>", "checkins.v1.0.soho.>", "_INBOX.>", "_INBOX_publisher-soho.>", "_INBOX_worker.>", "$JS.>",
	} {
		conn, _ := g.as("publisher-berlin")
		_, err := conn.SubscribeSync(subject)
		err = errors.Join(err, conn.FlushTimeout(patience), conn.LastError())
		if !errors.Is(err, nats.ErrPermissionViolation) {
			return fmt.Errorf("it may listen to %s: %w", subject, err)
		}
	}
	return nil
}

func (g *guarded) workerPublishes() error {
	before := g.stored("berlin")
	conn, _ := g.as("worker")
	forged := checkIn("berlin", "forged")
	_, err := conn.Request(forged.Subject, forged.Body, shortly)
	if stored := g.stored("berlin") - before; err == nil || stored != 0 {
		return fmt.Errorf("%d are stored", stored)
	}
	return nil
}

// meddles tries what would change the stream or make it readable in another way. It
// goes on after the first thing that works.
func (g *guarded) meddles(user string) error {
	conn, _ := g.as(user)
	js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(shortly))
	if err != nil {
		return err
	}
	var done []string
	for _, attempt := range []struct {
		what, subject, body string
	}{
		{"make a consumer", "CONSUMER.CREATE.CHECKINS.spy", `{"stream_name":"CHECKINS","config":{"name":"spy","ack_policy":"none"}}`},
		{"make a durable", "CONSUMER.DURABLE.CREATE.CHECKINS.spy2", `{"stream_name":"CHECKINS","config":{"durable_name":"spy2","ack_policy":"none"}}`},
		{"list the streams", "STREAM.NAMES", ``},
		{"read directly", "DIRECT.GET.CHECKINS", `{"seq":1}`},
		{"make a stream", "STREAM.CREATE.MINE", `{"name":"MINE","subjects":["mine.>"],"storage":"memory"}`},
		{"delete an event", "STREAM.MSG.DELETE.CHECKINS", `{"seq":1}`},
		{"purge", "STREAM.PURGE.CHECKINS", `{}`},
		{"delete a durable", "CONSUMER.DELETE.CHECKINS.ingest-v1-1", ``},
	} {
		answer, err := js.Conn().Request("$JS.API."+attempt.subject, []byte(attempt.body), shortly)
		if err == nil && !bytes.Contains(answer.Data, []byte(`"error"`)) {
			done = append(done, attempt.what)
		}
	}
	if user != "worker" {
		for _, subject := range []string{"STREAM.INFO.CHECKINS", "STREAM.MSG.GET.CHECKINS", "CONSUMER.INFO.CHECKINS.ingest-v1-0", "CONSUMER.MSG.NEXT.CHECKINS.ingest-v1-0"} {
			answer, err := js.Conn().Request("$JS.API."+subject, []byte(`{"seq":2}`), shortly)
			if err == nil && !bytes.Contains(answer.Data, []byte(`"error"`)) {
				done = append(done, subject)
			}
		}
	}
	if len(done) > 0 {
		return fmt.Errorf("it can %s", strings.Join(done, ", "))
	}
	return nil
}

func TestAPublisherReachesItsOwnSpaceAlone(t *testing.T) {
	t.Parallel()
	g := guard(t, strings.Clone)
	for _, check := range checks {
		if err := check.run(g); err != nil {
			t.Errorf("%s: %v", check.name, err)
		}
	}
	_, js := g.as("publisher-berlin")
	err := stream.NewPublisher(js, stream.Patience{Acknowledgement: shortly}).Publish(t.Context(), checkIn("soho", "forged"))
	if fault.Code(err) != "publish_unavailable" || !errors.Is(err, nats.ErrPermissionViolation) {
		t.Errorf("who publishes for another's space does not hear why nobody answers: %v", err)
	}
}

// A publisher's key is exchanged for another while everybody goes on publishing.
func TestAPublisherIsRotatedWithoutARestart(t *testing.T) {
	t.Parallel()
	g := guard(t, strings.Clone)
	_, soho := g.as("publisher-soho")
	old, berlin := g.as("publisher-berlin")
	goesOn := func(space string, js jetstream.JetStream) error {
		return stream.NewPublisher(js, stream.Patience{Acknowledgement: shortly}).Publish(t.Context(), checkIn(space, rand.Text()))
	}

	g.verb("setup", "--accounts", "--publisher", "berlin-2=berlin", "--out", g.dir)
	g.reload()
	_, next := g.as("berlin-2")
	// While a broker takes up its accounts anew, no stream answers for a moment, and a publisher tries again.
	eventually(t, "everybody publishes, with both keys", func() bool {
		return errors.Join(goesOn("soho", soho), goesOn("berlin", berlin), goesOn("berlin", next)) == nil
	})

	g.verb("setup", "--accounts", "--remove", "publisher-berlin", "--out", g.dir)
	g.reload()
	eventually(t, "the old key is refused", func() bool { return !old.IsConnected() })
	if goesOn("berlin", berlin) == nil {
		t.Error("the old key publishes still")
	}
	eventually(t, "everybody publishes, with the new key", func() bool {
		return errors.Join(goesOn("soho", soho), goesOn("berlin", next)) == nil
	})
}

// reload is what the broker does on SIGHUP, twice: nats-server 2.15 takes up the
// imports of a new account only when it is reloaded with the account already there.
func (g *guarded) reload() {
	g.Helper()
	if err := errors.Join(g.server.Reload(), g.server.Reload()); err != nil {
		g.Fatal(err)
	}
}

var (
	permissions = regexp.MustCompile(`permissions: \{[^{}]*\}`)
	users       = regexp.MustCompile(`\{[^{}]*nkey: \w+\s+permissions: \{[^{}]*\}\s*\}`)
)

// Whatever guards can be taken away, and then somebody gets through: with the
// permissions, with the accounts, with both.
func TestEachGuardIsNeeded(t *testing.T) {
	t.Parallel()
	without := func(text string) string { return permissions.ReplaceAllString(text, "") }
	together := func(text string) string {
		return "accounts { COWORKING { jetstream: enabled, users: [\n" + strings.Join(users.FindAllString(text, -1), "\n") + "\n] } }\n"
	}
	cases := map[string]struct {
		change func(string) string
		want   []string
	}{
		"without permissions": {without, []string{checks[4].name, checks[5].name, checks[6].name}},
		"in one account":      {together, []string{checks[2].name}},
		"with neither": {
			func(text string) string { return without(together(text)) },
			[]string{checks[1].name, checks[2].name, checks[4].name, checks[5].name, checks[6].name, checks[7].name},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of it is waiting for answers that never come
			g := guard(t, c.change)
			var broken []string
			for _, check := range checks {
				if err := check.run(g); err != nil {
					broken = append(broken, check.name)
					t.Logf("%s: %v", check.name, err)
				}
			}
			if diff := cmp.Diff(c.want, broken); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNobodyGetsInUnproven(t *testing.T) {
	t.Parallel()
	g := guard(t, strings.Clone)
	cases := map[string][]nats.Option{
		"without a key":                   {nats.RootCAs(g.ca)},
		"with a key, not trusting the CA": {nkey(t, g.seed("worker"))},
		"with somebody else's key":        {nats.RootCAs(g.ca), nkey(t, g.seed("worker")), nats.Nkey("UBFRHZAEFDHHE5NZDRYBJQ5X6DUYY4CYSWCQB3USQVOAIPIS32MZIZUU", func([]byte) ([]byte, error) { return make([]byte, 64), nil })},
	}
	for name, options := range cases {
		t.Run(name, func(t *testing.T) {
			conn, err := nats.Connect(g.url, options...)
			if err == nil {
				conn.Close()
				t.Error("it is let in")
			}
		})
	}
	t.Run("without TLS", func(t *testing.T) {
		plain, err := net.Dial("tcp", g.server.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer plain.Close()
		if _, err := plain.Write([]byte("CONNECT {\"verbose\":true}\r\nPING\r\n")); err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(bufio.NewReader(plain)) // until the broker hangs up
		if bytes.Contains(said, []byte("PONG")) || bytes.Contains(said, []byte("+OK")) {
			t.Errorf("it is answered: %s", said)
		}
	})
}

func nkey(t *testing.T, seed string) nats.Option {
	t.Helper()
	option, err := nats.NkeyOptionFromSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	return option
}

// From a publisher and from the door over HTTP to the database, each part with the
// permissions that it has and no more.
func TestTheSystemWorksWithItsPermissions(t *testing.T) {
	t.Parallel()
	g := guard(t, strings.Clone)
	dir := folder(t)
	database, err := devpg.Start(t.Context(), devpg.Config{Dir: dir, Port: freePort(t), Log: io.Discard, Progress: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Stop() })
	address := database.URL("postgres")
	g.verb("migrate", "up", "--database-url", address)

	door := "127.0.0.1:" + strconv.Itoa(freePort(t))
	run := g.command(ingest(t), "worker", "run", "--database-url", address, "--partitions", "2", "--intake-addr", door, "--nats-door-nkey", g.seed("door"))
	log := &lines{}
	run.Stdout, run.Stderr = log, log
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	t.Cleanup(func() {
		if !ended {
			_ = run.Process.Kill()
			_ = run.Wait()
		}
	})

	publish := g.command(coworking(t), "publisher-berlin", "publish", "-")
	publish.Stdin = bytes.NewReader(slices.Concat(checkIn("berlin", "1").Body, []byte("\n"), checkIn("berlin", "2").Body, []byte("\n")))
	if out, err := publish.CombinedOutput(); err != nil {
		t.Fatalf("publish: %v\n%s", err, out)
	}
	exported := t.TempDir()
	writeFile(t, exported, "2025.csv", "when,who\n2026-03-02T10:00:00Z,ada\n")
	writeFile(t, exported, "columns.json", `{"columns":{"time":"when","member":"who"},"constants":{"kind":"checkin","space":"berlin"}}`)
	imported := g.command(coworking(t), "publisher-berlin", "import", "csv", "--map", "columns.json", "2025.csv")
	imported.Dir = exported
	if out, err := imported.CombinedOutput(); err != nil {
		t.Fatalf("import csv: %v\n%s", err, out)
	}
	eventually(t, "the door is open", func() bool { return get("http://"+door+"/livez") != "" })
	posted, err := http.Post("http://"+door+"/v1/events", "application/cloudevents+json", bytes.NewReader(checkIn("soho", "3").Body))
	if err != nil {
		t.Fatal(err)
	}
	posted.Body.Close()
	if posted.StatusCode != http.StatusAccepted {
		t.Errorf("the door answers %s", posted.Status)
	}
	db, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	eventually(t, "all four are stored", func() bool {
		count := 0
		err := db.QueryRow(t.Context(), "select count(*) from events").Scan(&count)
		return err == nil && count == 4
	})
	_, js := g.as("admin")
	for partition := range 2 {
		eventually(t, "every event is answered for", func() bool {
			durable, err := js.Consumer(t.Context(), stream.Name, stream.Durable(partition))
			return err == nil && durable.CachedInfo().NumPending == 0 && durable.CachedInfo().NumAckPending == 0
		})
	}
	g.verb("verify", "--quiet", "--database-url", address, "--partitions", "2")
	g.verb("erase", "--member", "ada", "--database-url", address, "--partitions", "2")
	if g.stored("berlin")+g.stored("soho") != 0 {
		t.Error("the stream still has events of an erased member")
	}

	ended = true
	if err := errors.Join(run.Process.Signal(syscall.SIGTERM), run.Wait()); err != nil {
		t.Errorf("ingest run: %v\n%s", err, log)
	}
	if strings.Contains(strings.ToLower(log.String()), "violation") {
		t.Errorf("the worker wants more than it may:\n%s", log)
	}
}

// checkIn is an event of the member ada.
func checkIn(space, id string) stream.Message {
	return stream.Message{Subject: "checkins.v1." + space + ".checkin", Body: fmt.Appendf(nil,
		`{"specversion":"1.0","id":%q,"source":"door","type":"coworking.v1.checkin","time":"2026-03-02T09:00:00Z","subject":"ada","data":{"space":%q}}`, id, space)}
}

// writeCertificates makes a certificate authority and the broker's certificate.
func writeCertificates(t *testing.T, dir string) {
	t.Helper()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the test's own"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authorityKey := privateKey(t)
	sign := func(name string, certificate *x509.Certificate, key *ecdsa.PrivateKey) {
		signed, err := x509.CreateCertificate(rand.Reader, certificate, authority, &key.PublicKey, authorityKey)
		if err != nil {
			t.Fatal(err)
		}
		writePEM(t, filepath.Join(dir, name), "CERTIFICATE", signed)
	}
	sign("ca.crt", authority, authorityKey)
	key := privateKey(t)
	sign("tls.crt", &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, key)
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, filepath.Join(dir, "tls.key"), "PRIVATE KEY", encoded)
	if _, err := tls.LoadX509KeyPair(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")); err != nil {
		t.Fatal(err)
	}
}

func privateKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t *testing.T, path, kind string, body []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: body}), 0o600); err != nil {
		t.Fatal(err)
	}
}
