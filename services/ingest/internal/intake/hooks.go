package intake

import (
	"mime"
	"slices"
	"strings"

	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/services/ingest/internal/intake/hooks"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// vendors is the addresses that other systems post to, each in its own words.
type vendors struct {
	*server

	byName map[string]*hooks.Hook
	events *prometheus.CounterVec
}

// hooks opens POST /v1/hooks/:name for the hooks there are. Who posts is known only
// once the body is there, so these bodies have seats and rooms of their own: strangers
// keep nobody out who has a key.
func (s *server) hooks(e *echo.Echo) {
	front := *s
	front.seats, front.rooms = make(chan struct{}, max(s.AtOnce/2, 1)), make(chan struct{}, max(s.AtOnce/4, 1))
	front.showSeats("hooks")
	v := &vendors{server: &front, byName: map[string]*hooks.Hook{}, events: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "intake_hook_events_total",
		Help: "Events that other systems posted, by hook and by what became of them: stored, ignored (of a type that nobody asked for), unplaced (of a place of no space), or the code of the refusal.",
	}, []string{"hook", "result"})}
	s.Metrics.MustRegister(v.events)
	for i := range s.Hooks {
		v.byName[s.Hooks[i].Name] = &s.Hooks[i]
		v.events.WithLabelValues(s.Hooks[i].Name, "stored") // a rate begins at 0
	}
	e.POST("/v1/hooks/:name", v.take, front.received, front.seated)
}

// take answers a post like one to /v1/events, once the stream has what came of it.
// Nothing wanted came of it: 202 too, since a vendor that reads errors gives up on the
// hook.
func (v *vendors) take(c echo.Context) error {
	hook := v.byName[c.Param("name")]
	if hook == nil {
		return fault.NotFound.With("not_found", "", "there is no hook of this name")
	}
	mapped, grant, err := v.read(c, hook)
	if err != nil {
		v.events.WithLabelValues(hook.Name, fault.Code(err)).Inc()
		return err
	}
	v.events.WithLabelValues(hook.Name, "ignored").Add(float64(mapped.Ignored))
	v.events.WithLabelValues(hook.Name, "unplaced").Add(float64(mapped.Unplaced))
	outcomes, messages, of := v.judge(mapped.Events, grant)
	if len(messages) > 0 {
		for i, err := range v.Publisher.PublishBatch(c.Request().Context(), messages, nil) {
			if err != nil {
				outcomes[of[i]].refuse(err)
			}
		}
	}
	for _, o := range outcomes {
		result := o.Code
		if o.err == nil {
			result = o.Status
		}
		v.events.WithLabelValues(hook.Name, result).Inc()
	}
	return v.answer(c, outcomes, len(outcomes) > 1)
}

// read is what a request brings, from somebody who may bring it, and what they may
// write.
func (v *vendors) read(c echo.Context, hook *hooks.Hook) (hooks.Mapped, key.Grant, error) {
	grant, err := v.granted(c, hook)
	if err != nil {
		return hooks.Mapped{}, grant, err
	}
	mediaType, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	if err != nil || !hook.Accepts(mediaType) {
		return hooks.Mapped{}, grant, unsupported("this hook reads " + strings.Join(hook.MediaTypes(), ", "))
	}
	body, err := unpacked(c.Request().Header, bodyOf(c))
	if err != nil {
		return hooks.Mapped{}, grant, err
	}
	if err := hook.Verify(c.Request().Header, body, v.Now()); err != nil {
		return hooks.Mapped{}, grant, err
	}
	mapped, err := hook.Map(body)
	return mapped, grant, err
}

// granted is what a request to a hook may write: the hook's spaces, and of those only
// the key's where the hook asks for one.
func (v *vendors) granted(c echo.Context, hook *hooks.Hook) (key.Grant, error) {
	grant := key.Grant{Holder: "hook " + hook.Name, Name: hook.Name, Scopes: []key.Scope{key.WriteEvents}, Spaces: hook.Spaces()}
	if !hook.Key || v.Open {
		return grant, nil
	}
	shown, err := v.identify(c)
	if err != nil {
		return grant, err
	}
	if !shown.May(key.WriteEvents) {
		return grant, fault.Invalid.With("missing_scope", string(key.WriteEvents), "this needs the scope %s, which this key has not", key.WriteEvents)
	}
	grant.Spaces = slices.DeleteFunc(grant.Spaces, func(space string) bool { return !shown.Sees(space) })
	return grant, nil
}
