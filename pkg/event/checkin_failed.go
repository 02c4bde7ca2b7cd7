package event

// checkInFailed says that somebody was refused at the door. It opens no visit.
var checkInFailed = KindInfo{
	Kind: CheckInFailed,
	Doc:  "Somebody was refused at the door.",
	Fields: []Field{
		refusal,
		method,
		device,
		tokenID, // the one that was refused
	},
}
