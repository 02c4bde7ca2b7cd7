package event

// eventVoided takes an event of its own space back, as if it had never been sent. It
// may come before its target. Aimed at another void it has no effect: what is taken
// back stays taken back.
var eventVoided = KindInfo{
	Kind: EventVoided,
	Doc:  "An event of this space is taken back, as if it had never been sent. May arrive before it.",
	Fields: []Field{
		required(voidSource),
		required(voidID),
		voidReason, // in anybody's words
	},
}
