package report_test

import (
	"flag"
	"testing"

	"coworking/pkg/pgtest"
)

// worlds is how many made-up worlds each property is held against, unless the command
// line says otherwise (-rapid.checks), as `make test-orders` does. One that fails prints
// its seed.
const worlds = "12"

// The tests' Postgres lives as long as their process.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", worlds); err != nil {
		panic(err)
	}
	pgtest.VerifyTestMain(m)
}
