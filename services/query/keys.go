package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"coworking/migrations/apply"
	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/pkg/pg"
)

// keysCmd is `query keys`: the keys that clients show.
type keysCmd struct {
	databaseFlags

	NATSURL string `name:"nats-url" env:"NATS_URL" help:"Taken as by every verb; not used: keys are in the database."`

	Create createKeyCmd `cmd:"" help:"Make a key, and print it this once."`
	List   listKeysCmd  `cmd:"" help:"List every key there ever was, the oldest first."`
	Revoke revokeKeyCmd `cmd:"" help:"End keys, for good."`
	Rotate rotateKeyCmd `cmd:"" help:"Make a key in the place of another, which goes on for a while."`
}

// Help goes below the flags.
func (keysCmd) Help() string {
	return `A client shows its key with each request: Authorization: Bearer cw_<id>_<secret>. The database keeps a hash of it; lists and logs say its id only.

What a key may do is its scopes:

    reports:read  read numbers
    members:read  read reports that name persons
    events:write  send events
    admin         everything

Examples:

    query keys create dashboard --scope reports:read

    query keys list

    query keys rotate 7k2m9q4tx8bd --overlap 48h

    query keys revoke 7k2m9q4tx8bd`
}

type createKeyCmd struct {
	Name    string      `arg:"" help:"Whose it is, or what it is for."`
	Scope   []scope     `required:"" placeholder:"SCOPE" help:"What it may do: reports:read, members:read, events:write, admin. May be said more than once."`
	Space   []spaceName `placeholder:"NAME" help:"Only in this space; may be said more than once. All of them if not given, also those to come."`
	Expires lifetime    `default:"never" placeholder:"WHEN" help:"After how many days it ends (90d), on which date in UTC (2027-01-01), or never, as if not given."`
}

// Help goes below the flags.
func (createKeyCmd) Help() string {
	return `The key is the only thing on standard output, and it is never shown again.

Examples:

    query keys create dashboard --scope reports:read

    query keys create "front desk" --scope reports:read --scope members:read --space berlin --expires 90d

    KEY=$(query keys create door --scope events:write --space soho)`
}

// Run makes a key.
func (c *createKeyCmd) Run(ctx context.Context, out io.Writer, k *keysCmd) error {
	wanted := key.Wanted{Name: c.Name}
	for _, s := range c.Scope {
		wanted.Scopes = append(wanted.Scopes, key.Scope(s))
	}
	for _, name := range c.Space {
		wanted.Spaces = append(wanted.Spaces, string(name))
	}
	var err error
	if wanted.Expires, err = c.Expires.end(time.Now()); err != nil {
		return err
	}
	return k.with(ctx, func(db pg.Querier) error {
		made, secret, err := key.Create(ctx, db, wanted)
		if err != nil {
			return err
		}
		return handOver(out, os.Stderr, made, secret)
	})
}

type listKeysCmd struct {
	JSON bool `help:"As JSON, a line each."`
}

// Help goes below the flags.
func (listKeysCmd) Help() string {
	return `Last use is known to the minute. A key that was rotated is active until it expires.

Examples:

    query keys list

    query keys list --json | jq -r 'select(.state == "active" and .last_used == null) | .id'`
}

// Run lists.
func (c *listKeysCmd) Run(ctx context.Context, out io.Writer, k *keysCmd) error {
	return k.with(ctx, func(db pg.Querier) error {
		keys, err := key.List(ctx, db)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeKeys(out, keys, time.Now())
		}
		return tabulate(out, keys, time.Now())
	})
}

type revokeKeyCmd struct {
	IDs []keyID `arg:"" name:"id" help:"Their ids, from the list. A key that leaked may be given whole."`
}

// Help goes below the flags.
func (revokeKeyCmd) Help() string {
	return `Services remember a key for ten seconds: after that it opens nothing. That it was revoked before is no error.

Example:

    query keys revoke 7k2m9q4tx8bd`
}

