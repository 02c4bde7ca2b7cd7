package deploy

import (
	"regexp"
	"strconv"
	"testing"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
)

// A database has so many connections and no more, and each pod takes a pool of them: both
// services at their most, each with one pod more while it is rolled out, and whatever runs
// once, have to fit beside what Postgres keeps for those who mend it.
func TestPoolsFitIntoTheDatabase(t *testing.T) {
	const kept = 3 // superuser_reserved_connections
	class := regexp.MustCompile(`Default: (db\.[a-z0-9.]+)`)
	for scene, database := range map[string]struct {
		file string
		size *regexp.Regexp
	}{
		"no values":    {"helm/cloudnative-pg.yaml", regexp.MustCompile(`max_connections: "([0-9]+)"`)},
		"as we deploy": {"aws/database.yaml", class},
		"so, on spot":  {"aws/database.yaml", class},
	} {
		room, taken := roomOf(t, database.size.FindStringSubmatch(string(file(t, database.file)))), 0
		for _, chart := range charts {
			taken += pools(t, rendered(t, helms["Helm 4"], release{chart: chart, name: chart}, values(t, chart, scene)))
		}
		if taken > room-kept {
			t.Errorf("%s: pods take up to %d connections; %s has %d, of which %d are kept", scene, taken, database.file, room, kept)
		}
	}
}

func TestPoolsAreCounted(t *testing.T) {
	wide := values(t, "query", "no values")
	wide["autoscaling"] = map[string]any{"maxReplicas": 9}
	wide["database"] = map[string]any{"maxConnections": 10}
	if got := pools(t, rendered(t, helms["Helm 4"], release{chart: "query", name: "query"}, wide)); got != (9+1)*10+1 {
		t.Errorf("nine pods of ten, one more in a rollout, and a test that asks: %d", got)
	}
	one := values(t, "ingest", "dev")
	one["partitions"] = 3
	if got := pools(t, rendered(t, helms["Helm 4"], release{chart: "ingest", name: "ingest"}, one)); got != (1+1)*(3+4)+5+3+1 {
		t.Errorf("one pod of three writers, one more in a rollout, verify, migrate, and a test that asks: %d", got)
	}
}

// roomOf is how many connections a database has: it says so, or is of a known size.
func roomOf(t *testing.T, said []string) int {
	t.Helper()
	if said == nil {
		t.Fatal("nobody says how large the database is")
	}
	if said[1] == "db.t4g.micro" {
		return 80 // about: RDS divides the memory that is left
	}
	room, err := strconv.Atoi(said[1])
	if err != nil {
		t.Fatalf("nobody says how many connections a %s has", said[1])
	}
	return room
}

// pools is the most connections that a release's pods have at a time, as the code opens
// them: query by its variable, ingest one for each writer and four.
func pools(t *testing.T, objects []object) int {
	t.Helper()
	most, all := mostPods(objects), 0
	for _, p := range pods(objects) {
		environment := p.environment(objects)
		if _, asks := environment["DATABASE_URL"]; !asks {
			continue
		}
		switch p.component() {
		case "run":
			variable, more := "MAX_CONNECTIONS", 0
			if environment[variable] == "" {
				variable, more = "PARTITIONS", 4
			}
			pool, err := strconv.Atoi(environment[variable])
			if err != nil {
				t.Fatalf("%s: %v", title(p.owner), err)
			}
			all += most * (pool + more)
		case "verify":
			all += 5
		case "migrate": // its pool of one, the lock's, and the migrations' own
			all += 3
		default:
			all++
		}
	}
	return all
}

// mostPods is how many pods serve at a time, in the middle of a rollout.
func mostPods(objects []object) int {
	most := 0
	for _, d := range of[*apps.Deployment](objects) {
		if most = d.Spec.Strategy.RollingUpdate.MaxSurge.IntValue(); d.Spec.Replicas != nil {
			most += int(*d.Spec.Replicas)
		}
	}
	for _, s := range of[*autoscaling.HorizontalPodAutoscaler](objects) {
		most += int(s.Spec.MaxReplicas)
	}
	for _, s := range of[*ScaledObject](objects) {
		most += int(s.Spec.MaxReplicaCount)
	}
	return most
}
