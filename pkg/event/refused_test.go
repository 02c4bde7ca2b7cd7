package event

import (
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

// refused is why an event was not taken.
type refused struct{ Code, Pointer string }

func whyRefused(err error) refused { return refused{fault.Code(err), fault.Pointer(err)} }

// arrival is a check-in with changes: `"name":value` takes the place of what it says
// otherwise, `"name"` alone leaves it out.
func arrival(changes ...string) []byte {
	attributes := []string{`"id":"1"`, `"source":"lock-7"`, `"type":"coworking.v1.checkin"`, `"time":"2026-03-29T00:58:03Z"`, `"data":{"space":"mitte"}`}
	for _, change := range changes {
		name, value, _ := strings.Cut(change, ":")
		kept := attributes[:0]
		for _, attribute := range attributes {
			if !strings.HasPrefix(attribute, name+":") {
				kept = append(kept, attribute)
			}
		}
		attributes = kept
		if value != "" {
			attributes = append(attributes, change)
		}
	}
	return []byte("{" + strings.Join(attributes, ",") + "}")
}

// told is an event of a kind in a space, with the fields given.
func told(kind Kind, fields string) []byte {
	space := "mitte"
	if kind == MemberUpserted {
		space = NoSpace
	}
	if fields != "" {
		fields = "," + fields
	}
	return arrival(`"type":"`+TypePrefix+string(kind)+`"`, `"subject":"4711"`, `"data":{"space":"`+space+`"`+fields+`}`)
}

type mistake struct {
	body    []byte
	options Options
	want    refused
}

// mistakes is every way that a single event can be wrong.
func mistakes() map[string]mistake {
	long := strings.Repeat("x", 129)
	strict := Options{Strict: true}
	return map[string]mistake{
		"no body":                        {nil, Options{}, refused{"empty_body", ""}},
		"a body of blanks":               {[]byte(" \r\n\t "), Options{}, refused{"empty_body", ""}},
		"null":                           {[]byte("null"), Options{}, refused{"not_an_object", ""}},
		"an array":                       {[]byte("[1]"), Options{}, refused{"not_an_object", ""}},
		"a text":                         {[]byte(`"x"`), Options{}, refused{"not_an_object", ""}},
		"a number":                       {[]byte(`-1.5e+3`), Options{}, refused{"not_an_object", ""}},
		"a byte order mark":              {append([]byte("\ufeff"), arrival()...), Options{}, refused{"invalid_json", ""}},
		"half a word":                    {[]byte("nul"), Options{}, refused{"invalid_json", ""}},
		"only the beginning":             {arrival()[:40], Options{}, refused{"invalid_json", ""}},
		"a text that never ends":         {[]byte(`{"id":"1`), Options{}, refused{"invalid_json", ""}},
		"a text that ends in an escape":  {[]byte(`{"id":"1\`), Options{}, refused{"invalid_json", ""}},
		"an escape that is none":         {arrival(`"id":"\x41"`), Options{}, refused{"invalid_json", ""}},
		"an escape of three digits":      {arrival(`"id":"\u041"`), Options{}, refused{"invalid_json", ""}},
		"a comma before the end":         {[]byte(`{"id":"1",}`), Options{}, refused{"invalid_json", ""}},
		"no colon":                       {[]byte(`{"id" "1"}`), Options{}, refused{"invalid_json", ""}},
		"a key without quotes":           {[]byte(`{id:"1"}`), Options{}, refused{"invalid_json", ""}},
		"a comment":                      {[]byte(`{/* an id */"id":"1"}`), Options{}, refused{"invalid_json", ""}},
		"a number that begins with 0":    {arrival(`"x":01`), Options{}, refused{"invalid_json", ""}},
		"a number that ends in a point":  {arrival(`"x":1.`), Options{}, refused{"invalid_json", ""}},
		"a number that begins with +":    {arrival(`"x":+1`), Options{}, refused{"invalid_json", ""}},
		"a number without its exponent":  {arrival(`"x":1e`), Options{}, refused{"invalid_json", ""}},
		"an array without commas":        {arrival(`"x":[1 2]`), Options{}, refused{"invalid_json", ""}},
		"an escape that the end cuts":    {[]byte(`{"id":"\u00`), Options{}, refused{"invalid_json", ""}},
		"not a number":                   {arrival(`"x":NaN`), Options{}, refused{"invalid_json", ""}},
		"broken JSON in an unknown part": {arrival(`"data":{"space":"mitte","x":{"y":[1,}}`), Options{}, refused{"invalid_json", ""}},
		"arrays nested too deep":         {arrival(`"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40)), Options{}, refused{"invalid_json", ""}},
		"objects nested too deep":        {arrival(`"x":` + strings.Repeat(`{"x":`, 40) + "1" + strings.Repeat("}", 40)), Options{}, refused{"invalid_json", ""}},
		"a million open brackets":        {[]byte(strings.Repeat("[", 1_000_000)), Options{}, refused{"invalid_json", ""}},

		"two events":                            {append(arrival(), arrival()...), Options{}, refused{"trailing_data", ""}},
		"a bracket too many":                    {append(arrival(), '}'), Options{}, refused{"trailing_data", ""}},
		"null, and more":                        {[]byte("null 1"), Options{}, refused{"trailing_data", ""}},
		"an attribute that is there twice":      {[]byte(`{"id":"1","source":"a","id":"1"}`), Options{}, refused{"duplicate_key", "/id"}},
		"one twice, once with an escape":        {[]byte(`{"id":"1","i\u0064":"2"}`), Options{}, refused{"duplicate_key", "/id"}},
		"an unknown attribute twice":            {arrival(`"x":1`, `"y":2,"y":2`), Options{}, refused{"duplicate_key", "/y"}},
		"a field that is there twice":           {arrival(`"data":{"space":"mitte","space":"mitte"}`), Options{}, refused{"duplicate_key", "/data/space"}},
		"a key twice, deep down":                {arrival(`"data":{"space":"mitte","x":[0,{"a/b~":1,"a/b~":2}]}`), Options{}, refused{"duplicate_key", "/data/x/1/a~1b~0"}},
		"the eighteenth of eighteen, twice":     {arrival(`"x":{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0,"l":0,"m":0,"n":0,"o":0,"p":0,"q":0,"r":0,"r":0}`), Options{}, refused{"duplicate_key", "/x/r"}},
		"an unknown field":                      {told(CheckIn, `"methode":"door"`), strict, refused{"unknown_field", "/data/methode"}},
		"an unknown field that says nothing":    {told(CheckIn, `"methode":null`), strict, refused{"unknown_field", "/data/methode"}},
		"a field of another kind":               {told(CheckOut, `"plan":"flex"`), strict, refused{"unknown_field", "/data/plan"}},
		"an unknown field with a slash":         {told(CheckIn, `"a/b":1`), strict, refused{"unknown_field", "/data/a~1b"}},
		"an unknown field with an endless name": {told(CheckIn, `"`+long+`":1`), strict, refused{"unknown_field", "/data"}},

		"no id":                          {arrival(`"id"`), Options{}, refused{"invalid_id", "/id"}},
		"an id that is null":             {arrival(`"id":null`), Options{}, refused{"invalid_id", "/id"}},
		"an id that is a number":         {arrival(`"id":1`), Options{}, refused{"invalid_id", "/id"}},
		"an empty id":                    {arrival(`"id":""`), Options{}, refused{"invalid_id", "/id"}},
		"an id of 129 bytes":             {arrival(`"id":"` + long + `"`), Options{}, refused{"invalid_id", "/id"}},
		"an id of 65 letters of 2 bytes": {arrival(`"id":"` + strings.Repeat("ü", 65) + `"`), Options{}, refused{"invalid_id", "/id"}},
		"no source":                      {arrival(`"source"`), Options{}, refused{"invalid_id", "/source"}},
		"an empty source":                {arrival(`"source":""`), Options{}, refused{"invalid_id", "/source"}},
		"a source of 129 bytes":          {arrival(`"source":"` + long + `"`), Options{}, refused{"invalid_id", "/source"}},

		"no type":                     {arrival(`"type"`), Options{}, refused{"unknown_type", "/type"}},
		"a type that is an object":    {arrival(`"type":{}`), Options{}, refused{"unknown_type", "/type"}},
		"a type of another version":   {arrival(`"type":"coworking.v2.checkin"`), Options{}, refused{"unknown_type", "/type"}},
		"a type that nobody knows":    {arrival(`"type":"coworking.v1.sneeze"`), Options{}, refused{"unknown_type", "/type"}},
		"a type in other letters":     {arrival(`"type":"coworking.v1.CheckIn"`), Options{}, refused{"unknown_type", "/type"}},
		"a type without its prefix":   {arrival(`"type":"checkin"`), Options{}, refused{"unknown_type", "/type"}},
		"the prefix of a type":        {arrival(`"type":"coworking.v1."`), Options{}, refused{"unknown_type", "/type"}},
		"another kind than published": {arrival(), Options{SubjectSpace: "mitte", SubjectKind: "checkout"}, refused{"kind_mismatch", "/type"}},

		"no time":                          {arrival(`"time"`), Options{}, refused{"invalid_time", "/time"}},
		"a time in seconds":                {arrival(`"time":1774745883`), Options{}, refused{"invalid_time", "/time"}},
		"an empty time":                    {arrival(`"time":""`), Options{}, refused{"invalid_time", "/time"}},
		"a time without an offset":         {arrival(`"time":"2026-03-29T00:58:03"`), Options{}, refused{"invalid_time", "/time"}},
		"the end of 1972":                  {arrival(`"time":"1972-12-31T23:59:59.999999Z"`), Options{}, refused{"invalid_time", "/time"}},
		"1973, but not in UTC":             {arrival(`"time":"1973-01-01T00:59:59+01:00"`), Options{}, refused{"invalid_time", "/time"}},
		"after 9999":                       {arrival(`"time":"10000-01-01T00:00:00Z"`), Options{}, refused{"invalid_time", "/time"}},
		"9999, but not in UTC":             {arrival(`"time":"9999-12-31T23:59:59-00:01"`), Options{}, refused{"invalid_time", "/time"}},
		"30 February":                      {arrival(`"time":"2026-02-30T12:00:00Z"`), Options{}, refused{"invalid_time", "/time"}},
		"29 February of a common year":     {arrival(`"time":"2100-02-29T12:00:00Z"`), Options{}, refused{"invalid_time", "/time"}},
		"31 April":                         {arrival(`"time":"2026-04-31T12:00:00Z"`), Options{}, refused{"invalid_time", "/time"}},
		"a day 0":                          {arrival(`"time":"2026-04-00T12:00:00Z"`), Options{}, refused{"invalid_time", "/time"}},
		"a thirteenth month":               {arrival(`"time":"2026-13-01T12:00:00Z"`), Options{}, refused{"invalid_time", "/time"}},
		"a month 0":                        {arrival(`"time":"2026-00-01T12:00:00Z"`), Options{}, refused{"invalid_time", "/time"}},
		"24 o'clock":                       {arrival(`"time":"2026-03-29T24:00:00Z"`), Options{}, refused{"invalid_time", "/time"}},
		"a sixtieth minute":                {arrival(`"time":"2026-03-29T12:60:00Z"`), Options{}, refused{"invalid_time", "/time"}},
		"a leap second":                    {arrival(`"time":"2016-12-31T23:59:60Z"`), Options{}, refused{"invalid_time", "/time"}},
		"a blank instead of T":             {arrival(`"time":"2026-03-29 00:58:03Z"`), Options{}, refused{"invalid_time", "/time"}},
		"an hour of one digit":             {arrival(`"time":"2026-03-29T0:58:03Z"`), Options{}, refused{"invalid_time", "/time"}},
		"a year of five digits":            {arrival(`"time":"+2026-03-29T00:58:03Z"`), Options{}, refused{"invalid_time", "/time"}},
		"a fraction after a comma":         {arrival(`"time":"2026-03-29T00:58:03,5Z"`), Options{}, refused{"invalid_time", "/time"}},
		"a fraction without digits":        {arrival(`"time":"2026-03-29T00:58:03.Z"`), Options{}, refused{"invalid_time", "/time"}},
		"no seconds":                       {arrival(`"time":"2026-03-29T00:58Z"`), Options{}, refused{"invalid_time", "/time"}},
		"an offset without a colon":        {arrival(`"time":"2026-03-29T00:58:03+0100"`), Options{}, refused{"invalid_time", "/time"}},
		"an offset of a day":               {arrival(`"time":"2026-03-29T00:58:03+24:00"`), Options{}, refused{"invalid_time", "/time"}},
		"an offset with a sixtieth minute": {arrival(`"time":"2026-03-29T00:58:03+00:60"`), Options{}, refused{"invalid_time", "/time"}},
		"an offset without a sign":         {arrival(`"time":"2026-03-29T00:58:03 01:00"`), Options{}, refused{"invalid_time", "/time"}},
		"an offset in letters":             {arrival(`"time":"2026-03-29T00:58:03+aa:00"`), Options{}, refused{"invalid_time", "/time"}},
		"a zone's name":                    {arrival(`"time":"2026-03-29T00:58:03 CET"`), Options{}, refused{"invalid_time", "/time"}},
		"something after the time":         {arrival(`"time":"2026-03-29T00:58:03Z "`), Options{}, refused{"invalid_time", "/time"}},

		"a NUL in the body":               {[]byte("{\"id\":\"1\"}\x00"), Options{}, refused{"invalid_text", ""}},
		"a NUL in a text":                 {arrival("\"id\":\"a\x00b\""), Options{}, refused{"invalid_text", ""}},
		`\u0000 in an id`:                 {arrival(`"id":"a\u0000b"`), Options{}, refused{"invalid_text", "/id"}},
		`\u0000 in a field`:               {told(CheckIn, `"zone":"a\u0000"`), Options{}, refused{"invalid_text", "/data/zone"}},
		`\u0000 in an unknown field`:      {told(CheckIn, `"x":["a\u0000"]`), Options{}, refused{"invalid_text", "/data/x/0"}},
		`\u0000 in a key`:                 {told(CheckIn, `"a\u0000":1`), Options{}, refused{"invalid_text", "/data"}},
		"the first half of a pair":        {arrival(`"subject":"\ud83d"`), Options{}, refused{"invalid_text", "/subject"}},
		"the second half of a pair":       {arrival(`"subject":"\ude00"`), Options{}, refused{"invalid_text", "/subject"}},
		"a pair in the wrong order":       {arrival(`"subject":"\ude00\ud83d"`), Options{}, refused{"invalid_text", "/subject"}},
		"half a pair and a letter":        {arrival(`"subject":"\ud83d\u0041"`), Options{}, refused{"invalid_text", "/subject"}},
		"half a pair and a line":          {arrival(`"subject":"\ud83d\n"`), Options{}, refused{"invalid_text", "/subject"}},
		"half a pair in an unknown field": {told(CheckIn, `"x":{"y":"\ud83d"}`), Options{}, refused{"invalid_text", "/data/x/y"}},
		"a byte that is not UTF-8":        {arrival("\"subject\":\"\xff\""), Options{}, refused{"invalid_text", ""}},
		"a surrogate in UTF-8":            {arrival("\"subject\":\"\xed\xa0\xbd\""), Options{}, refused{"invalid_text", ""}},
		"a letter of too many bytes":      {arrival("\"subject\":\"\xc0\xaf\""), Options{}, refused{"invalid_text", ""}},
		"Latin-1":                         {arrival("\"x\":\"M\xfcller\""), Options{}, refused{"invalid_text", ""}},
		"a line break in a text":          {arrival("\"subject\":\"a\nb\""), Options{}, refused{"invalid_text", "/subject"}},
		"a bell in an unknown attribute":  {arrival("\"x\":\"\a\""), Options{}, refused{"invalid_text", "/x"}},
		"an escaped line break in an id":  {arrival(`"id":"a\nb"`), Options{}, refused{"invalid_text", "/id"}},
		"escapes with names in an id":     {arrival(`"id":"a\b\f\r\t"`), Options{}, refused{"invalid_text", "/id"}},
		"a delete in a source":            {arrival("\"source\":\"a\x7f\""), Options{}, refused{"invalid_text", "/source"}},
		"a C1 control in a member":        {arrival(`"subject":"a\u0085b"`), Options{}, refused{"invalid_text", "/subject"}},
		"a tab in a field":                {told(CheckIn, `"zone":"a\tb"`), Options{}, refused{"invalid_text", "/data/zone"}},
		"an escape in a member's name":    {told(MemberUpserted, `"name":"\u001b[31m"`), Options{}, refused{"invalid_text", "/data/name"}},
		"a line break in a space's name":  {told(SpaceUpserted, `"name":"a\nb"`), Options{}, refused{"invalid_text", "/data/name"}},
		"a line break in a void's reason": {told(EventVoided, `"source":"a","id":"1","reason":"a\nb"`), Options{}, refused{"invalid_text", "/data/reason"}},

		"no space":                         {arrival(`"data":{}`), Options{}, refused{"invalid_space", "/data/space"}},
		"no data":                          {arrival(`"data"`), Options{}, refused{"invalid_space", "/data/space"}},
		"data that is null":                {arrival(`"data":null`), Options{}, refused{"invalid_space", "/data/space"}},
		"a space that is null":             {arrival(`"data":{"space":null}`), Options{}, refused{"invalid_space", "/data/space"}},
		"a space that is a number":         {arrival(`"data":{"space":1}`), Options{}, refused{"invalid_space", "/data/space"}},
		"a space that is a wildcard":       {arrival(`"data":{"space":"a.>"}`), Options{}, refused{"invalid_space", "/data/space"}},
		"an empty space":                   {arrival(`"data":{"space":""}`), Options{}, refused{"invalid_space", "/data/space"}},
		"a space in capitals":              {arrival(`"data":{"space":"Mitte"}`), Options{}, refused{"invalid_space", "/data/space"}},
		"a space that begins with a dash":  {arrival(`"data":{"space":"-mitte"}`), Options{}, refused{"invalid_space", "/data/space"}},
		"a space of 64 letters":            {arrival(`"data":{"space":"` + long[:64] + `"}`), Options{}, refused{"invalid_space", "/data/space"}},
		"a space with a letter of our own": {arrival(`"data":{"space":"mitté"}`), Options{}, refused{"invalid_space", "/data/space"}},
		"a check-in into no space":         {arrival(`"data":{"space":"_"}`), Options{}, refused{"invalid_space", "/data/space"}},
		"a member in a space":              {arrival(`"type":"coworking.v1.member_upserted"`, `"subject":"4711"`, `"data":{"space":"mitte"}`), Options{}, refused{"invalid_space", "/data/space"}},
		"another space than published":     {arrival(), Options{SubjectSpace: "kreuzberg", SubjectKind: "checkin"}, refused{"space_mismatch", "/data/space"}},
		"a subject that names no space":    {arrival(`"data":{}`), Options{SubjectSpace: "Mitte"}, refused{"invalid_space", "/data/space"}},

		"another version of CloudEvents": {arrival(`"specversion":"0.3"`), Options{}, refused{"invalid_field", "/specversion"}},
		"a version that is a number":     {arrival(`"specversion":1.0`), Options{}, refused{"invalid_field", "/specversion"}},
		"data that is no object":         {arrival(`"data":[]`), Options{}, refused{"invalid_field", "/data"}},
		"data in base64":                 {arrival(`"data_base64":"e30="`), Options{}, refused{"invalid_field", "/data_base64"}},
		"data that is XML":               {arrival(`"datacontenttype":"text/xml"`), Options{}, refused{"invalid_field", "/datacontenttype"}},
		"a content type that is true":    {arrival(`"datacontenttype":true`), Options{}, refused{"invalid_field", "/datacontenttype"}},
		"a member that is a number":      {arrival(`"subject":4711`), Options{}, refused{"invalid_field", "/subject"}},
		"a member without a name":        {arrival(`"subject":""`), Options{}, refused{"invalid_field", "/subject"}},
		"a member of 129 bytes":          {arrival(`"subject":"` + long + `"`), Options{}, refused{"invalid_field", "/subject"}},
		"what is known of nobody":        {arrival(`"type":"coworking.v1.member_upserted"`, `"data"`), Options{}, refused{"invalid_field", "/subject"}},

		"a method that nobody knows":   {told(CheckIn, `"method":"window"`), Options{}, refused{"invalid_field", "/data/method"}},
		"a method that is a number":    {told(CheckIn, `"method":1`), Options{}, refused{"invalid_field", "/data/method"}},
		"a zone that is an array":      {told(CheckIn, `"zone":["a"]`), Options{}, refused{"invalid_field", "/data/zone"}},
		"an empty device":              {told(CheckIn, `"device":""`), Options{}, refused{"invalid_field", "/data/device"}},
		"a plan of 129 bytes":          {told(CheckIn, `"plan":"`+long+`"`), Options{}, refused{"invalid_field", "/data/plan"}},
		"a party of nobody":            {told(CheckIn, `"party_size":0`), Options{}, refused{"invalid_field", "/data/party_size"}},
		"a party of half a person":     {told(CheckIn, `"party_size":1.5`), Options{}, refused{"invalid_field", "/data/party_size"}},
		"a party in words":             {told(CheckIn, `"party_size":"2"`), Options{}, refused{"invalid_field", "/data/party_size"}},
		"a party of 10,001":            {told(TokenUsed, `"token_id":"t","party_size":10001`), Options{}, refused{"invalid_field", "/data/party_size"}},
		"a party of a great number":    {told(CheckIn, `"party_size":99999999999999999999`), Options{}, refused{"invalid_field", "/data/party_size"}},
		"a party with an exponent":     {told(CheckIn, `"party_size":1e1`), Options{}, refused{"invalid_field", "/data/party_size"}},
		"a failure that nobody knows":  {told(CheckInFailed, `"reason":"too tired"`), Options{}, refused{"invalid_field", "/data/reason"}},
		"an issue of no token":         {told(TokenIssued, ``), Options{}, refused{"invalid_field", "/data/token_id"}},
		"an issue of a null token":     {told(TokenIssued, `"token_id":null`), Options{}, refused{"invalid_field", "/data/token_id"}},
		"an expiry without an offset":  {told(TokenIssued, `"token_id":"t","expires_at":"2026-03-29T12:00:00"`), Options{}, refused{"invalid_field", "/data/expires_at"}},
		"an expiry in seconds":         {told(TokenIssued, `"token_id":"t","expires_at":12`), Options{}, refused{"invalid_field", "/data/expires_at"}},
		"a use of no token":            {told(TokenUsed, ``), Options{}, refused{"invalid_field", "/data/token_id"}},
		"a void of no source":          {told(EventVoided, `"id":"1"`), Options{}, refused{"invalid_field", "/data/source"}},
		"a void of no id":              {told(EventVoided, `"source":"a"`), Options{}, refused{"invalid_field", "/data/id"}},
		"a void of an id of 129 bytes": {told(EventVoided, `"source":"a","id":"`+long+`"`), Options{}, refused{"invalid_field", "/data/id"}},
		"a member who joined on a day": {told(MemberUpserted, `"joined_at":"2026-03-29"`), Options{}, refused{"invalid_field", "/data/joined_at"}},
		"a member who is active: yes":  {told(MemberUpserted, `"active":"yes"`), Options{}, refused{"invalid_field", "/data/active"}},
		"a member without letters":     {told(MemberUpserted, `"name":""`), Options{}, refused{"invalid_field", "/data/name"}},

		"a space without letters":         {told(SpaceUpserted, `"name":""`), Options{}, refused{"invalid_field", "/data/name"}},
		"a space's name of 257 bytes":     {told(SpaceUpserted, `"name":"`+long+long[1:]+`"`), Options{}, refused{"invalid_field", "/data/name"}},
		"an offset as a zone":             {told(SpaceUpserted, `"time_zone":"+01:00"`), Options{}, refused{"invalid_field", "/data/time_zone"}},
		"a zone in small letters":         {told(SpaceUpserted, `"time_zone":"europe/berlin"`), Options{}, refused{"invalid_field", "/data/time_zone"}},
		"this machine's own zone":         {told(SpaceUpserted, `"time_zone":"Local"`), Options{}, refused{"invalid_field", "/data/time_zone"}},
		"an empty zone":                   {told(SpaceUpserted, `"time_zone":""`), Options{}, refused{"invalid_field", "/data/time_zone"}},
		"a zone that is a number":         {told(SpaceUpserted, `"time_zone":1`), Options{}, refused{"invalid_field", "/data/time_zone"}},
		"less than no seats":              {told(SpaceUpserted, `"capacity":-1`), Options{}, refused{"invalid_field", "/data/capacity"}},
		"a million and one seats":         {told(SpaceUpserted, `"capacity":1000001`), Options{}, refused{"invalid_field", "/data/capacity"}},
		"half a seat":                     {told(SpaceUpserted, `"capacity":0.5`), Options{}, refused{"invalid_field", "/data/capacity"}},
		"days from 05:20":                 {told(SpaceUpserted, `"day_start":"05:20"`), Options{}, refused{"invalid_field", "/data/day_start"}},
		"days from 24:00":                 {told(SpaceUpserted, `"day_start":"24:00"`), Options{}, refused{"invalid_field", "/data/day_start"}},
		"days from 5:00":                  {told(SpaceUpserted, `"day_start":"5:00"`), Options{}, refused{"invalid_field", "/data/day_start"}},
		"a stay of no time":               {told(SpaceUpserted, `"default_stay":"0h"`), Options{}, refused{"invalid_field", "/data/default_stay"}},
		"a stay of 25 hours":              {told(SpaceUpserted, `"default_stay":"24h60m"`), Options{}, refused{"invalid_field", "/data/default_stay"}},
		"a stay in seconds":               {told(SpaceUpserted, `"default_stay":"3600s"`), Options{}, refused{"invalid_field", "/data/default_stay"}},
		"a stay of 1.5h":                  {told(SpaceUpserted, `"default_stay":"1.5h"`), Options{}, refused{"invalid_field", "/data/default_stay"}},
		"a stay without a unit":           {told(SpaceUpserted, `"default_stay":"4"`), Options{}, refused{"invalid_field", "/data/default_stay"}},
		"an empty stay":                   {told(SpaceUpserted, `"default_stay":""`), Options{}, refused{"invalid_field", "/data/default_stay"}},
		"hours of Monday in full":         {told(SpaceUpserted, `"opening_hours":{"monday":["08:00","18:00"]}`), Options{}, refused{"invalid_field", "/data/opening_hours/monday"}},
		"hours of a day of three letters": {told(SpaceUpserted, `"opening_hours":{"n t":["08:00","18:00"]}`), Options{}, refused{"invalid_field", "/data/opening_hours/n t"}},
		"hours that open at 24:00":        {told(SpaceUpserted, `"opening_hours":{"mon":["24:00","02:00"]}`), Options{}, refused{"invalid_field", "/data/opening_hours/mon/0"}},
		"hours that close at 8 pm":        {told(SpaceUpserted, `"opening_hours":{"mon":["08:00","8 pm"]}`), Options{}, refused{"invalid_field", "/data/opening_hours/mon/1"}},
		"hours of one clock":              {told(SpaceUpserted, `"opening_hours":{"mon":["08:00"]}`), Options{}, refused{"invalid_field", "/data/opening_hours/mon"}},
		"hours of three clocks":           {told(SpaceUpserted, `"opening_hours":{"mon":["08:00","12:00","18:00"]}`), Options{}, refused{"invalid_field", "/data/opening_hours/mon"}},
		"hours of a clock and nothing":    {told(SpaceUpserted, `"opening_hours":{"mon":["08:00",null]}`), Options{}, refused{"invalid_field", "/data/opening_hours/mon/1"}},
		"hours of nothing":                {told(SpaceUpserted, `"opening_hours":{"mon":null}`), Options{}, refused{"invalid_field", "/data/opening_hours/mon"}},
		"hours that are a text":           {told(SpaceUpserted, `"opening_hours":"08:00-18:00"`), Options{}, refused{"invalid_field", "/data/opening_hours"}},
		"a closure that is a text":        {told(SpaceUpserted, `"closures":"2026-12-24"`), Options{}, refused{"invalid_field", "/data/closures"}},
		"a closure on 30 February":        {told(SpaceUpserted, `"closures":["2026-12-24","2026-02-30"]`), Options{}, refused{"invalid_field", "/data/closures/1"}},
		"a closure that is null":          {told(SpaceUpserted, `"closures":[null]`), Options{}, refused{"invalid_field", "/data/closures/0"}},
		"settings from a time on":         {told(SpaceUpserted, `"effective_from":"2026-03-29T00:00:00Z"`), Options{}, refused{"invalid_field", "/data/effective_from"}},
		"settings from the year 0 on":     {told(SpaceUpserted, `"effective_from":"0000-01-01"`), Options{}, refused{"invalid_field", "/data/effective_from"}},
	}
}

func TestWhatIsRefused(t *testing.T) {
	for name, test := range mistakes() {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(test.body, test.options)
			if diff := cmp.Diff(test.want, whyRefused(err)); diff != "" || fault.Of(err) != fault.Invalid {
				t.Errorf("%s: %v (-want +got):\n%s", test.body[:min(len(test.body), 300)], err, diff)
			}
		})
	}
}

func TestBrokenJSONIsFoundByItsOffset(t *testing.T) {
	_, err := Decode([]byte(`{"id":"1",}`), Options{})
	if want := "not JSON at byte 10"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = Decode([]byte(`{"id":`), Options{})
	if want := "the JSON ends too early, at byte 6"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestARefusalIsShortHoweverLongTheEvent(t *testing.T) {
	endless := strings.Repeat("ü", 100_000)
	for _, body := range [][]byte{
		arrival(`"type":"` + endless + `"`),
		arrival(`"time":"` + endless + `"`),
		arrival(`"` + endless + `":1,"` + endless + `":1`),
		arrival(`"data":{"space":"` + endless + `"}`),
		told(CheckIn, `"`+endless+`":1`),
		told(CheckIn, `"method":"`+endless+`"`),
		told(CheckIn, `"party_size":1`+strings.Repeat("0", 100_000)),
		told(TokenIssued, `"token_id":"1","expires_at":"`+endless+`"`),
		told(SpaceUpserted, `"time_zone":"`+endless+`"`),
		told(SpaceUpserted, `"opening_hours":{"`+endless+`":["08:00","18:00"]}`),
		told(SpaceUpserted, `"closures":["`+endless+`"]`),
	} {
		_, err := Decode(body, Options{Strict: true})
		if err == nil || len(err.Error()) > 400 || len(fault.Pointer(err)) > 400 {
			t.Errorf("%s…: an error of %d bytes at a place of %d", body[:100], len(err.Error()), len(fault.Pointer(err)))
		}
	}
}

func TestWhoseARefusedEventIsIsTold(t *testing.T) {
	e, err := Decode(arrival(`"id":""`), Options{})
	if fault.Code(err) != "invalid_id" || e.Source != "lock-7" {
		t.Errorf("a bad id: %v, source %q", err, e.Source)
	}
	e, err = Decode(arrival(`"time"`), Options{})
	if fault.Code(err) != "invalid_time" || e.ID != "1" || e.Source != "lock-7" || e.Kind != CheckIn {
		t.Errorf("no time: %v, %+v", err, e)
	}
}

func TestTheFutureBeginsFiveMinutesAfterTheStreamSawTheEvent(t *testing.T) {
	received := time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		ahead time.Duration
		want  refused
	}{
		"a year late":             {-365 * 24 * time.Hour, refused{}},
		"on time":                 {0, refused{}},
		"five minutes ahead":      {5 * time.Minute, refused{}},
		"a microsecond more":      {5*time.Minute + time.Microsecond, refused{"future", "/time"}},
		"six minutes ahead":       {6 * time.Minute, refused{"future", "/time"}},
		"further than a Duration": {1 << 62, refused{"future", "/time"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := Event{Time: received.Add(test.ahead)}
			if diff := cmp.Diff(test.want, whyRefused(e.CheckFuture(received))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	far := Event{Time: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}
	if code := fault.Code(far.CheckFuture(received)); code != "future" {
		t.Errorf("the end of all time is %q", code)
	}
}

// Who wrote a name that is none reads which there are.
func TestARefusalNamesWhatThereIs(t *testing.T) {
	cases := map[string]struct {
		body []byte
		want string
	}{
		"a field":                         {told(CheckOut, `"plan":"flex"`), `checkout has no field "plan", but space, method, zone, device`},
		"a field of a kind that has none": {told(Heartbeat, `"method":"door"`), `heartbeat has no field "method", but space`},
		"a batch":                         {[]byte("[{}]"), "an event is a JSON object; an array of them is a batch, with a media type of its own"},
		"a number":                        {[]byte("7"), "an event is a JSON object"},
		"a time in seconds":               {arrival(`"time":1774745883`), "time is not a text like 2026-03-29T00:58:03.120Z"},
		"a type": {
			arrival(`"type":"checkin"`),
			`type "checkin" is none of ours, which are coworking.v1. and checkin, checkout, presence, checkin_failed, token_issued, token_used, member_upserted, space_upserted, event_voided, heartbeat`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode(c.body, Options{Strict: true}); err == nil || err.Error() != c.want {
				t.Errorf("%v", err)
			}
		})
	}
}
