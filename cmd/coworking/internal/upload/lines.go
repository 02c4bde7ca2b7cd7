package upload

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"
)

// longestLine is the most that is read of one line; the stream takes less anyway.
const longestLine = 1 << 20

// Lines reads events, one a line, and publishes those that the system would take:
// a typo in a field is refused here, where somebody sees it. Blank lines are passed
// over. tell, if there is one, is told how many bytes were read so far.
//
// The error says that reading or the stream failed in the middle; what the account
// does not mention was not published.
func (u *Upload) Lines(ctx context.Context, in io.Reader, now func() time.Time, tell func(bytes int64)) error {
	reader := bufio.NewReaderSize(in, 64<<10)
	var read int64
	for number := 1; ; number++ {
		line, length, err := nextLine(reader)
		read += length
		if err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(fault.Unavailable.Errorf("reading line %d: %w", number, err), u.Flush(ctx))
		}
		if away := u.line(ctx, number, line, length, now()); away != nil {
			return fault.Unavailable.Errorf("stopped at line %d; publish the whole again once this is mended, nothing counts twice: %w", number, away)
		}
		if tell != nil && (number%batchSize == 0 || err != nil) {
			tell(read)
		}
		if err != nil {
			return u.Flush(ctx)
		}
	}
}

// line publishes one line, or refuses it.
func (u *Upload) line(ctx context.Context, number int, line []byte, length int64, now time.Time) error {
	place := "line " + strconv.Itoa(number)
	if length > longestLine {
		u.Refuse(place, fault.Invalid.With("body_too_large", "", "a line of %d bytes", length))
		return nil
	}
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	e, err := event.Decode(line, event.Options{Strict: true})
	if err == nil {
		err = e.CheckFuture(now)
	}
	if err != nil {
		u.Refuse(place, err)
		return nil
	}
	return u.Add(ctx, place, stream.Message{Subject: e.Subject(), Body: line})
}

// nextLine reads a line, and of one that is too long only its length. io.EOF comes
// with the last line, which may be empty.
func nextLine(reader *bufio.Reader) (line []byte, length int64, err error) {
	for {
		part, err := reader.ReadSlice('\n')
		length += int64(len(part))
		if length <= longestLine {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), length, err
		}
	}
}
