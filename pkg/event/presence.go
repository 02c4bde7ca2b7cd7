package event

// presence says that somebody is still there: it holds a visit open, and opens none.
var presence = KindInfo{
	Kind: Presence,
	Doc:  "Somebody is still here: seen by the wifi, or at an inner door.",
	Fields: []Field{
		method,
		zone,
	},
}
