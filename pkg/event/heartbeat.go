package event

// heartbeat says that its source is alive.
var heartbeat = KindInfo{Kind: Heartbeat, Doc: "The source is alive."}
