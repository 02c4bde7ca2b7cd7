package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"github.com/nats-io/nkeys"
)

var (
	//go:embed accounts/accounts.conf
	accountsText string
	//go:embed accounts/nats-server.conf
	serverText []byte
)

// accountsFlags are those of `ingest setup --accounts`.
type accountsFlags struct {
	Accounts  bool     `help:"Touch no broker: write the configuration of one with a user for each publisher, and their keys, to --out. What is there is kept, what is new is added."`
	Space     []string `placeholder:"NAME" help:"With --accounts: a space with a publisher of its own, publisher-NAME; may be said more than once."`
	Publisher []string `sep:"none" placeholder:"NAME=SPACE,…" help:"With --accounts: a publisher for several spaces, or for _, which is members; may be said more than once."`
	Remove    []string `placeholder:"NAME" help:"With --accounts: a user to forget, whose seed is deleted. worker, door and admin get a new one."`
	Out       string   `placeholder:"DIR" help:"With --accounts: the folder to write to."`
}

func (f accountsFlags) check() error {
	switch {
	case f.Accounts && f.Out == "":
		return fault.Invalid.Errorf("--accounts needs --out, the folder to write to")
	case !f.Accounts && len(f.Space)+len(f.Publisher)+len(f.Remove)+len(f.Out) > 0:
		return fault.Invalid.Errorf("--space, --publisher, --remove and --out go with --accounts")
	}
	return nil
}

// user is somebody whom the broker knows. The seed is in a file of its own and may be
// anywhere by now: the public key is what stays.
type user struct {
	Name      string   `json:"name"`
	PublicKey string   `json:"public_key"`
	Spaces    []string `json:"spaces,omitempty"` // of a publisher
}

// The users that are no publishers.
const (
	workerUser = "worker" // `ingest run`, reading
	doorUser   = "door"   // `ingest run`, taking events over HTTP
	adminUser  = "admin"  // every other verb of ingest
)

var staff = []string{adminUser, doorUser, workerUser}

// accounts is a folder with the broker's users: accounts.json says who there is,
// accounts.conf says it to the broker, and seeds/ has a seed for each.
type accounts struct {
	known

	dir     string
	out     io.Writer
	changed bool
}

// known is accounts.json, what one run tells the next.
type known struct {
	Partitions int    `json:"partitions"` // whose durables the worker may read
	Users      []user `json:"users"`      // by name
}

// writeAccounts does all of `ingest setup --accounts`, and says what it did.
func writeAccounts(f accountsFlags, partitions int, out io.Writer) error {
	wanted, err := f.wanted()
	if err != nil {
		return err
	}
	a := &accounts{dir: f.Out, out: out}
	if err := a.read(); err != nil {
		return err
	}
	a.Partitions = max(a.Partitions, partitions) // who forgets the flag takes nothing away
	for _, name := range f.Remove {
		if err := a.remove(name); err != nil {
			return err
		}
	}
	for _, u := range wanted {
		if err := a.add(u); err != nil {
			return err
		}
	}
	return a.write()
}

// wanted is the users that the flags ask for, and those who are always there.
func (f accountsFlags) wanted() ([]user, error) {
	var wanted []user
	for _, name := range staff {
		wanted = append(wanted, user{Name: name})
	}
	for _, space := range f.Space {
		wanted = append(wanted, user{Name: "publisher-" + space, Spaces: []string{space}})
	}
	for _, text := range f.Publisher {
		name, spaces, _ := strings.Cut(text, "=")
		if !event.ValidSpace(name) || name == event.NoSpace || slices.Contains(staff, name) {
			return nil, fault.Invalid.Errorf("--publisher %s: %q cannot be a publisher's name; small letters, digits, - and _ can, and not %s", text, name, strings.Join(staff, ", "))
		}
		wanted = append(wanted, user{Name: name, Spaces: strings.Split(spaces, ",")})
	}
	for _, u := range wanted {
		for _, space := range u.Spaces {
			if !event.ValidSpace(space) {
				return nil, fault.Invalid.Errorf("publisher %s: %q is no name of a space", u.Name, space)
			}
		}
	}
	return wanted, nil
}

