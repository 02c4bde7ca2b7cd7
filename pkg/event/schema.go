package event

import (
	"embed"
	"io/fs"
)

//go:embed schema/*.json
var schemaFiles embed.FS

// Schemas is the JSON Schemas (2020-12) of the events as a strict reader takes them:
// <kind>.json for each kind, and event.json for any of them. They name unknown fields
// and most mistakes; Decode also looks at lengths in bytes, at years and at zones.
func Schemas() fs.FS {
	files, err := fs.Sub(schemaFiles, "schema")
	if err != nil {
		panic(err) // the name is a good one
	}
	return files
}
