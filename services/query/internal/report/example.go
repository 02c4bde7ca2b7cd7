package report

import (
	"embed"

	"coworking/pkg/fault"
)

// examples are the answers to the reports' examples, which tests hold against the
// world that they are of.
//
//go:embed examples/*.json
var examples embed.FS

// ExampleAnswer is the answer to the report's example, as JSON.
func (r Report) ExampleAnswer() ([]byte, error) {
	body, err := examples.ReadFile("examples/" + r.Name + ".json")
	if err != nil {
		return nil, fault.Internal.Errorf("example: %w", err)
	}
	return body, nil
}
