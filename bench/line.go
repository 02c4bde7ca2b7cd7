package main

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"coworking/pkg/fault"
)

// line is a connection that one question is asked over, again and again. It speaks just
// enough HTTP to take little of the machine, and of the time, from whom it asks.
type line struct {
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
	close   func()
}

// call opens a line to an address. It is closed by who called, or when the context ends.
func call(ctx context.Context, address string) (*line, error) {
	to, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", to.Host)
	if err != nil {
		return nil, err
	}
	forget := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return &line{
		conn: conn, reader: bufio.NewReaderSize(conn, 64<<10),
		request: []byte("GET " + to.RequestURI() + " HTTP/1.1\r\nHost: " + to.Host + "\r\n\r\n"),
		close: func() {
			forget()
			_ = conn.Close()
		},
	}, nil
}

// ask asks, and reads the answer to its end: how many bytes it has. After an error the
// line is of no use.
func (l *line) ask() (int, error) {
	if _, err := l.conn.Write(l.request); err != nil {
		return 0, err
	}
	return skip(l.reader)
}

// skip reads an answer to its end: how many bytes it has. One that is not well, or
// whose length is not said, is an error.
func skip(reader *bufio.Reader) (int, error) {
	length, chunked := -1, false
	for first := true; ; first = false {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimSpace(line)
		switch name, value, _ := bytes.Cut(line, []byte(":")); {
		case first && !bytes.Contains(line, []byte(" 200 ")):
			return 0, refusal(line)
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		}
		if len(line) == 0 {
			break
		}
	}
	if !chunked && length < 0 {
		return 0, fault.Internal.Errorf("the answer does not say how long it is")
	}
	if !chunked {
		return reader.Discard(length)
	}
	for length = 0; ; {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return 0, err
		}
		if _, err := reader.Discard(int(size) + 2); err != nil || size == 0 {
			return length, err
		}
		length += int(size)
	}
}

// refusal is the first line of an answer that is none.
func refusal(status []byte) error {
	if bytes.Contains(status, []byte(" "+strconv.Itoa(http.StatusServiceUnavailable)+" ")) {
		return fault.Unavailable.Errorf("%s", status)
	}
	return fault.Internal.Errorf("%s", status)
}
