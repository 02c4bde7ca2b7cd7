package event

// memberUpserted says what is known of a member, the event's subject. It belongs to no
// space: its space is `_`. Each field is the latest word on it; one that is not said
// stays as it is.
var memberUpserted = KindInfo{
	Kind: MemberUpserted,
	Doc:  "What is known of a member. Fields that are absent stay as they are.",
	Fields: []Field{
		joinedAt,
		plan,
		team,
		active,
		memberName,
	},
}
