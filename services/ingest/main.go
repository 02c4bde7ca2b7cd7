// Command ingest takes check-in events from the stream into the database. It is
// the only writer of either.
package main

import "coworking/pkg/boot"

func main() {
	boot.Main("ingest", "Takes check-in events from the stream into Postgres: visits, rollups and what could not be read.", &commands{})
}

// commands is every verb of the binary.
type commands struct {
	Run     runCmd     `cmd:"" help:"Take events from the stream into the database, until stopped."`
	Health  healthCmd  `cmd:"" help:"Ask the service of this machine whether it is ready."`
	Setup   setupCmd   `cmd:"" help:"Make the stream and its durables, or bring them to the wanted configuration."`
	Migrate migrateCmd `cmd:"" help:"Bring the database's schema to a version."`

	Verify      verifyCmd      `cmd:"" help:"Prove that rollups, events and stream agree, or say where they do not."`
	Rebuild     rebuildCmd     `cmd:"" help:"Derive visits and rollups again from the stored events."`
	DeadLetters deadLettersCmd `cmd:"" help:"List, show, retry or drop what could not be stored."`
	Export      exportCmd      `cmd:"" help:"Print all that is kept of a person."`
	Erase       eraseCmd       `cmd:"" help:"Forget a person; no total changes."`
}
