package event

// eventVoided takes an event of its own space back. It may come before its target.
var eventVoided = KindInfo{
	Kind:   EventVoided,
	Doc:    "An event of this space is taken back, as if it had never been sent. May arrive before it.",
	Fields: []Field{required(voidSource), required(voidID), voidReason},
}
