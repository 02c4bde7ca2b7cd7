package event

// checkInFailed says that somebody was refused.
var checkInFailed = KindInfo{
	Kind:   CheckInFailed,
	Doc:    "Somebody was refused at the door.",
	Fields: []Field{refusal, method, device, tokenID},
}
