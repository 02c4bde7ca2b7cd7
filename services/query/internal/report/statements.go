package report

import _ "embed"

// One statement a file. These are what reports share: each reads one table in
// the one way that is right.
var (
	//go:embed spaces.sql
	spacesSQL string
	//go:embed basis.sql
	basisSQL string
	//go:embed space_changes.sql
	spaceChangesSQL string
	//go:embed first_event.sql
	firstEventSQL string
	//go:embed changed_days.sql
	changedDaysSQL string
	//go:embed day_members.sql
	dayMembersSQL string
	//go:embed stays.sql
	staysSQL string
	//go:embed plans.sql
	plansSQL string
	//go:embed edges.sql
	edgesSQL string
	//go:embed words.sql
	wordsSQL string
	//go:embed words_named.sql
	wordsNamedSQL string
	//go:embed arrivals.sql
	arrivalsSQL string
	//go:embed members.sql
	membersSQL string
	//go:embed members_counted.sql
	membersCountedSQL string
)
