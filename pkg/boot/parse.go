package boot

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// parse reads arguments and environment. Without a verb to run it returns nil and
// the exit code: help was asked for, or something is wrong, which it has said.
func parse(name, about string, commands any, flags *globals, args []string, stdout, stderr io.Writer) (*kong.Context, int) {
	ended := false
	values := &watched{given: map[*kong.Value]bool{}, wrong: map[*kong.Value]string{}}
	parser := kong.Must(
		commands,
		kong.Name(name), kong.Description(about), kong.Vars{"version": name + " " + Version},
		kong.Embed(flags),
		kong.Writers(stdout, stderr),
		kong.WithBeforeReset(func() error { values.argumentsRead = true; return nil }),
		kong.Exit(func(int) { ended = true }), // --help and --version; it is heard below
	)
	values.watch(parser.Model.Node)
	chosen, mistakes, usage := parseAll(parser, args, &ended)
	if ended {
		return nil, exitWell
	}
	mistakes = append(mistakes, values.mistakes()...)
	if len(mistakes) == 0 && usage == nil {
		return chosen, exitWell
	}
	if usage != nil {
		mistakes = append(mistakes, usage.Error())
	}
	for _, mistake := range mistakes {
		fmt.Fprintf(stderr, "%s: %s\n", name, mistake)
	}
	fmt.Fprintf(stderr, "%s --help says what there is.\n", name)
	return nil, exitUsage
}

// parseAll parses, and where kong stops at an argument that it does not know, goes
// on without it.
func parseAll(parser *kong.Kong, args []string, ended *bool) (chosen *kong.Context, unknown []string, err error) {
	for {
		chosen, err = parser.Parse(args)
		if err == nil || *ended || strings.HasPrefix(err.Error(), "missing flags: ") {
			return chosen, unknown, nil // what is missing, watched says better
		}
		at := slices.IndexFunc(args, func(arg string) bool {
			flag, _, _ := strings.Cut(arg, "=")
			said, _, _ := strings.Cut(err.Error(), ", did you mean")
			return said == "unknown flag "+flag || said == "unexpected argument "+arg
		})
		if at < 0 {
			return nil, unknown, err
		}
		unknown = append(unknown, err.Error())
		args = slices.Delete(slices.Clone(args), at, at+1)
	}
}

// watched is every flag and argument, and which of them got a value that they
// cannot take. kong stops at the first; here it goes on.
type watched struct {
	nodes         []*kong.Node
	argumentsRead bool // after them come environment and defaults
	given         map[*kong.Value]bool
	wrong         map[*kong.Value]string
}

// watch looks over the shoulder of everything that turns words into values.
func (w *watched) watch(node *kong.Node) {
	w.nodes = append(w.nodes, node)
	for _, value := range node.Values() {
		value.Mapper = watchedMapper{Mapper: value.Mapper, watched: w}
	}
	for _, child := range node.Children {
		w.watch(child)
	}
}

// mistakes is a sentence for each value of the chosen verb that is wrong or missing.
func (w *watched) mistakes() []string {
	var all []string
	for _, node := range w.nodes {
		if !node.Active {
			continue
		}
		for _, value := range node.Values() {
			said, wrong := w.wrong[value]
			switch {
			case wrong:
				all = append(all, label(value)+": "+said)
			case value.Flag != nil && value.Required && (!value.Set || value.Target.IsZero()):
				all = append(all, label(value)+" is missing: "+value.Help)
			}
		}
	}
	return all
}

// label is how a value is given: --nats-url (NATS_URL).
func label(value *kong.Value) string {
	if len(value.Tag.Envs) == 0 {
		return value.ShortSummary()
	}
	return value.ShortSummary() + " (" + strings.Join(value.Tag.Envs, ", ") + ")"
}

// watchedMapper notes a value that cannot be read instead of ending there.
type watchedMapper struct {
	kong.Mapper

	watched *watched
}

// Decode is kong.Mapper's. What the command line says of a value holds, whatever
// the environment says.
func (m watchedMapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	err := m.decode(ctx, target)
	switch {
	case !m.watched.argumentsRead:
		m.watched.given[ctx.Value] = true
	case m.watched.given[ctx.Value]:
		return nil
	}
	if err != nil {
		m.watched.wrong[ctx.Value] = err.Error()
	}
	return nil
}

func (m watchedMapper) decode(ctx *kong.DecodeContext, target reflect.Value) error {
	if err := m.Mapper.Decode(ctx, target); err != nil {
		return err
	}
	if ctx.Value.Enum == "" || target.Kind() != reflect.String || ctx.Value.EnumMap()[target.String()] {
		return nil
	}
	err := fmt.Errorf("%q is none of %s", target.String(), strings.Join(ctx.Value.EnumSlice(), ", "))
	target.SetString(ctx.Value.EnumSlice()[0]) // or kong would end here
	return err
}

// IsBoolFromValue is kong.BoolMapperExt's: whether the flag may stand alone.
func (m watchedMapper) IsBoolFromValue(v reflect.Value) bool {
	if mapper, ok := m.Mapper.(kong.BoolMapperExt); ok {
		return mapper.IsBoolFromValue(v)
	}
	mapper, ok := m.Mapper.(kong.BoolMapper)
	return ok && mapper.IsBool()
}
