package event

// spaceUpserted says what is known of a space, from a date on. Each field is the
// latest word on it for a date; one that is not said stays as it is.
var spaceUpserted = KindInfo{
	Kind: SpaceUpserted,
	Doc:  "What is known of a space, from a date on. Fields that are absent stay as they are.",
	Fields: []Field{
		spaceName,
		timeZone,
		capacity,
		dayStart,
		defaultStay,
		openingHours,
		closures,
		effectiveFrom,
	},
}