// read takes up what an earlier run left.
func (a *accounts) read() error {
	if err := os.MkdirAll(a.seeds(), 0o700); err != nil {
		return fault.Internal.Errorf("the folder: %w", err)
	}
	text, err := os.ReadFile(a.path("accounts.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.Internal.Errorf("the users so far: %w", err)
	}
	if err := json.Unmarshal(text, &a.known); err != nil {
		return fault.Invalid.Errorf("the users so far, accounts.json: %w", err)
	}
	return nil
}

// remove forgets a user. Its seed goes first: were it last, an interruption between
// would leave a seed that the next user of that name takes up.
func (a *accounts) remove(name string) error {
	at := a.find(name)
	if at < 0 {
		return fault.NotFound.Errorf("--remove %s: there is no such user", name)
	}
	if err := os.Remove(a.seed(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Internal.Errorf("removing a seed: %w", err)
	}
	a.Users = slices.Delete(a.Users, at, at+1)
	a.say("user %s removed", name)
	return nil
}

// add makes a user who is not there yet, or gives one who is the spaces that are new.
func (a *accounts) add(wanted user) error {
	at := a.find(wanted.Name)
	if at < 0 {
		key, err := a.key(wanted.Name)
		if err != nil {
			return err
		}
		a.Users = append(a.Users, user{Name: wanted.Name, PublicKey: key})
		at = len(a.Users) - 1
		a.say("user %s made, seed in %s", wanted.Name, a.seed(wanted.Name))
	}
	for _, space := range wanted.Spaces {
		if u := &a.Users[at]; !slices.Contains(u.Spaces, space) {
			u.Spaces = append(u.Spaces, space)
			a.say("user %s may publish for %s", u.Name, space)
		}
	}
	return nil
}

// key makes a seed and gives its public key. A seed that is there already, from a run
// that was interrupted, is taken up.
func (a *accounts) key(name string) (string, error) {
	text, err := os.ReadFile(a.seed(name))
	if err == nil {
		return publicKey(name, bytes.TrimSpace(text))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fault.Internal.Errorf("reading a seed: %w", err)
	}
	pair, err := nkeys.CreateUser()
	if err != nil {
		return "", fault.Internal.Errorf("making a key: %w", err)
	}
	defer pair.Wipe()
	seed, err := pair.Seed()
	if err != nil {
		return "", fault.Internal.Errorf("making a key: %w", err)
	}
	if err := a.writeSeed(name, seed); err != nil {
		return "", fault.Internal.Errorf("writing a seed: %w", err)
	}
	return publicKey(name, seed)
}

// writeSeed never writes over another.
func (a *accounts) writeSeed(name string, seed []byte) error {
	file, err := os.OpenFile(a.seed(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(slices.Clone(seed), '\n'))
	return errors.Join(err, file.Close())
}

func publicKey(name string, seed []byte) (string, error) {
	pair, err := nkeys.FromSeed(seed)
	if err != nil {
		return "", fault.Invalid.Errorf("the seed of %s: %w", name, err)
	}
	defer pair.Wipe()
	key, err := pair.PublicKey()
	if err != nil || !nkeys.IsValidPublicUserKey(key) {
		return "", fault.Invalid.Errorf("the seed of %s is not that of a user", name)
	}
	return key, nil
}

// write says who there is: to the next run, to the broker and to whoever ran this.
func (a *accounts) write() error {
	slices.SortFunc(a.Users, func(x, y user) int { return cmp.Compare(x.Name, y.Name) })
	for i := range a.Users {
		slices.Sort(a.Users[i].Spaces)
	}
	list, err := json.MarshalIndent(a.known, "", "  ")
	if err != nil {
		return fault.Internal.Errorf("the users: %w", err)
	}
	configuration, err := a.configuration()
	if err != nil {
		return fault.Internal.Errorf("the users: %w", err)
	}
	for _, file := range []struct {
		name string
		text []byte
		once bool // it is the operator's from then on
	}{
		{name: "accounts.json", text: append(list, '\n')},
		{name: "accounts.conf", text: configuration},
		{name: "nats-server.conf", text: serverText, once: true},
	} {
		if err := a.replace(file.name, file.text, file.once); err != nil {
			return fault.Internal.Errorf("writing %s: %w", file.name, err)
		}
	}
	if !a.changed {
		fmt.Fprintln(a.out, "nothing to do: every user is there")
	}
	return nil
}

// configuration is accounts.conf.
func (a *accounts) configuration() ([]byte, error) {
	type member struct {
		user

		Inbox   string
		Publish []string // subjects
	}
	var people struct{ Staff, Publishers []member }
	for _, u := range a.Users {
		m := member{user: u, Inbox: stream.InboxPrefix + u.Name, Publish: a.subjects(u)}
		if slices.Contains(staff, u.Name) {
			people.Staff = append(people.Staff, m)
		} else {
			people.Publishers = append(people.Publishers, m)
		}
	}
	parsed, err := template.New("accounts.conf").Parse(accountsText)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = parsed.Execute(&text, people)
	return text.Bytes(), err
}

// subjects is where a user may publish.
func (a *accounts) subjects(u user) []string {
	const api = "$JS.API."
	var subjects []string
	switch u.Name {
	case workerUser: // it binds, and makes nothing
		subjects = []string{api + "STREAM.INFO." + stream.Name, api + "STREAM.MSG.GET." + stream.Name}
		for partition := range a.Partitions {
			durable := stream.Name + "." + stream.Durable(partition)
			subjects = append(subjects, api+"CONSUMER.INFO."+durable, api+"CONSUMER.MSG.NEXT."+durable, api+"CONSUMER.UNPIN."+durable, "$JS.ACK."+durable+".>")
		}
	case doorUser: // whoever comes in over HTTP has shown a key for the space
		subjects = []string{event.SubjectPrefix + ">"}
	case adminUser: // setup, verify (which reads through a consumer of its own) and erase
		for _, verb := range []string{
			"STREAM.INFO.%s", "STREAM.CREATE.%s", "STREAM.UPDATE.%s", "STREAM.MSG.GET.%s", "STREAM.MSG.DELETE.%s",
			"CONSUMER.LIST.%s", "CONSUMER.INFO.%s.*", "CONSUMER.CREATE.%s.>", "CONSUMER.DELETE.%s.*", "CONSUMER.MSG.NEXT.%s.*",
		} {
			subjects = append(subjects, api+fmt.Sprintf(verb, stream.Name))
		}
	default:
		for _, space := range u.Spaces {
			subjects = append(subjects, event.SubjectPrefix+space+".>")
		}
	}
	return subjects
}

// replace writes a file at one stroke, since a broker may be reading it, and only if
// that changes it.
func (a *accounts) replace(name string, text []byte, once bool) error {
	there, err := os.ReadFile(a.path(name))
	if err == nil && (once || bytes.Equal(there, text)) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	half := a.path(name) + ".half"
	if err := os.WriteFile(half, text, 0o644); err != nil {
		return err
	}
	if err := os.Rename(half, a.path(name)); err != nil {
		return err
	}
	a.say("%s written", a.path(name))
	return nil
}

func (a *accounts) find(name string) int {
	return slices.IndexFunc(a.Users, func(u user) bool { return u.Name == name })
}

func (a *accounts) path(name string) string { return filepath.Join(a.dir, name) }

func (a *accounts) seeds() string { return a.path("seeds") }

func (a *accounts) seed(name string) string { return filepath.Join(a.seeds(), name+stream.SeedSuffix) }

func (a *accounts) say(format string, words ...any) {
	a.changed = true
	fmt.Fprintf(a.out, format+"\n", words...)
}
