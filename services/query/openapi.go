package main

import (
	"io"

	"coworking/pkg/fault"
	"coworking/services/query/internal/api"
)

// openAPICmd is `query openapi`: what the service answers, for those who write
// clients.
type openAPICmd struct{}

// Help goes below the flags.
func (openAPICmd) Help() string {
	return `It is what a running service answers at /openapi.json. No database is needed.

Example:

    query openapi > openapi.json`
}

// Run writes the document.
func (openAPICmd) Run(out io.Writer) error {
	document, err := api.OpenAPI()
	if err != nil {
		return err
	}
	if _, err := out.Write(document); err != nil {
		return fault.Unavailable.Errorf("writing the document: %w", err)
	}
	return nil
}
