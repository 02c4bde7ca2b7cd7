package event

// checkOut says that somebody leaves.
var checkOut = KindInfo{
	Kind:   CheckOut,
	Doc:    "Somebody leaves.",
	Fields: []Field{method, zone, device},
}
