package calendar

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"coworking/pkg/fault"
)

// ZoneRules is the release of the IANA time zone database that days are worked
// out with. Newer rules may move days: bring the two up together, then rebuild.
const ZoneRules = "2025c"

// zoneInfo is lib/time/zoneinfo.zip of the Go distribution. time.LoadLocation
// with time/tzdata would ask the machine's own files first, whose rules, and
// whose idea of upper and lower case, are another machine's.
//
//go:embed zoneinfo.zip
var zoneInfo []byte

// zones is the files of zoneInfo by name.
var zones = sync.OnceValue(func() map[string]*zip.File {
	archive, err := zip.NewReader(bytes.NewReader(zoneInfo), int64(len(zoneInfo)))
	if err != nil {
		panic(err) // it is part of the program
	}
	files := map[string]*zip.File{}
	for _, file := range archive.File {
		if !strings.HasSuffix(file.Name, "/") {
			files[file.Name] = file
		}
	}
	return files
})

// LoadZone is the time zone with an IANA name, like Europe/Berlin. An offset,
// "Local", "" or a name that does not exist is fault.Invalid, `invalid_time_zone`.
func LoadZone(name string) (*time.Location, error) {
	if name == "UTC" {
		return time.UTC, nil
	}
	file, known := zones()[name]
	if !known {
		return nil, fault.Invalid.With("invalid_time_zone", "", "%q is not the name of a time zone, like Europe/Berlin", name)
	}
	opened, err := file.Open()
	if err != nil {
		return nil, fault.Internal.Errorf("zone %s: %w", name, err)
	}
	defer opened.Close()
	rules, err := io.ReadAll(opened)
	if err != nil {
		return nil, fault.Internal.Errorf("zone %s: %w", name, err)
	}
	zone, err := time.LoadLocationFromTZData(name, rules)
	if err != nil {
		return nil, fault.Internal.Errorf("zone %s: %w", name, err)
	}
	return zone, nil
}

// Zones is every name that LoadZone knows, sorted.
func Zones() []string {
	var names []string
	for name := range zones() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
