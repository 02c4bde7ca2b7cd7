# What the steps of a release share; sourced, not run. `make` says which service: ingest or query.
# shellcheck shell=bash disable=SC2034 # what is set here is used there
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

fail() { echo "$(basename "$0"): $*" >&2; exit 1; }

service=${1:-}
[[ $service == ingest || $service == query ]] || fail "for which service? ingest or query"

: "${REGISTRY:=}" "${CLUSTER:=coworking}" "${NAMESPACE:=coworking}" "${CAPACITY:=on-demand}"
repository=coworking/$service
commit=$(git rev-parse HEAD)
state=.cache/release/$service # what one step leaves for the next
mkdir -p "$state"

# The files that the service is made of. Its image is built without the workspace, so go.work is none of them.
inputs=("services/$service" pkg migrations "Dockerfile.$service" .dockerignore "deploy/helm/$service" deploy/helm/common deploy/aws/values.yaml)

# The commit that the cluster runs; nothing if it runs none.
deployed() {
	{ "${HELM:-helm}" get values "$service" --namespace "$NAMESPACE" --output yaml 2>/dev/null || true; } |
		sed -n '/^image:/,/^[^ ]/s/^  tag: "\{0,1\}\([0-9a-f]*\)"\{0,1\}$/\1/p'
}

# Whether anything of the service differs from what the cluster runs. What cannot be compared has changed.
changed() {
	local was
	was=$(deployed)
	[[ -z $was ]] || ! git cat-file -e "$was^{commit}" 2>/dev/null || ! git diff --quiet "$was" HEAD -- "${inputs[@]}"
}
