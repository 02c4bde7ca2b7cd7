module coworking/bench

go 1.26.0

require (
	coworking/migrations v0.0.0
	coworking/pkg v0.0.0
	github.com/alecthomas/kong v1.17.0
	github.com/google/go-cmp v0.7.0
	github.com/jackc/pgx/v5 v5.12.0
	github.com/nats-io/nats.go v1.55.0
	go.uber.org/goleak v1.3.0
	go.uber.org/zap v1.28.0
	golang.org/x/sync v0.23.0
	pgregory.net/rapid v1.3.0
)

replace coworking/pkg => ../pkg

replace coworking/migrations => ../migrations
