package event

// checkIn says that somebody arrives.
var checkIn = KindInfo{
	Kind:   CheckIn,
	Doc:    "Somebody arrives.",
	Fields: []Field{method, zone, device, plan, team, partySize, tokenID},
}
