package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"coworking/pkg/fault"

	"github.com/nats-io/nats.go/jetstream"
)

// CheckDurability says in sentences where the broker keeps less than is promised:
// that an acknowledged event survives a crash. Whether it syncs every write is not
// told to clients: it is asked at each monitoring address (http://host:8222), and
// where there is none it is said to be unknown. An error means that it could not
// be asked.
func CheckDurability(ctx context.Context, js jetstream.JetStream, monitors ...string) (weak []string, err error) {
	there, err := js.Stream(ctx, Name)
	if err != nil {
		return nil, bindError(js, "stream "+Name, err)
	}
	if n := there.CachedInfo().Config.Replicas; n < 3 {
		weak = append(weak, fmt.Sprintf("the stream has %d of 3 copies: what is lost with its disk is lost", n))
	}
	if len(monitors) == 0 {
		weak = append(weak, "unknown whether the broker syncs every write: no monitoring address was given")
	}
	for _, monitor := range monitors {
		always, err := syncsAlways(ctx, monitor)
		if err != nil {
			return weak, err
		}
		if !always {
			weak = append(weak, fmt.Sprintf("the broker at %s does not sync every write (sync_interval is not `always`): the last seconds may be lost with its power", monitor))
		}
	}
	return weak, nil
}

// syncsAlways asks a broker's monitoring address.
func syncsAlways(ctx context.Context, monitor string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, monitor+"/varz", nil)
	if err != nil {
		return false, fault.Invalid.Errorf("monitoring address: %w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, fault.Unavailable.Errorf("asking the broker's monitoring address: %w", err)
	}
	defer answer.Body.Close()
	var varz struct {
		JetStream struct {
			Config struct {
				SyncAlways bool `json:"sync_always"`
			} `json:"config"`
		} `json:"jetstream"`
	}
	if answer.StatusCode != http.StatusOK {
		return false, fault.Unavailable.Errorf("asking the broker's monitoring address: %s", answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(&varz); err != nil {
		return false, fault.Unavailable.Errorf("the broker's monitoring answer: %w", err)
	}
	return varz.JetStream.Config.SyncAlways, nil
}
