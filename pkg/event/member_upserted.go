package event

// memberUpserted says what is known of a member; each field by the latest word.
var memberUpserted = KindInfo{
	Kind:   MemberUpserted,
	Doc:    "What is known of a member. Fields that are absent stay as they are.",
	Fields: []Field{joinedAt, plan, team, active, memberName},
}
