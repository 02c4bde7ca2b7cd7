package intake

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"coworking/pkg/event"
	"coworking/pkg/fault"
)

// What one request may hold.
const (
	maxBody   = 1 << 20 // bytes, as sent and unpacked
	maxEvents = 1000
	handful   = 32 << 10 // bytes of a body that need no room: dozens of events
)

// The media types of events (CloudEvents HTTP binding 1.0.2).
const (
	structuredType = "application/cloudevents+json"
	batchType      = "application/cloudevents-batch+json"
	linesType      = "application/x-ndjson"
	plainType      = "application/json"
)

// read is the events of a request, each in structured mode, for Decode to judge, and
// whether it was a batch: an answer to one event is about that one.
func read(header http.Header, received []byte) (bodies [][]byte, batch bool, err error) {
	mediaType, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return nil, false, unsupported("this request has no Content-Type, or one that cannot be read")
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, false, unsupported("events are UTF-8, not " + charset)
	}
	binary := len(header.Values("Ce-Specversion"))+len(header.Values("Ce-Id"))+len(header.Values("Ce-Type")) > 0
	switch mediaType {
	case structuredType, batchType, linesType, plainType:
	default:
		return nil, false, unsupported("events come as " + strings.Join([]string{structuredType, batchType, linesType, plainType}, ", ") + ", not as " + mediaType)
	}
	body, err := unpacked(header, received)
	if err != nil {
		return nil, false, err
	}
	switch {
	case mediaType == plainType && binary:
		event, err := event.FromBinary(header.Values, body)
		return [][]byte{event}, false, err
	case mediaType == batchType, mediaType == plainType && bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")):
		bodies, err := event.SplitBatch(body, maxEvents)
		return bodies, true, err
	case mediaType == linesType:
		bodies, err := lines(body)
		return bodies, true, err
	default:
		return [][]byte{body}, false, nil
	}
}

func unsupported(detail string) error {
	return fault.Invalid.With("unsupported_media_type", "", "%s", detail)
}

// unpacked reads a body that may be gzip. What it unpacks to is limited like what
// was sent: a bomb is cut off as soon as it is too large.
func unpacked(header http.Header, received []byte) ([]byte, error) {
	switch encoding := header.Get("Content-Encoding"); strings.ToLower(encoding) {
	case "", "identity":
		return received, nil
	case "gzip":
	default:
		return nil, unsupported("a body may be packed with gzip, not with " + encoding)
	}
	packed, err := gzip.NewReader(bytes.NewReader(received))
	if err != nil {
		return nil, unreadable(err)
	}
	defer packed.Close()
	body, err := io.ReadAll(io.LimitReader(packed, maxBody+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if len(body) > maxBody {
		return nil, tooLarge()
	}
	return body, nil
}

func tooLarge() error {
	return fault.Invalid.With("body_too_large", "", "a request holds at most %d bytes, unpacked", maxBody)
}

// unreadable sorts why a body could not be read.
func unreadable(err error) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return tooLarge()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) { // it may be as good as any, on a slow line
		return fault.Unavailable.With("too_slow", "", "the body took too long to come; send the same again, fewer events at a time")
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fault.Invalid.With("invalid_json", "", "the body ends too early, or is no gzip")
	}
	return fault.Invalid.With("invalid_json", "", "the body could not be read to its end")
}

// lines is the events of NDJSON: one a line, blank lines aside.
func lines(body []byte) ([][]byte, error) {
	var events [][]byte
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if len(events) == maxEvents {
			return nil, fault.Invalid.With("too_many_events", "", "more than %d events: send them in several batches", maxEvents)
		}
		events = append(events, line)
	}
	if len(events) == 0 {
		return nil, fault.Invalid.With("empty_body", "", "there is nothing")
	}
	return events, nil
}
