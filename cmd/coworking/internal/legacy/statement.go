package legacy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"

	"coworking/pkg/fault"
)

// script is a dump, read statement by statement as psql would, without its
// backslash commands: those are for a person's terminal, and can run programs.
type script struct {
	in   *bufio.Reader
	line int
}

func newScript(in io.Reader) *script {
	return &script{in: bufio.NewReaderSize(in, 256<<10), line: 1}
}

// statement is one statement without its semicolon, and the line that it begins on.
type statement struct {
	text []byte
	line int
}

var (
	insertWord  = regexp.MustCompile(`(?i)^insert\s+into\b`)
	copyStdin   = regexp.MustCompile(`(?is)^copy\b.*\bfrom\s+stdin\b`)
	transaction = regexp.MustCompile(`(?i)^(begin|start\s+transaction|commit|end)\b`)
)

// next is the next statement; io.EOF once there are no more.
func (s *script) next() (statement, error) {
	var st statement
	depth := 0
	for {
		c, err := s.read()
		if errors.Is(err, io.EOF) {
			st.text = bytes.TrimSpace(st.text)
			if len(st.text) > 0 {
				return st, nil // the last one may do without its semicolon
			}
			return st, io.EOF
		}
		if err != nil {
			return st, err
		}
		if len(st.text) == 0 {
			if isBlank(c) {
				continue
			}
			st.line = s.line
			if c == '\\' {
				if err := s.skipLine(); err != nil {
					return st, err
				}
				continue
			}
		}
		switch {
		case c == '-' && s.follows('-'):
			err = s.skipLine()
			st.text = append(st.text, '\n')
			if len(bytes.TrimSpace(st.text)) == 0 {
				st.text = st.text[:0]
			}
		case c == '/' && s.follows('*'):
			err = s.skipComment()
			if len(st.text) > 0 {
				st.text = append(st.text, ' ')
			}
		case c == '\'':
			escaping := escapes(st.text)
			st.text = append(st.text, c)
			st.text, err = s.quoted(st.text, c, escaping)
		case c == '"':
			st.text = append(st.text, c)
			st.text, err = s.quoted(st.text, c, false)
		case c == '$' && !inWord(st.text):
			st.text = append(st.text, c)
			st.text, err = s.dollars(st.text)
		case c == ';' && depth == 0:
			if st.text = bytes.TrimSpace(st.text); len(st.text) > 0 {
				return st, nil
			}
		default:
			switch c {
			case '(':
				depth++
			case ')':
				depth--
			}
			st.text = append(st.text, c)
		}
		if err != nil {
			return st, s.cut(st, err)
		}
	}
}

// read is the next byte.
func (s *script) read() (byte, error) {
	c, err := s.in.ReadByte()
	if c == '\n' && err == nil {
		s.line++
	}
	return c, err
}

// follows says whether a byte comes next, without reading it.
func (s *script) follows(c byte) bool {
	next, err := s.in.Peek(1)
	return err == nil && next[0] == c
}

// skipLine reads the rest of a line.
func (s *script) skipLine() error {
	for {
		c, err := s.read()
		if c == '\n' || errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// skipComment reads a comment in slashes and stars, which may hold others.
func (s *script) skipComment() error {
	if _, err := s.read(); err != nil { // its star
		return err
	}
	for depth := 1; depth > 0; {
		c, err := s.read()
		if err != nil {
			return err
		}
		switch {
		case c == '*' && s.follows('/'):
			depth--
			_, err = s.read()
		case c == '/' && s.follows('*'):
			depth++
			_, err = s.read()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// quoted reads up to a closing quote. A doubled one is no end, but reads like one
// and a new beginning.
func (s *script) quoted(text []byte, quote byte, escapes bool) ([]byte, error) {
	for {
		c, err := s.read()
		if err != nil {
			return text, err
		}
		text = append(text, c)
		switch {
		case c == quote:
			return text, nil
		case c == '\\' && escapes:
			if c, err = s.read(); err != nil {
				return text, err
			}
			text = append(text, c)
		}
	}
}

// dollars reads a text between two equal tags, if it is one.
func (s *script) dollars(text []byte) ([]byte, error) {
	begin := len(text) - 1
	for {
		next, _ := s.in.Peek(1) // at the end, who reads on sees it
		if len(next) == 0 || next[0] != '$' && !isWord(next[0]) {
			return text, nil // no tag: a parameter
		}
		c, err := s.read()
		if err != nil {
			return text, err
		}
		if text = append(text, c); c == '$' {
			break
		}
	}
	tag := bytes.Clone(text[begin:])
	for from := len(text); !bytes.HasSuffix(text[from:], tag); {
		c, err := s.read()
		if err != nil {
			return text, err
		}
		text = append(text, c)
	}
	return text, nil
}

// cut says where a script ends in the middle of something.
func (s *script) cut(st statement, err error) error {
	if errors.Is(err, io.EOF) {
		return fault.Invalid.Errorf("the statement of line %d does not end", st.line)
	}
	return err
}

// escapes says whether a quote after this text begins an E'…'.
func escapes(text []byte) bool {
	last := len(text) - 1
	return last >= 0 && (text[last] == 'e' || text[last] == 'E') && !inWord(text[:last])
}

func inWord(text []byte) bool { return len(text) > 0 && isWord(text[len(text)-1]) }

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' }

// rows is the lines that follow a COPY … FROM stdin, up to the one that ends them.
type rows struct {
	script *script
	rest   []byte
	middle bool // of a long line
	ended  bool
}

// rows begins on the line after the statement.
func (s *script) rows() (*rows, error) { return &rows{script: s}, s.skipLine() }

// Read is io.Reader's.
func (r *rows) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.ended {
			return 0, io.EOF
		}
		part, err := r.script.in.ReadSlice('\n')
		begins := !r.middle
		if r.middle = errors.Is(err, bufio.ErrBufferFull); r.middle {
			err = nil
		} else if err == nil {
			r.script.line++
		}
		if begins && string(bytes.TrimRight(part, "\r\n")) == `\.` {
			r.ended = true
			return 0, io.EOF
		}
		if errors.Is(err, io.EOF) {
			r.ended, err = true, nil
		}
		if err != nil {
			return 0, err
		}
		r.rest = part
		if len(part) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
