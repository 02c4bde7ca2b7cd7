package hooks

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// What docs/adapters.md shows can be copied: its hooks are hooks, and its turnstile
// posts what its mapping reads.
func TestTheDocumentationCanBeCopied(t *testing.T) {
	page, err := os.ReadFile("../../../../../docs/adapters.md")
	if err != nil {
		t.Fatal(err)
	}
	var payload, turnstile []byte
	read := 0
	for i, part := range bytes.Split(page, []byte("```")) {
		block, isJSON := bytes.CutPrefix(part, []byte("json\n"))
		switch {
		case i%2 == 0 || !isJSON:
			continue
		case bytes.HasPrefix(block, []byte(`{"sent"`)):
			payload = block
			continue
		case bytes.HasPrefix(block, []byte(`{"name"`)):
			block = bytes.Join([][]byte{[]byte(`{"hooks":[`), block, []byte(`]}`)}, nil)
		case !bytes.HasPrefix(block, []byte(`{"hooks"`)):
			continue
		}
		all, err := Read(block, Options{Secret: secrets})
		if err != nil {
			t.Errorf("%s: %v", block, err)
		}
		read += len(all)
		if all[0].Name == "turnstile" {
			turnstile = block
		}
	}
	all, err := Read(turnstile, Options{Secret: secrets})
	if err != nil {
		t.Fatal(err)
	}
	if told := become(t, &all[0], payload); read != 5 || !strings.Contains(told, `"time":"2026-03-29T00:59:59Z","subject":"A-17"`) {
		t.Errorf("%d hooks; the turnstile tells %s", read, told)
	}
}
