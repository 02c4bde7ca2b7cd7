package aws

import (
	"context"
	_ "embed"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"coworking/migrations/apply"
	"coworking/pkg/pgtest"

	"github.com/jackc/pgx/v5"
)

//go:embed roles.psql
var rolesSQL string

//go:embed grants.psql
var grantsSQL string

var roleName = regexp.MustCompile(`\b(ingest|query)\b`)

// as runs statements as a user of a database, and is the first error. psql fills in
// :'name' and :"DBNAME"; here that is done by hand. Users are the server's, which other
// tests may use at the same time: they are named after the database, too, and their
// password is their name.
func as(ctx context.Context, config *pgx.ConnConfig, user, statements string) error {
	own := config.Copy()
	if user != "" {
		own.User, own.Password = nameIn(config, user), nameIn(config, user)
	}
	conn, err := pgx.ConnectConfig(ctx, own)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	statements = roleName.ReplaceAllStringFunc(statements, func(name string) string { return nameIn(config, name) })
	_, err = conn.PgConn().Exec(ctx, strings.NewReplacer(
		":'ingest_password'", "'"+nameIn(config, "ingest")+"'", ":'query_password'", "'"+nameIn(config, "query")+"'",
		`:"DBNAME"`, pgx.Identifier{own.Database}.Sanitize(),
	).Replace(statements)).ReadAll()
	return err
}

func nameIn(config *pgx.ConnConfig, user string) string { return user + "_" + config.Database }

func TestTheServicesUsersMayDoTheirWorkAndNoMore(t *testing.T) {
	address := pgtest.Empty(t)
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	if err := as(t.Context(), config, "", rolesSQL); err != nil {
		t.Fatalf("roles.psql: %v", err)
	}
	t.Cleanup(func() { // users are the server's, not the database's
		for _, statement := range []string{"drop owned by query cascade", "drop owned by ingest cascade", "drop role query", "drop role ingest"} {
			if err := as(context.WithoutCancel(t.Context()), config, "", statement); err != nil {
				t.Error(err)
			}
		}
	})
	owned, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	owned.User = url.UserPassword(nameIn(config, "ingest"), nameIn(config, "ingest"))
	if err := apply.Up(t.Context(), owned.String(), io.Discard); err != nil {
		t.Fatalf("migrations, as ingest: %v", err)
	}
	if err := as(t.Context(), config, "", grantsSQL); err != nil {
		t.Fatalf("grants.psql: %v", err)
	}
	cases := map[string]struct {
		user, statement string
		may             bool
	}{
		"ingest writes events":                 {"ingest", "delete from events", true},
		"ingest makes temporary tables":        {"ingest", "create temporary table batch (id int)", true},
		"query reads events":                   {"query", "select from events", true},
		"query reads what analysts read":       {"query", "select from report_days", true},
		"query writes keys":                    {"query", "delete from app.keys", true},
		"query writes who read about persons":  {"query", "delete from app.personal_reads", true},
		"query writes no events":               {"query", "delete from events", false},
		"query changes no rollups":             {"query", "update space_day set version = 0", false},
		"query makes no tables":                {"query", "create table mine (id int)", false},
		"query makes no tables where keys are": {"query", "create table app.mine (id int)", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := as(t.Context(), config, c.user, c.statement); (err == nil) != c.may {
				t.Errorf("%s: %v", c.statement, err)
			}
		})
	}
}
