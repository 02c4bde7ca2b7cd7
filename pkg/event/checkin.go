package event

// checkIn says that somebody arrives: a visit begins, or goes on. A party is one
// visit of several heads. plan and team are the member's at that time; where they are
// not said, the latest member_upserted knows.
var checkIn = KindInfo{
	Kind: CheckIn,
	Doc:  "Somebody arrives.",
	Fields: []Field{
		method,
		zone,
		device,
		plan,
		team,
		partySize,
		tokenID, // where they came in by a token, but no token_used is sent
	},
}
