// Command bench measures the road from the stream to committed rows, beside a
// ceiling: how fast a program can be that does only the unavoidable.
package main

import "coworking/pkg/boot"

func main() {
	boot.Main("bench", "Benchmarks. Run them from the root of the repository, on a quiet machine.", &commands{})
}

// commands is every verb of the binary.
type commands struct {
	Drain   drainCmd   `cmd:"" default:"withargs" help:"How fast published events are stored, by the service and by the ceiling in turn."`
	Reads   readsCmd   `cmd:"" help:"How long reports take, beside the old system's queries, as history grows."`
	Ceiling ceilingCmd `cmd:"" hidden:"" help:"The program that the service is measured beside."`
}
