package event

// heartbeat says that its source is alive, so that silence can be told from a quiet
// morning. It has no fields.
var heartbeat = KindInfo{
	Kind: Heartbeat,
	Doc:  "The source is alive.",
}
