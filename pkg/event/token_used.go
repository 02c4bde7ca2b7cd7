package event

// tokenUsed says that a token opened the door: a check-in by token. It may be dated
// before the issue; clocks differ.
var tokenUsed = KindInfo{
	Kind: TokenUsed,
	Doc:  "A one-time token opens the door: a check-in by token.",
	Fields: []Field{
		method,
		zone,
		device,
		plan,
		team,
		partySize,
		required(tokenID),
	},
}
