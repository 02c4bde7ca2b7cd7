package stream_test

import (
	"fmt"
	"testing"

	"coworking/pkg/fault"
	"coworking/pkg/stream"

	"github.com/google/go-cmp/cmp"
)

func TestAStoredSubjectIsTakenApart(t *testing.T) {
	cases := map[string]struct {
		subject string
		want    stream.Subject
		fault   string
	}{
		"a check-in":                  {subject: "checkins.v1.0.berlin-mitte.checkin", want: stream.Subject{Space: "berlin-mitte", Kind: "checkin"}},
		"a member, of no space":       {subject: "checkins.v1.7._.member_upserted", want: stream.Subject{Partition: 7, Space: "_", Kind: "member_upserted"}},
		"a space that is a number":    {subject: "checkins.v1.12.0.checkin", want: stream.Subject{Partition: 12, Space: "0", Kind: "checkin"}},
		"no partition":                {subject: "checkins.v1.berlin-mitte.checkin", fault: "invalid_space"},
		"a partition below zero":      {subject: "checkins.v1.-1.berlin.checkin", fault: "invalid_space"},
		"a partition with a sign":     {subject: "checkins.v1.+1.berlin.checkin", fault: "invalid_space"},
		"no kind":                     {subject: "checkins.v1.0.berlin", fault: "invalid_space"},
		"an empty kind":               {subject: "checkins.v1.0.berlin.", fault: "invalid_space"},
		"an empty space":              {subject: "checkins.v1.0..checkin", fault: "invalid_space"},
		"a token too many":            {subject: "checkins.v1.0.0.victim.checkin", fault: "invalid_space"},
		"another version":             {subject: "checkins.v2.0.berlin.checkin", fault: "invalid_space"},
		"something else":              {subject: "orders.new", fault: "invalid_space"},
		"nothing":                     {subject: "", fault: "invalid_space"},
		"an enormous partition":       {subject: "checkins.v1.99999999999999999999.berlin.checkin", fault: "invalid_space"},
		"the prefix without its tail": {subject: "checkins.v1.", fault: "invalid_space"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := stream.ParseSubject(c.subject)
			if diff := cmp.Diff(c.want, got); diff != "" || fault.Code(err) != c.fault {
				t.Errorf("fault %q: %v (-want +got):\n%s", fault.Code(err), err, diff)
			}
			if err != nil && fault.Of(err) != fault.Invalid {
				t.Errorf("fault %v, want invalid", fault.Of(err))
			}
		})
	}
}

// What is accepted can be put together again, and what is refused is invalid.
func FuzzParseSubject(f *testing.F) {
	for _, seed := range []string{"checkins.v1.0.berlin.checkin", "checkins.v1.00.berlin.checkin", "checkins.v1.65536.b.c", "checkins.v1.0.b.c.d", "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, subject string) {
		got, err := stream.ParseSubject(subject)
		if err != nil {
			if fault.Of(err) != fault.Invalid || got != (stream.Subject{}) {
				t.Errorf("%v with %+v", err, got)
			}
			return
		}
		again, err := stream.ParseSubject(fmt.Sprintf("checkins.v1.%d.%s.%s", got.Partition, got.Space, got.Kind))
		if err != nil || again != got {
			t.Errorf("%q gave %+v, and that %+v (%v)", subject, got, again, err)
		}
	})
}
