// Command bench measures the road from the stream to committed rows, beside a
// ceiling: how fast a program can be that does only the unavoidable.
package main

import "coworking/pkg/boot"

func main() {
	boot.Main("bench", "Benchmarks. Run them from the root of the repository, on a quiet machine.", &commands{})
}

// commands is every verb of the binary.
type commands struct {
	All     allCmd     `cmd:"" default:"withargs" help:"Everything, in turn: in under three minutes, or with --full."`
	Drain   drainCmd   `cmd:"" help:"How fast published events are stored, by the service and by the ceiling in turn."`
	Live    liveCmd    `cmd:"" help:"The same while events come in."`
	Workers workersCmd `cmd:"" help:"How much more so with two and four partitions, each with a writer."`
	Visible visibleCmd `cmd:"" help:"How long after an event a report shows it."`
	Soak    soakCmd    `cmd:"" help:"The same for a long time: whether memory and waiting grow."`
	Reads   readsCmd   `cmd:"" help:"How long reports take, beside the old system's queries, as history grows."`
	App     appCmd     `cmd:"" help:"How long the two old reports take, beside a Flask program that answers them as the old system did."`
	Serve   serveCmd   `cmd:"" help:"How many requests a second the service answers, beside a handler that does the least."`
	Ceiling ceilingCmd `cmd:"" hidden:"" help:"The program that the writing half is measured beside."`
	Bare    bareCmd    `cmd:"" hidden:"" help:"The program that the answering half is measured beside."`
}
