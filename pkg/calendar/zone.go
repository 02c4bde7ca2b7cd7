package calendar

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"io/fs"
	"slices"
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

// archive is zoneInfo, opened.
var archive = sync.OnceValue(func() *zip.Reader {
	reader, err := zip.NewReader(bytes.NewReader(zoneInfo), int64(len(zoneInfo)))
	if err != nil {
		panic(err) // it is part of the program
	}
	return reader
})

// Zones is every name that LoadZone knows, sorted.
var Zones = sync.OnceValue(func() []string {
	var names []string
	for _, file := range archive().File {
		if !file.Mode().IsDir() {
			names = append(names, file.Name)
		}
	}
	slices.Sort(names)
	return names
})

// LoadZone is the time zone with an IANA name, like Europe/Berlin. An offset,
// "Local", "" or a name that does not exist is fault.Invalid, `invalid_time_zone`.
func LoadZone(name string) (*time.Location, error) {
	if name == "UTC" {
		return time.UTC, nil
	}
	if _, known := slices.BinarySearch(Zones(), name); !known {
		return nil, fault.Invalid.With("invalid_time_zone", "", "%q is not the name of a time zone, like Europe/Berlin", name)
	}
	rules, err := fs.ReadFile(archive(), name)
	if err != nil {
		return nil, fault.Internal.Errorf("zone %s: %w", name, err)
	}
	zone, err := time.LoadLocationFromTZData(name, rules)
	if err != nil {
		return nil, fault.Internal.Errorf("zone %s: %w", name, err)
	}
	return zone, nil
}
