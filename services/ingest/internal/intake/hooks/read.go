package hooks

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"

	"coworking/pkg/calendar"
	"coworking/pkg/event"
	"coworking/pkg/fault"
)

// vendors is the mappings that were made from what a vendor documents.
//
//go:embed vendors/*.json
var vendors embed.FS

// generic is the vendor whose mapping is in the hooks file.
const generic = "generic"

// Options is what a hooks file is read with.
type Options struct {
	// Secret is a secret by its name; false if there is none.
	Secret func(name string) (string, bool)
	// Open allows hooks that neither a signature nor a key protects: only while
	// nobody but this machine can post.
	Open bool
}

// entry is a hook as the file has it.
type entry struct {
	Name      string            `json:"name"` // the vendor's, if not given
	Vendor    string            `json:"vendor"`
	Space     string            `json:"space"`
	Spaces    map[string]string `json:"spaces"`
	Zone      string            `json:"zone"`
	Secret    string            `json:"secret"` // its name
	Key       bool              `json:"key"`
	Tolerance string            `json:"tolerance"`
	Mapping   *Mapping          `json:"mapping"`
}

// Read reads a hooks file. Its error is fault.Invalid, names every mistake with the
// hook that has it, and quotes no secret.
func Read(file []byte, o Options) ([]Hook, error) {
	var written struct {
		Hooks []entry `json:"hooks"`
	}
	if err := strictly(file, &written); err != nil {
		return nil, fault.Invalid.Errorf("the hooks file: %w", err)
	}
	if len(written.Hooks) == 0 {
		return nil, fault.Invalid.Errorf("the hooks file has no hooks")
	}
	var all []Hook
	var wrong []error
	seen := map[string]bool{}
	for _, e := range written.Hooks {
		if e.Name == "" {
			e.Name = e.Vendor
		}
		hook, err := e.hook(o)
		if seen[e.Name] {
			err = errors.Join(err, fault.Invalid.Errorf("another hook has this name"))
		}
		seen[e.Name] = true
		if err != nil {
			wrong = append(wrong, fault.Invalid.Errorf("hook %q: %w", e.Name, err))
		}
		all = append(all, hook)
	}
	return all, errors.Join(wrong...)
}

// strictly reads JSON, and refuses what it does not know: a typo in the name of a
// field is seen at once.
func strictly(file []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fault.Invalid.Errorf("there is more after its end")
	}
	return nil
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

func (e *entry) hook(o Options) (Hook, error) {
	h := Hook{Name: e.Name, Key: e.Key, space: e.Space, spaces: e.Spaces, tolerance: tolerance}
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fault.Invalid.Errorf(format, args...)) }
	if !nameForm.MatchString(e.Name) {
		say("a hook's name is a-z, 0-9, _ and -, up to 63")
	}
	if e.Zone != "" {
		zone, err := calendar.LoadZone(e.Zone)
		h.zone, wrong = zone, append(wrong, err)
	}
	if e.Tolerance != "" {
		var err error
		if h.tolerance, err = time.ParseDuration(e.Tolerance); err != nil || h.tolerance <= 0 {
			say("tolerance %q is no time span like 5m", e.Tolerance)
		}
	}
	mapping, err := e.mapping()
	if err != nil {
		return h, errors.Join(append(wrong, err)...)
	}
	h.mapping = mapping
	wrong = append(wrong, mapping.check(h.zone != nil), e.checkSpaces(&mapping))
	switch secret, known := o.Secret(e.Secret); {
	case e.Secret == "" && !e.Key && !o.Open:
		say("anybody could post to it: give it a secret%s, or let it ask for a key; without either it is taken on a loopback address only", unsignedNote(&mapping))
	case e.Secret == "":
	case mapping.Signature == nil:
		say("it has a secret, but nothing says how it is signed with it")
	case !known || secret == "":
		say("there is no secret of the name %q", e.Secret)
	default:
		h.secret = secret
	}
	return h, errors.Join(wrong...)
}

func unsignedNote(m *Mapping) string {
	if m.Signature == nil {
		return " and say how it is signed"
	}
	return ""
}

// mapping is the vendor's, or the file's own.
func (e *entry) mapping() (Mapping, error) {
	switch {
	case e.Vendor == generic && e.Mapping == nil:
		return Mapping{}, fault.Invalid.Errorf("a generic hook needs a mapping")
	case e.Vendor == generic:
		return *e.Mapping, nil
	case e.Mapping != nil:
		return Mapping{}, fault.Invalid.Errorf("a mapping of your own goes with the vendor generic")
	default:
		return vendor(e.Vendor)
	}
}

// vendor is the mapping of a vendor.
func vendor(name string) (Mapping, error) {
	body, err := vendors.ReadFile("vendors/" + name + ".json")
	if err != nil {
		return Mapping{}, fault.Invalid.Errorf("there is no vendor %q, but %s and %s", name, strings.Join(Vendors(), ", "), generic)
	}
	var m Mapping
	if err := strictly(body, &m); err != nil {
		return Mapping{}, fault.Internal.Errorf("reading the mapping of %s: %w", name, err)
	}
	return m, nil
}

// Vendors is the vendors that need no mapping, sorted.
func Vendors() []string {
	files, err := fs.Glob(vendors, "vendors/*.json")
	if err != nil {
		panic("hooks: " + err.Error()) // the pattern is ours
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(path.Base(file), ".json")
	}
	return files
}

func (e *entry) checkSpaces(m *Mapping) error {
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fault.Invalid.Errorf(format, args...)) }
	_, members := m.aboutMembers()
	switch {
	case members && (e.Space != "" || len(e.Spaces) > 0):
		say("what it tells is about members, who belong to no single space: leave space and spaces away")
	case members:
	case (e.Space == "") == (len(e.Spaces) == 0):
		say("where does it happen? give it a space, or spaces by the vendor's places")
	case len(e.Spaces) > 0 && len(m.Location) == 0:
		say("spaces are told apart by the place, and nothing says where that is")
	}
	named := []string{}
	if e.Space != "" {
		named = append(named, e.Space)
	}
	for _, space := range e.Spaces {
		named = append(named, space)
	}
	for _, space := range named {
		if !event.ValidSpace(space) || space == event.NoSpace {
			say("%q is not the name of a space: a-z, 0-9, _ and -, up to 63", space)
		}
	}
	return errors.Join(wrong...)
}
