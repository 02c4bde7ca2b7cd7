package store_test

import (
	"testing"

	"coworking/pkg/pgtest"
)

// The tests' own Postgres outlives the tests: it ends with the process.
func TestMain(m *testing.M) {
	pgtest.VerifyTestMain(m)
}
