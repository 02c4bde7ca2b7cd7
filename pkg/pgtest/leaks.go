package pgtest

import (
	"testing"

	"go.uber.org/goleak"
)

// VerifyTestMain is goleak's, for a package whose tests use a database: the tests'
// own Postgres runs until the process ends, and is watched until then.
func VerifyTestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("os/exec.(*Cmd).Wait"),
		goleak.IgnoreAnyFunction("os/exec.(*Cmd).Start.func2"),
	)
}
