.DEFAULT_GOAL := help
export GOTOOLCHAIN := local

GOLANGCI_LINT_VERSION := v2.15.0
GOFUMPT_VERSION       := v0.12.0
HELM_VERSION          := v4.3.1

MODULES := $(shell go list -m -f '{{.Dir}}')
VERSION := $(or $(shell git describe --tags --always --dirty 2>/dev/null),unknown)
RACE    := $(if $(shell command -v $$(go env CC) 2>/dev/null),-race)
TAG     ?= dev
TOOLS   := $(shell go env GOPATH)/tools
LINTER  := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
GOFUMPT := $(TOOLS)/gofumpt-$(GOFUMPT_VERSION)/gofumpt
PINNED_HELM := $(TOOLS)/helm-$(HELM_VERSION)/helm
export HELM ?= $(PINNED_HELM)
# What builds images here; asked only where one is built.
IMAGE_BUILDER = $(or $(if $(shell docker version --format '{{.Server.Version}}' 2>/dev/null),docker buildx build --load),$(if \
	$(shell command -v buildah),buildah build),$(if $(shell command -v podman),podman build),$(error \
	nothing here builds images: docker has no engine that answers, and there is neither buildah nor podman))
BUILD_IMAGE = $(IMAGE_BUILDER) --build-arg VERSION=$(VERSION) --build-arg REVISION=$(shell git rev-parse HEAD) \
	--build-arg CREATED=$(shell git log -1 --format=%cI)

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 16

build: ## bin/ingest, bin/query, bin/coworking
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-X coworking/pkg/boot.Version=$(VERSION)' \
		-o bin/ ./services/ingest ./services/query ./cmd/coworking

test: build ## All tests, on a real Postgres and a real broker; sets up what they need
	@$(if $(RACE),:,echo "no C compiler here: testing without the race detector")
	@# One Postgres for all modules, by a program that is built as build builds: else all that it needs is compiled once more.
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' -o bin/ ./pkg/pgtest/with
	@# go vet is part of lint.
	bin/with go test $(RACE) -vet=off $(addsuffix /...,$(filter-out $(CURDIR)/tests $(CURDIR)/deploy,$(MODULES)))
	go test $(RACE) -vet=off -count=1 -parallel 4 ./tests/... # they wait more than they work

test-orders: ## Random worlds in a thousand shuffled, duplicated orders, where test has forty; reports on 200 worlds, where it has twelve
	go test $(RACE) -count=1 -v -timeout 60m -run TestAnyOrderGivesTheSameRows ./services/ingest/internal/store -orders=1000
	go test $(RACE) -count=1 -v -timeout 60m -run 'Plain|Remembered|OverByNow|Unpacked|Together' ./services/query/internal/report -rapid.checks=200 -instants=100

test-faults: ## A minute of kills of every process under load, and that what looks for harm finds it
	go test $(RACE) -count=1 -v -run 'Kills|TheChecks' ./tests -faults=60s

test-deploy: ## Charts by Helm 3 and 4, images, Compose, AWS templates and the release, without a cluster or an account
	go test -count=1 ./deploy/... # no -race: nothing there runs beside anything

test-cluster: $(filter $(PINNED_HELM),$(HELM)) ## Both charts in the cluster that KUBECONFIG names, upgraded, broken and removed under load; its --help says what to set
	go run ./deploy/cluster

lint: $(LINTER) ## go vet and golangci-lint, over every module
	go vet work
	$(LINTER) run $(addsuffix /...,$(MODULES))

fmt: $(GOFUMPT) ## Format the Go code
	$(GOFUMPT) -l -w .

fmt-check: $(GOFUMPT) ## Fail where fmt would change something
	@test -z "$$($(GOFUMPT) -l . | tee -a /dev/stderr)"

tidy: ## Tidy every go.mod and bring them to the same versions
	go work sync
	for module in migrations pkg $(MODULES); do GOWORK=off go -C $$module mod tidy || exit; done

tidy-check: tidy ## Fail where tidy changes what is committed
	git diff --exit-code -- go.work go.work.sum $(addsuffix /go.mod,$(MODULES)) $(addsuffix /go.sum,$(MODULES))

cross: ## Build each module on its own, for every system it is promised for
	for module in $(MODULES); do for os in linux darwin; do for arch in amd64 arm64; do \
		GOWORK=off CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -C $$module -buildvcs=false -o /dev/null ./... || exit; done; done; done

images: image-ingest image-query ## Both images, for this machine, with the tag TAG: by Docker if its engine answers, else by buildah or podman

image-ingest: ## The image coworking/ingest:dev
	$(BUILD_IMAGE) -f Dockerfile.ingest -t coworking/ingest:$(TAG) .

image-query: ## The image coworking/query:dev
	$(BUILD_IMAGE) -f Dockerfile.query -t coworking/query:$(TAG) .

openapi: ## services/query/openapi.json, from which clients are made
	go run ./services/query openapi > services/query/openapi.json.new
	mv services/query/openapi.json.new services/query/openapi.json

up: build ## The whole system on this machine, until Ctrl-C; its data is there the next time
	bin/coworking up

demo: build ## The whole system with a quarter of a year in it and live traffic, until Ctrl-C
	bin/coworking demo

bench: build ## Everything that is measured, in short: some three minutes
	go run ./bench

bench-full: build ## The same at length: ten million tokens, an hour of events
	go run ./bench --full

pipeline-tools: $(PINNED_HELM) ## What a release needs beside Docker and the aws command

log-in: ## Log in to the registry and the cluster, and have a builder for both kinds of processor
	deploy/aws/bin/log-in

changed: ## Which services differ from what the cluster runs
	deploy/aws/bin/changed ingest
	deploy/aws/bin/changed query

push: ## Build the images that changed, for amd64 and arm64, and push them by commit and version
	deploy/aws/bin/push ingest
	deploy/aws/bin/push query

sbom: ## Fetch what was attested of the pushed images; fail where something is missing
	deploy/aws/bin/sbom ingest
	deploy/aws/bin/sbom query

scan-gate: ## Wait for the registry's scan; fail on what it must not find
	deploy/aws/bin/scan-gate ingest
	deploy/aws/bin/scan-gate query

deploy-ingest: ## Bring ingest in the cluster to the pushed image, or back
	deploy/aws/bin/deploy ingest

deploy-query: ## Bring query in the cluster to the pushed image, or back
	deploy/aws/bin/deploy query

$(LINTER):
	GOFLAGS= GOWORK=off GOBIN=$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

$(GOFUMPT):
	GOFLAGS= GOWORK=off GOBIN=$(@D) go install mvdan.cc/gofumpt@$(GOFUMPT_VERSION)

$(PINNED_HELM):
	GOFLAGS= GOWORK=off GOBIN=$(@D) go install helm.sh/helm/v4/cmd/helm@$(HELM_VERSION)

.PHONY: help build images image-ingest image-query test test-orders test-faults test-deploy test-cluster lint fmt fmt-check tidy tidy-check cross openapi up demo bench bench-full pipeline-tools log-in changed push sbom scan-gate deploy-ingest deploy-query
