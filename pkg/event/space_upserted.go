package event

// spaceUpserted says what is known of a space, from a date on.
var spaceUpserted = KindInfo{
	Kind:   SpaceUpserted,
	Doc:    "What is known of a space, from a date on. Fields that are absent stay as they are.",
	Fields: []Field{spaceName, timeZone, capacity, dayStart, defaultStay, openingHours, closures, effectiveFrom},
}
