// Command coworking is the laptop's and the integrator's tool. It starts the same
// two binaries that a cluster runs, and publishes as any client does.
package main

import "coworking/pkg/boot"

func main() {
	boot.Main("coworking", "Runs the whole system on this machine, and speaks to one that runs anywhere.", &commands{})
}

// commands is every verb of the binary.
type commands struct {
	Up       upCmd       `cmd:"" help:"Run the whole system on this machine, until stopped."`
	Demo     demoCmd     `cmd:"" help:"Run it with a quarter of a year of check-ins in it, and live traffic."`
	Env      envCmd      `cmd:"" help:"Print where the running system's database and broker are, for a shell."`
	Publish  publishCmd  `cmd:"" help:"Publish events from a file, and say of each whether it was stored."`
	Simulate simulateCmd `cmd:"" help:"Make up events that look like real life."`
	Import   importCmd   `cmd:"" help:"Bring history along from another system."`
	Compare  compareCmd  `cmd:"" help:"See whether what was brought along is what the other system has."`
	Space    spaceCmd    `cmd:"" help:"Say what a space is like, or see what was said."`
	Report   reportCmd   `cmd:"" help:"Ask a report, as a table or as CSV; without a name, see which there are."`
	Doctor   doctorCmd   `cmd:"" help:"Look at this machine, or at what a door system sends: what is wrong, and the line that helps."`
}
