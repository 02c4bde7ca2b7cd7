package stream

import (
	"fmt"
	"reflect"
	"strings"
)

// difference is a field whose value is not what it should be, by the name that
// NATS and its tools give it.
type difference struct {
	field         string
	wanted, found any
}

func (d difference) String() string {
	return fmt.Sprintf("%s is %v, wanted %v", d.field, d.found, d.wanted)
}

// differences compares two configurations of the same type, field by field, so
// that one that a later broker adds is compared too.
func differences(wanted, found any) []difference {
	return compare("", reflect.ValueOf(wanted), reflect.ValueOf(found))
}

func compare(name string, wanted, found reflect.Value) []difference {
	switch {
	case reflect.DeepEqual(wanted.Interface(), found.Interface()):
		return nil
	case wanted.Kind() == reflect.Pointer && !wanted.IsNil() && !found.IsNil():
		return compare(name, wanted.Elem(), found.Elem())
	case wanted.Kind() == reflect.Struct:
		var all []difference
		for i := range wanted.NumField() {
			field, _, _ := strings.Cut(wanted.Type().Field(i).Tag.Get("json"), ",")
			all = append(all, compare(strings.TrimPrefix(name+"."+field, "."), wanted.Field(i), found.Field(i))...)
		}
		return all
	case wanted.Kind() == reflect.Slice && wanted.Len() == 0 && found.Len() == 0:
		return nil // nil and empty say the same
	default:
		return []difference{{field: name, wanted: plain(wanted), found: plain(found)}}
	}
}

// plain is a value as a reader wants to see it: "nothing" for a nil pointer.
func plain(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "nothing"
		}
		return fmt.Sprintf("%+v", v.Elem().Interface())
	}
	return v.Interface()
}

// sentence joins differences to one.
func sentence(all []difference) string {
	words := make([]string, len(all))
	for i, d := range all {
		words[i] = d.String()
	}
	return strings.Join(words, "; ")
}
