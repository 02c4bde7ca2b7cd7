package table

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// object is a JSON object whose fields stand in the order they came in: that is
// the order of columns.
type object []field

// field is a name and its value: nil, bool, json.Number, string, []any or object.
type field struct {
	name  string
	value any
}

// deepest is how far values may be nested.
const deepest = 32

func decode(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := value(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one value")
	}
	return v, nil
}

func value(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case string:
		return Clean(t), nil
	case json.Delim:
		if depth == deepest {
			return nil, errors.New("it is nested too deep")
		}
		if t == '[' {
			return list(d, depth+1)
		}
		return fields(d, depth+1)
	default:
		return token, nil
	}
}

func list(d *json.Decoder, depth int) (any, error) {
	items := []any{}
	for d.More() {
		item, err := value(d, depth)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := d.Token() // the bracket that ends it
	return items, err
}

func fields(d *json.Decoder, depth int) (any, error) {
	o := object{}
	for d.More() {
		name, err := value(d, depth)
		if err != nil {
			return nil, err
		}
		v, err := value(d, depth)
		if err != nil {
			return nil, err
		}
		text, _ := name.(string) // the decoder takes no other name
		o = append(o, field{text, v})
	}
	_, err := d.Token() // the brace that ends it
	return o, err
}

// get is the value of a field; nil also where there is none.
func (o object) get(name string) any {
	for _, f := range o {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

// within is a field that is an object, else nothing.
func within(o object, name string) object {
	inner, _ := o.get(name).(object)
	return inner
}

// word is a field that is text, else "".
func word(o object, name string) string {
	text, _ := o.get(name).(string)
	return text
}
