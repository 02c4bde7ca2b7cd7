package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestTheDescriptionIsPrinted(t *testing.T) {
	var out bytes.Buffer
	if err := new(openAPICmd).Run(&out); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(kept), "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("make openapi writes it anew (-kept +printed):\n%s", diff)
	}
}

// Every address of a service that runs answers with a status that was described, and
// with a body that is as it was.
func TestAddressesAnswerAsDescribed(t *testing.T) {
	r := start(t, pgtest.URL(t), "127.0.0.1")
	_, body := r.get("/openapi.json")
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", document); err != nil {
		t.Fatal(err)
	}
	var described struct {
		Paths map[string]struct {
			Get struct {
				Responses map[string]struct {
					Ref     string `json:"$ref"`
					Content map[string]struct{}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &described); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for path, item := range described.Paths {
		status, body := r.get(strings.ReplaceAll(path, "{report}", "daily_usage"))
		response, known := item.Get.Responses[strconv.Itoa(status)]
		if !known {
			t.Errorf("%s: nobody said that it answers %d: %s", path, status, body)
			continue
		}
		pointer := "/paths/" + strings.ReplaceAll(path, "/", "~1") + "/get/responses/" + strconv.Itoa(status) + "/content/application~1json/schema"
		switch _, isJSON := response.Content["application/json"]; {
		case response.Ref != "":
			pointer = strings.TrimPrefix(response.Ref, "#") + "/content/application~1problem+json/schema"
		case !isJSON:
			continue
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if err := compiler.MustCompile("openapi.json#" + pointer).Validate(value); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		checked++
	}
	if checked < len(described.Paths)/2 {
		t.Errorf("of %d addresses, only %d answers were looked at", len(described.Paths), checked)
	}
}
