// Command query answers reports over HTTP. It reads the database and writes
// nothing but who may ask: the keys.
package main

import "coworking/pkg/boot"

func main() {
	boot.Main("query", "Answers reports on check-ins over HTTP.", &commands{})
}

// commands is every verb of the binary.
type commands struct {
	Run     runCmd     `cmd:"" help:"Serve the reports, the addresses of the system before, probes and metrics."`
	Health  healthCmd  `cmd:"" help:"Ask the service of this machine whether it is ready."`
	Keys    keysCmd    `cmd:"" help:"Make, list, revoke or rotate the keys that clients show."`
	OpenAPI openAPICmd `cmd:"" name:"openapi" help:"Print what the service answers, as an OpenAPI 3.1 document."`
}
