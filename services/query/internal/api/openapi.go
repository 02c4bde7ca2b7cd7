package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/services/query/internal/report"

	"github.com/getkin/kin-openapi/openapi3"
)

// OpenAPI is this service as an OpenAPI 3.1 document, in JSON that can be read and
// compared: every address, and what the catalogue says of every report.
func OpenAPI() ([]byte, error) {
	document, err := describe()
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(document)
	if err != nil {
		return nil, fault.Internal.Errorf("writing the description: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, body, "", "  "); err != nil {
		return nil, fault.Internal.Errorf("writing the description: %w", err)
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

// describe makes the document of the catalogue, the table of admission and the
// tables of codes.
func describe() (*openapi3.T, error) {
	document := &openapi3.T{
		OpenAPI:           "3.1.0",
		JSONSchemaDialect: "https://spec.openapis.org/oas/3.1/dialect/base",
		Info: &openapi3.Info{
			Title: "Coworking check-ins", Version: "1", Summary: summary, Description: markdown(),
			License: &openapi3.License{Name: "Apache License 2.0", Identifier: "Apache-2.0"},
		},
		Servers: openapi3.Servers{{URL: "/", Description: "Where this document is."}},
		Tags: openapi3.Tags{
			{Name: "reports", Description: "The numbers."},
			{Name: "documentation", Description: "What the numbers mean, and how to ask for them."},
			{Name: "operations", Description: "For those who run the service, and their machines."},
			{Name: "legacy", Description: "The addresses of the system before, byte for byte."},
		},
		Paths: openapi3.NewPaths(),
		Components: &openapi3.Components{
			Schemas:         sharedSchemas(),
			Parameters:      sharedParameters(),
			Headers:         sharedHeaders(),
			Responses:       refusals(),
			SecuritySchemes: credentials(),
		},
	}
	for _, a := range addresses {
		document.Paths.Set(a.path, &openapi3.PathItem{Get: a.operation()})
	}
	for _, r := range report.Catalogue {
		operation, err := operationOf(r)
		if err != nil {
			return nil, err
		}
		document.Paths.Set("/api/v1/reports/"+r.Name, &openapi3.PathItem{Get: operation})
		maps.Copy(document.Components.Schemas, schemasOf(r))
	}
	return document, nil
}

// credentials are the ways to say who asks.
func credentials() openapi3.SecuritySchemes {
	scheme := func(format, words string) *openapi3.SecuritySchemeRef {
		return &openapi3.SecuritySchemeRef{Value: openapi3.NewSecurityScheme().
			WithType("http").WithScheme("bearer").WithBearerFormat(format).WithDescription(words)}
	}
	return openapi3.SecuritySchemes{
		"key":   scheme("cw_<id>_<secret>", "A key, made with `query keys create`."),
		"token": scheme("JWT", "A token of the OpenID Connect issuer that the service trusts, where it trusts one."),
	}
}

// needs is one of the scopes, shown by a key or by a token. Without scopes it is
// nothing.
func needs(scopes ...key.Scope) *openapi3.SecurityRequirements {
	requirements := openapi3.SecurityRequirements{}
	for _, scheme := range []string{"key", "token"} {
		for _, scope := range scopes {
			requirements = append(requirements, openapi3.SecurityRequirement{scheme: {string(scope)}})
		}
	}
	return &requirements
}

// refusals are the answers that are problems, by status: those are what an
// operation refers to.
func refusals() openapi3.ResponseBodies {
	bodies := openapi3.ResponseBodies{}
	for _, status := range refusing() {
		description := http.StatusText(status) + ": " + strings.Join(codesOf(status), ", ") + "."
		bodies[refusal(status)] = &openapi3.ResponseRef{Value: &openapi3.Response{
			Description: &description,
			Headers:     headersOf(status),
			Content: openapi3.Content{
				"application/problem+json": openapi3.NewMediaType().WithSchemaRef(schemaRef(refusal(status))),
			},
		}}
	}
	return bodies
}

// refusing is the statuses of problems.
func refusing() []int { return slices.Compact(slices.Sorted(maps.Values(statuses))) }

// codesOf is the codes of a status.
func codesOf(status int) []string {
	var codes []string
	for code, its := range statuses {
		if its == status {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	return codes
}

// refusal is the name of a status where it refuses: NotFound.
func refusal(status int) string {
	return strings.ReplaceAll(http.StatusText(status), " ", "")
}

// headersOf is the headers of an answer by its status.
func headersOf(status int) openapi3.Headers {
	names := []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
	switch status {
	case http.StatusOK:
		names = append(names, "ETag", "Link", "Content-Disposition", "Vary")
	case http.StatusNotModified:
		names = append(names, "ETag")
	case http.StatusUnauthorized:
		names = []string{"WWW-Authenticate"}
	case http.StatusForbidden:
		names = append(names, "WWW-Authenticate")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		names = append(names, "Retry-After")
	}
	headers := openapi3.Headers{}
	for _, name := range names {
		headers[name] = &openapi3.HeaderRef{Ref: "#/components/headers/" + name}
	}
	return headers
}

func sharedHeaders() openapi3.Headers {
	headers := openapi3.Headers{}
	add := func(name, words string, schema *openapi3.Schema) {
		headers[name] = &openapi3.HeaderRef{Value: &openapi3.Header{Parameter: openapi3.Parameter{
			Description: words, Schema: schema.NewRef(),
		}}}
	}
	number, text := openapi3.NewInt64Schema(), openapi3.NewStringSchema()
	add("ETag", "The answer's version and format; weak, since as_of moves on while all else stays.", text)
	add("Link", "Where the rows go on, with rel=next (RFC 8288); not sent at their end.", text)
	add("Content-Disposition", "The name of the file, for CSV.", text)
	add("Vary", "Accept decides on the format.", text)
	add("RateLimit-Limit", "How many requests the holder of a key may make at once. Not sent where nobody is asked for one.", number)
	add("RateLimit-Remaining", "How many of them are left now.", number)
	add("RateLimit-Reset", "In how many seconds all of them are there again.", number)
	add("Retry-After", "In how many seconds to ask again.", number)
	add("WWW-Authenticate", "Bearer, and what was wrong with it (RFC 6750).", text)
	return headers
}

// responsesOf is the answers of an operation: what it says where all is well, and
// the statuses with which it may refuse.
func responsesOf(well map[int]*openapi3.Response, refused ...int) *openapi3.Responses {
	responses := openapi3.NewResponsesWithCapacity(len(well) + len(refused))
	for status, response := range well {
		responses.Set(strconv.Itoa(status), &openapi3.ResponseRef{Value: response})
	}
	for _, status := range refused {
		responses.Set(strconv.Itoa(status), &openapi3.ResponseRef{Ref: "#/components/responses/" + refusal(status)})
	}
	return responses
}

// pascal is a report's name as types are called: DailyUsage.
func pascal(name string) string {
	var words strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		words.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return words.String()
}

// camel is a report's name as operations are called: dailyUsage.
func camel(name string) string { return strings.ToLower(name[:1]) + pascal(name)[1:] }
