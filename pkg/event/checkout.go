package event

// checkOut says that somebody leaves. Visits without one have an estimated end.
var checkOut = KindInfo{
	Kind: CheckOut,
	Doc:  "Somebody leaves.",
	Fields: []Field{
		method,
		zone,
		device,
	},
}
