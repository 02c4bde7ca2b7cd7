package store_test

import (
	"testing"

	"go.uber.org/goleak"
)

// The tests' own Postgres outlives the tests: it ends with the process.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("os/exec.(*Cmd).Wait"), goleak.IgnoreAnyFunction("os/exec.(*Cmd).Start.func2"))
}
