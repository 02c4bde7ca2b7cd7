package key_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// The tests' Postgres lives as long as their process.
func TestMain(m *testing.M) {
	pgtest.VerifyTestMain(m)
}

// newSecret is a key that is in no database.
func newSecret(t *testing.T) (id string, secret key.Secret, hash []byte) {
	t.Helper()
	id, secret, hash, err := key.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id, secret, hash
}

func TestANewKeyReadsAsItself(t *testing.T) {
	id, secret, hash := newSecret(t)
	readID, readHash, ok := key.Parse(string(secret))
	if diff := cmp.Diff([]any{id, hash, true}, []any{readID, readHash, ok}); diff != "" {
		t.Error(diff)
	}
	hidden := strings.TrimPrefix(string(secret), "cw_"+id+"_")
	if sum := sha256.Sum256([]byte(hidden)); len(hidden) != 64 || !bytes.Equal(sum[:], hash) {
		t.Errorf("the secret part has %d characters, or its hash is another's", len(hidden))
	}
	if other, _, _ := newSecret(t); other == id || len(id) != 12 {
		t.Errorf("one id is %s, the next %s", id, other)
	}
}

func TestTheSameBytesMakeTheSameKey(t *testing.T) {
	_, secret, _, err := key.New(strings.NewReader(strings.Repeat("x", 40)))
	const want = "cw_f1w7gy3rf1w7_" + "7878787878787878787878787878787878787878787878787878787878787878"
	if diff := cmp.Diff(want, string(secret)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestWithoutRandomBytesThereIsNoKey(t *testing.T) {
	_, secret, _, err := key.New(iotest.ErrReader(errors.New("dry")))
	if secret != "" || fault.Of(err) != fault.Internal {
		t.Errorf("%q, %v", string(secret), err)
	}
}

func TestWhatNobodyMadeIsNoKey(t *testing.T) {
	_, secret, _ := newSecret(t)
	text := string(secret)
	for name, text := range map[string]string{
		"nothing":                       "",
		"a word":                        "topsecret",
		"no secret":                     text[:16],
		"half of one":                   text[:40],
		"one character more":            text + "0",
		"a blank behind":                text + " ",
		"another prefix":                "gh" + text[2:],
		"letters in capitals":           strings.ToUpper(text),
		"an id with a letter of no id":  text[:3] + "i" + text[4:],
		"a secret with another letter":  text[:len(text)-1] + "g",
		"a secret with a multibyte one": text[:len(text)-2] + "é",
		"very much":                     strings.Repeat("x", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			if id, hash, ok := key.Parse(text); ok || id != "" || hash != nil {
				t.Errorf("it is the key %s", id)
			}
		})
	}
}

func TestASecretIsNotPrinted(t *testing.T) {
	id, secret, _ := newSecret(t)
	hidden := strings.TrimPrefix(string(secret), "cw_"+id+"_")
	type config struct {
		Key key.Secret
		Map map[string]key.Secret
	}
	whole := config{secret, map[string]key.Secret{"key": secret}}
	encoded, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(&log), zap.DebugLevel))
	logger.Info("", zap.Stringer("a", secret), zap.Any("b", secret), zap.Any("c", whole), zap.Reflect("d", &whole), zap.Error(fmt.Errorf("no %v", secret)))
	printed := map[string]string{
		"print": fmt.Sprint(secret, whole, &secret), "String": secret.String(), "GoString": secret.GoString(),
		"json": string(encoded), "zap": log.String(),
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} { // even those for no text
		printed[format] = fmt.Sprintf(format+format, secret, whole)
	}
	for how, text := range printed {
		if strings.Contains(text, hidden) || strings.Contains(text, fmt.Sprintf("%x", hidden)) || !strings.Contains(text, "cw_"+id+"_…") {
			t.Errorf("%s prints %s", how, text)
		}
	}
	if text := key.Secret("cw_" + hidden).String(); text != "…" {
		t.Errorf("what is no key prints as %s", text)
	}
}

func TestAnIDIsReadAsPeopleCopyIt(t *testing.T) {
	id, secret, _ := newSecret(t)
	for name, c := range map[string]struct{ text, want string }{
		"alone":                          {id, id},
		"as the key prints":              {secret.String(), id},
		"the whole key, which leaked":    {string(secret), id},
		"most of it":                     {string(secret)[:30], id},
		"a word":                         {"topsecret", ""},
		"a secret part":                  {string(secret)[16:], ""},
		"an id with a letter of no such": {"7k2m9q4tx8bu", ""},
		"nothing":                        {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := key.ParseID(c.text)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q, %v", got, err)
			}
			if err != nil && c.text != "" && strings.Contains(err.Error(), c.text) {
				t.Errorf("the error quotes it: %v", err)
			}
		})
	}
}
