// Package stream is how both ends meet: the stream's name, subjects and
// configuration, and how to connect, publish and bind to it.
package stream

import (
	"strconv"
	"strings"

	"coworking/pkg/fault"
)

// Name is the stream's; there is one for every kind of event.
const Name = "CHECKINS"

// What a publisher says, and what is stored. The stream itself puts the partition
// in, a hash of the space, so that publishers need not know how many there are.
// Every subject that the stream listens to is rewritten: a publisher that may speak
// for a space named "0" still cannot write a stored subject of somebody else's, and
// whatever stands in its place is delivered, and refused where it is read.
const (
	prefix    = "checkins.v1."
	published = prefix + "*.>"
)

// stored is the subject that a published one is stored under.
func stored(partitions int) string {
	return prefix + "{{partition(" + strconv.Itoa(partitions) + ",1)}}.{{wildcard(1)}}.>"
}

// filter is what the durable of a partition is handed.
func filter(partition int) string { return prefix + strconv.Itoa(partition) + ".>" }

// Durable is the name of a partition's durable.
func Durable(partition int) string { return durablePrefix + strconv.Itoa(partition) }

const durablePrefix = "ingest-v1-"

// Subject is a stored subject, taken apart. Neither Space nor Kind is known to be
// valid: who reads the event checks them.
type Subject struct {
	Partition int
	Space     string
	Kind      string
}

// ParseSubject takes a stored subject apart: checkins.v1.<partition>.<space>.<kind>.
// Anything else is fault.Invalid with the code `invalid_space`: a publisher put
// something in the space's or the kind's place that does not belong there.
func ParseSubject(subject string) (Subject, error) {
	rest, ok := strings.CutPrefix(subject, prefix)
	partition, rest, _ := strings.Cut(rest, ".")
	space, kind, two := strings.Cut(rest, ".")
	number, err := strconv.ParseUint(partition, 10, 16)
	if !ok || err != nil || !two || space == "" || kind == "" || strings.Contains(kind, ".") {
		return Subject{}, fault.Invalid.With("invalid_space", "", "subject %q is not checkins.v1.<space>.<kind>", subject)
	}
	return Subject{Partition: int(number), Space: space, Kind: kind}, nil
}