// Run revokes each; the first that is not there ends it.
func (c *revokeKeyCmd) Run(ctx context.Context, out io.Writer, k *keysCmd) error {
	return k.with(ctx, func(db pg.Querier) error {
		for _, id := range c.IDs {
			revoked, err := key.Revoke(ctx, db, string(id))
			if err != nil {
				return advise(err)
			}
			fmt.Fprintf(out, "%s: revoked %s\n", revoked.ID, revoked.Revoked.UTC().Format(time.RFC3339))
		}
		return nil
	})
}

type rotateKeyCmd struct {
	ID      keyID         `arg:"" help:"Its id, from the list."`
	Overlap time.Duration `default:"24h" help:"How long the old key goes on, unless it ends before."`
}

// Help goes below the flags.
func (rotateKeyCmd) Help() string {
	return `The new key has the name, scopes, spaces and end of the old one. It is the only thing on standard output, and it is never shown again.

Example:

    KEY=$(query keys rotate 7k2m9q4tx8bd --overlap 48h)`
}

// Run rotates.
func (c *rotateKeyCmd) Run(ctx context.Context, out io.Writer, k *keysCmd) error {
	return k.with(ctx, func(db pg.Querier) error {
		made, secret, err := key.Rotate(ctx, db, string(c.ID), c.Overlap)
		if err != nil {
			return advise(err)
		}
		end := time.Now().Add(c.Overlap)
		fmt.Fprintf(os.Stderr, "Key %s goes on until %s, or its end if that is sooner.\n", c.ID, moment(&end))
		return handOver(out, os.Stderr, made, secret)
	})
}

// with opens the database for a verb that does one thing and ends. It writes: what
// was said to be revoked must be so after a crash.
func (k *keysCmd) with(ctx context.Context, fn func(pg.Querier) error) error {
	database, err := k.database()
	if err != nil {
		return err
	}
	pool, err := pg.Open(ctx, database, pg.Options{Name: "query keys", MaxConns: 1, StatementTimeout: questionTimeout, Writer: true})
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := apply.Check(ctx, pool); err != nil {
		return err
	}
	return fn(pool)
}

// handOver prints a key alone where a script may catch it, and what there is to know
// about it where people read.
func handOver(out, messages io.Writer, made key.Key, secret key.Secret) error {
	if _, err := fmt.Fprintln(out, string(secret)); err != nil {
		return fault.Internal.Errorf("key %s is made and nobody has it, so revoke it: %w", made.ID, err)
	}
	fmt.Fprintf(messages, "Key %s, %q: %s in %s; expires: %s.\n", made.ID, made.Name, key.Join(made.Scopes), spaces(made), moment(made.Expires))
	fmt.Fprint(messages, "It is shown this once and kept nowhere: store it now. It is sent with each request:\n\n")
	if made.Grant().May(key.ReadReports) {
		fmt.Fprint(messages, "    curl -H \"Authorization: Bearer $KEY\" http://127.0.0.1:5153/api/v1/reports\n\n")
	} else { // whose address is another's
		fmt.Fprint(messages, "    Authorization: Bearer $KEY\n\n")
	}
	return nil
}

// writeKeys writes JSON, a line a key.
func writeKeys(out io.Writer, keys []key.Key, now time.Time) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, k := range keys {
		line := struct {
			key.Key
			State key.State `json:"state"`
		}{k, k.State(now)}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// tabulate writes a table for people.
func tabulate(out io.Writer, keys []key.Key, now time.Time) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "id\tname\tscopes\tspaces\tcreated\texpires\tlast used\tstate")
	for _, k := range keys {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, key.Join(k.Scopes), spaces(k),
			moment(&k.Created), moment(k.Expires), moment(k.LastUsed), k.State(now))
	}
	return table.Flush()
}

// spaces is where a key opens what it opens.
func spaces(k key.Key) string {
	if k.Spaces == nil {
		return "every space"
	}
	return strings.Join(k.Spaces, ", ")
}

// moment is an instant to the minute, in UTC.
func moment(at *time.Time) string {
	if at == nil {
		return "never"
	}
	return at.UTC().Format("2006-01-02T15:04Z")
}

// advise says how to find the id that was meant.
func advise(err error) error {
	if fault.Of(err) == fault.NotFound {
		return fault.NotFound.Errorf("%w; `query keys list` says which there are", err)
	}
	return err
}
