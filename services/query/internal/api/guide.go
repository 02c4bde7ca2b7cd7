package api

import (
	"strings"

	"coworking/pkg/key"
)

// chapter is a part of how to ask, for the description and for the pages. What
// stands between backticks is code.
type chapter struct{ Title, Text string }

const summary = "Who came, for how long, and how full it was: reports on check-ins in coworking spaces."

// guide is how to ask.
var guide = []chapter{
	{"Asking", "A report is a GET of its address. The query says which range it is of (`from` and `to`, or a `period`), by whose dates (`tz`) and of which spaces (`space`, which may be given more than once). An unknown parameter or value is an error that names it."},
	{"Dates", "Without `tz`, days are each space's own visit days, which may begin later than at midnight; with it, midnight days of that zone, and a visit belongs to the one that holds its beginning. `to` is the day after the last."},
	{"Answers", "Rows are in `data`; `totals` has the same names for the whole range, counted and not added up where that differs; `compare` is an earlier range, where one was asked for; `meta` is what the answer says of itself. Dates are YYYY-MM-DD, instants RFC 3339. Null is what is not known: a day outside the life of a space, or a share of nothing."},
	{"Formats", "JSON by default. `format=csv` or `format=ndjson`, an Accept header, or the suffixes `.csv` and `.ndjson` of the address give the rows alone. In CSV, nested names are joined by an underscore, null is empty, and text that a spreadsheet would take for a formula begins with an apostrophe. The suffix `.html` of `roll_call` gives a page to print. HEAD gives the headers alone."},
	{"Lists of members", "`limit` cuts them. `meta.next_cursor`, as `cursor` of the same question, gives the rows after these; a Link header has the whole address."},
	{"Keys", "`Authorization: Bearer` and a key (`cw_…`), or a token of the OpenID Connect issuer that the service trusts. A key is made with `query keys create`, and may be of some spaces only: it never hears of others. On a loopback address the service can be set to ask nobody."},
	{"How often", "Each key may make so many requests at once, and so many a second in the long run: RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset say what is left. Beyond that the answer is 429, and Retry-After says when to ask again; where the service itself has too much to do, it is 503."},
	{"Unchanged answers", "Each answer has an ETag. Send it back in If-None-Match, and an answer that would be the same is a 304 without a body."},
	{"Errors", "Errors are `application/problem+json` (RFC 9457). Their `code` is stable and meant for machines, `detail` for people, and `parameter` names what is at fault."},
}

// markdown is the guide in one text.
func markdown() string {
	var text strings.Builder
	text.WriteString(summary)
	for _, c := range guide {
		text.WriteString("\n\n**" + c.Title + ".** " + c.Text)
	}
	return text.String()
}

// meanings is what each scope opens.
var meanings = map[key.Scope]string{
	key.ReadReports: "Numbers, nothing about a person.",
	key.ReadMembers: "Reports that name persons. Who read them is kept.",
	key.WriteEvents: "Sending events, which is another service's business.",
	key.Admin:       "Everything.",
}
