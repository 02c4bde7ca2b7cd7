package main

import (
	"fmt"
	"io"
	"strings"

	"coworking/cmd/coworking/internal/system"
)

// envCmd is `coworking env`.
type envCmd struct {
	dataFolder
}

// Help is kong's: what the verb's flags do not say.
func (envCmd) Help() string {
	return `Prints DATABASE_URL=… and NATS_URL=… of the system that runs on a data folder, quoted for a shell.

Examples:

    eval "$(coworking env)"

    eval "$(coworking env --data ./data)" && psql "$DATABASE_URL"

    env $(coworking env --data ./data | tr -d \') ./my-publisher
`
}

// Run prints two lines.
func (c *envCmd) Run(out io.Writer) error {
	dir, err := c.folder()
	if err != nil {
		return err
	}
	running, err := system.Look(dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "DATABASE_URL=%s\nNATS_URL=%s\n", quoted(running.DatabaseURL), quoted(running.NATSURL))
	return err
}

// quoted is a text that every Unix shell reads as itself.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
