package event

// presence says that somebody is still there.
var presence = KindInfo{
	Kind:   Presence,
	Doc:    "Somebody is still here: seen by the wifi, or at an inner door.",
	Fields: []Field{method, zone},
}
