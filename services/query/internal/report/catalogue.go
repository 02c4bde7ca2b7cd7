package report

// Catalogue is every report there is, in the order that a reader meets them. To
// add one, write its file and name it here: its route, its CSV and its words
// follow.
var Catalogue = catalogue(
	DailyUsage,
	HourlyUsage,
	UserVisits,
	UniqueMembers,
	OccupancyNow,
	RollCall,
	OccupancyPeak,
	Dwell,
	Heatmap,
	NewVsReturning,
	Retention,
	Lapsed,
	Spaces,
	Utilization,
	Frequency,
	Streaks,
	MemberHistory,
	NeverVisited,
	NoShows,
	TokenFunnel,
	Methods,
	Forecast,
	IngestHealth,
)
