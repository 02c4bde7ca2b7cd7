package aws

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A pattern is CloudWatch Logs' for JSON, the part of it that is used here: a path
// compared with a text or a number, joined by && and ||, in parentheses or not.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
type pattern struct {
	tokens []string
	record map[string]any
	fields []string // what was compared
}

var filterToken = regexp.MustCompile(`\s*("[^"]*"|\$\.[A-Za-z_][A-Za-z0-9_.]*|&&|\|\||!=|>=|<=|[(){}=<>]|-?[0-9.]+)`)

// matches says whether a record is counted, and which fields decide it.
func matches(text string, record map[string]any) (_ bool, _ []string, err error) {
	p := pattern{record: record}
	for rest := text; strings.TrimSpace(rest) != ""; {
		match := filterToken.FindStringSubmatchIndex(rest)
		if match == nil || match[0] != 0 {
			return false, nil, fmt.Errorf("%q is not understood", rest)
		}
		p.tokens = append(p.tokens, rest[match[2]:match[3]])
		rest = rest[match[1]:]
	}
	defer func() {
		if said, ok := recover().(string); ok {
			err = fmt.Errorf("%s: %s", text, said)
		}
	}()
	p.take("{")
	yes := p.either()
	p.take("}")
	if len(p.tokens) > 0 {
		panic(p.tokens[0] + " is too much")
	}
	return yes, p.fields, nil
}

func (p *pattern) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *pattern) next() string {
	token := p.peek()
	if token == "" {
		panic("ends too early")
	}
	p.tokens = p.tokens[1:]
	return token
}

func (p *pattern) take(want string) {
	if got := p.next(); got != want {
		panic(fmt.Sprintf("%s where %s should be", got, want))
	}
}

func (p *pattern) either() bool {
	yes := p.both()
	for p.peek() == "||" {
		p.next()
		other := p.both()
		yes = yes || other
	}
	return yes
}

func (p *pattern) both() bool {
	yes := p.one()
	for p.peek() == "&&" {
		p.next()
		other := p.one()
		yes = yes && other
	}
	return yes
}

func (p *pattern) one() bool {
	if p.peek() == "(" {
		p.next()
		yes := p.either()
		p.take(")")
		return yes
	}
	path, ok := strings.CutPrefix(p.next(), "$.")
	if !ok {
		panic("a comparison begins with a path")
	}
	p.fields = append(p.fields, path)
	v, operator, operand := at(p.record, path), p.next(), p.next()
	if want, isText := strings.CutPrefix(operand, `"`); isText {
		want = strings.TrimSuffix(want, `"`)
		switch operator {
		case "=":
			begin, open := strings.CutSuffix(want, "*")
			return v != nil && (text(v) == want || open && strings.HasPrefix(text(v), begin))
		case "!=":
			return v != nil && text(v) != want
		}
		panic(operator + " compares no texts")
	}
	want, err := strconv.ParseFloat(operand, 64)
	if err != nil {
		panic(operand + " is no value")
	}
	number, isNumber := v.(float64)
	if !isNumber {
		return false
	}
	switch operator {
	case "=":
		return number == want
	case "!=":
		return number != want
	case ">":
		return number > want
	case ">=":
		return number >= want
	case "<":
		return number < want
	case "<=":
		return number <= want
	}
	panic(operator + " compares nothing")
}

func TestPatternsMatchAsCloudWatchDoes(t *testing.T) {
	record := map[string]any{"a": map[string]any{"level": "error", "status": 503.0, "note": ""}}
	cases := map[string]struct {
		pattern string
		want    bool
		broken  bool
	}{
		"a text":                       {pattern: `{ $.a.level = "error" }`, want: true},
		"another text":                 {pattern: `{ $.a.level = "warn" }`},
		"how a text begins":            {pattern: `{ $.a.level = "err*" }`, want: true},
		"how another begins":           {pattern: `{ $.a.level = "war*" }`},
		"any text":                     {pattern: `{ $.a.level = "*" }`, want: true},
		"any text, of nothing":         {pattern: `{ $.a.nobody = "*" }`},
		"a number":                     {pattern: `{ $.a.status >= 500 }`, want: true},
		"a number, of a text":          {pattern: `{ $.a.level >= 0 }`},
		"both":                         {pattern: `{ ($.a.level = "error") && ($.a.status < 500) }`},
		"either":                       {pattern: `{ ($.a.level = "warn") || ($.a.status != 200) }`, want: true},
		"and binds more tightly":       {pattern: `{ $.a.level = "error" || $.a.level = "x" && $.a.level = "y" }`, want: true},
		"a parenthesis that stays":     {pattern: `{ ($.a.level = "error" }`, broken: true},
		"a word without its quotes":    {pattern: `{ $.a.level = error }`, broken: true},
		"two, joined by nothing":       {pattern: `{ $.a.level = "error" $.a.status = 503 }`, broken: true},
		"a comparison without its end": {pattern: `{ $.a.level = }`, broken: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, _, err := matches(c.pattern, record)
			if got != c.want || (err != nil) != c.broken {
				t.Errorf("%v, %v; want %v, an error %v", got, err, c.want, c.broken)
			}
		})
	}
}
