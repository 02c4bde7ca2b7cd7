module coworking/tests

go 1.26.0

require github.com/google/go-cmp v0.7.0

replace coworking/pkg => ../pkg

replace coworking/migrations => ../migrations
