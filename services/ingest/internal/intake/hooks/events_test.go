package hooks

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coworking/pkg/event"
	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// secrets is what the hooks of the tests sign with: each has its own name's.
func secrets(name string) (string, bool) { return "secret of " + name, name != "" && name != "lost" }

// configured is a hook of testdata/hooks.json.
func configured(t *testing.T, name string) *Hook {
	t.Helper()
	all, err := Read(file(t, "hooks.json"), Options{Secret: secrets})
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	t.Fatalf("there is no hook %q", name)
	return nil
}

func file(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// become says what becomes of a payload: each event, as the door reads it.
func become(t *testing.T, h *Hook, payload []byte) string {
	t.Helper()
	mapped, err := h.Map(payload)
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for _, body := range mapped.Events {
		e, err := event.Decode(body, event.Options{Strict: true})
		if err != nil {
			fmt.Fprintf(&told, "refused %s %s: %s\n", fault.Code(err), fault.Pointer(err), body)
			continue
		}
		fmt.Fprintf(&told, "%s\n", e.Encode(nil))
	}
	fmt.Fprintf(&told, "ignored %d, unplaced %d\n", mapped.Ignored, mapped.Unplaced)
	return told.String()
}

func TestEachPayloadBecomesItsEvents(t *testing.T) {
	for name, hook := range map[string]string{
		"kisi_unlock_documented":       "kisi",
		"kisi_unlock_by_member":        "kisi",
		"kisi_unlock_refused":          "kisi",
		"kisi_other_type":              "kisi",
		"kisi_other_place":             "kisi",
		"envoy_visitor_in":             "envoy",
		"envoy_employee_out":           "envoy",
		"envoy_invite":                 "envoy",
		"officernd_payment_documented": "officernd",
		"officernd_member_created":     "officernd",
		"officernd_member_removed":     "officernd",
		"nexudus_checkin_sample":       "nexudus-checkins",
		"generic_turnstile":            "turnstile",
	} {
		t.Run(name, func(t *testing.T) {
			got := become(t, configured(t, hook), file(t, name+".json"))
			golden := name + ".golden"
			if *update {
				if err := os.WriteFile(filepath.Join("testdata", golden), []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(file(t, golden)), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A vendor that saw no answer sends the same again, maybe written another way.
func TestARetryHasTheSameIDs(t *testing.T) {
	h, payload := configured(t, "turnstile"), file(t, "generic_turnstile.json")
	first := become(t, h, payload)
	again := become(t, h, bytes.ReplaceAll(payload, []byte(`":"`), []byte("\" :\n\"")))
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("(-first +again):\n%s", diff)
	}
	other := become(t, h, bytes.ReplaceAll(payload, []byte("A-17"), []byte("A-71")))
	if _, id, _ := strings.Cut(first, `"id"`); strings.Contains(other, id[:34]) {
		t.Errorf("two members have the event %s", id[:34])
	}
}

func TestWhatIsNoPayloadIsRefused(t *testing.T) {
	many := "[" + strings.Repeat(`{},`, most) + "{}]"
	for name, c := range map[string]struct{ body, code string }{
		"nothing":            {"", "invalid_json"},
		"no JSON":            {"unlock=1", "invalid_json"},
		"JSON and something": {"{} {}", "trailing_data"},
		"JSON and its end":   {"{}}", "trailing_data"},
		"Latin-1":            {"{\"actor_id\":\"M\xfcller\"}", "invalid_text"},
		"too many":           {many, "too_many_events"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := configured(t, "kisi").Map([]byte(c.body)); fault.Code(err) != c.code || fault.Of(err) != fault.Invalid {
				t.Errorf("%v", err)
			}
		})
	}
}

// What nobody expects of a vendor must not make it give up on the hook.
func TestUnknownTypesAreIgnored(t *testing.T) {
	for name, body := range map[string]string{
		"a new type":      `{"type":"lock.sung"}`,
		"no type":         `{}`,
		"a type of pings": `{"type":null}`,
		"a text":          `"ping"`,
		"null":            `null`,
		"a list of those": `[{"type":"lock.sung"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			mapped, err := configured(t, "kisi").Map([]byte(body))
			if err != nil || mapped.Ignored != 1 || len(mapped.Events) != 0 {
				t.Errorf("%+v, %v", mapped, err)
			}
		})
	}
}
