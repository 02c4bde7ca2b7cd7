package event

// tokenIssued says that a one-time token was handed out; its time is the issue's.
var tokenIssued = KindInfo{
	Kind: TokenIssued,
	Doc:  "A one-time token is handed out.",
	Fields: []Field{
		required(tokenID),
		expiresAt,
	},
}
