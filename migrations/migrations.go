// Package migrations is the schema's history: one numbered pair of files a change.
package migrations

import (
	"embed"
	"io/fs"
	"strconv"
	"strings"
)

// FS holds the files NNNNNN_name.up.sql and NNNNNN_name.down.sql.
//
//go:embed *.sql
var FS embed.FS

// Latest is the version that this build's code is written for: the highest number.
func Latest() uint {
	names, _ := fs.Glob(FS, "*.up.sql") // the pattern is well formed
	latest := uint(0)
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		if n, err := strconv.ParseUint(number, 10, 32); err == nil {
			latest = max(latest, uint(n))
		}
	}
	return latest
}
