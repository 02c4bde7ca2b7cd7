// Command cluster puts the charts on a real cluster and sees whether they keep what
// they promise: nothing that was acknowledged is lost or counted twice, and nobody
// who reads a report notices a release.
package main

import "coworking/pkg/boot"

func main() {
	boot.Main("cluster", "Installs, loads, upgrades, breaks and uninstalls both charts in the cluster that KUBECONFIG names. "+
		"Run it from the root of the repository.", &commands{})
}

// commands is every verb of the binary.
type commands struct {
	Test testCmd `cmd:"" default:"withargs" help:"All of it, in a namespace of its own, which is removed at the end."`
}
