package hooks

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"coworking/pkg/event"
)

// Hook is one address that a vendor posts to. Read makes them.
type Hook struct {
	Name string // the last part of the address
	Key  bool   // a request also needs a key of ours that may write events

	mapping   Mapping
	secret    string            // of the signature; "" if there is none
	space     string            // of every event; "" where spaces says it
	spaces    map[string]string // by the vendor's place
	zone      *time.Location    // of times that do not say their offset
	tolerance time.Duration
}

// Accepts says whether the hook reads bodies of a media type.
func (h *Hook) Accepts(mediaType string) bool {
	return slices.ContainsFunc(h.MediaTypes(), func(one string) bool { return strings.EqualFold(one, mediaType) })
}

// MediaTypes is what the hook reads.
func (h *Hook) MediaTypes() []string {
	if len(h.mapping.MediaTypes) == 0 {
		return []string{"application/json"}
	}
	return h.mapping.MediaTypes
}

// Verify says whether a request was signed with the hook's secret, not long ago; of a
// hook without a secret, everything was. The error is fault.Invalid with the code
// unauthenticated.
func (h *Hook) Verify(header http.Header, body []byte, now time.Time) error {
	if h.secret == "" {
		return nil
	}
	return h.mapping.Signature.verify(h.secret, header, body, now, h.tolerance)
}

// Spaces is where the hook's events may go, sorted.
func (h *Hook) Spaces() []string {
	spaces := slices.Collect(maps.Values(h.spaces))
	if h.space != "" {
		spaces = append(spaces, h.space)
	}
	if some, _ := h.mapping.aboutMembers(); some {
		spaces = append(spaces, event.NoSpace)
	}
	slices.Sort(spaces)
	return slices.Compact(spaces)
}

// spaceOf is the space of a vendor's place; "" if it belongs to none.
func (h *Hook) spaceOf(place string) string {
	if h.space != "" {
		return h.space
	}
	return h.spaces[place]
}
