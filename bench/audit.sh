#!/usr/bin/env bash
# Measures audits of a synthetic repository: see docs/performance.md.
# Usage: bench/audit.sh [--recipes N --attested N --shared N]
set -euo pipefail

recipes=30000 attested=8000 shared=2000
while (($#)); do
  case $1 in
    --recipes) recipes=$2 ;;
    --attested) attested=$2 ;;
    --shared) shared=$2 ;;
    *) echo "found $1, wanted --recipes N, --attested N or --shared N" >&2; exit 2 ;;
  esac
  shift 2
done
for tool in go curl; do
  command -v "$tool" >/dev/null || { echo "$tool is needed" >&2; exit 2; }
done
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy NETRC GITHUB_TOKEN

work=$(mktemp -d)
server=
cleanup() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

cd "$(dirname "$0")/.."
go build -o "$work/" ./cmd/recipe-verify ./bench/repository
go build -o "$work/cost" ./bench/cost
"$work/repository" -recipes "$recipes" -attested "$attested" -shared "$shared" -dir "$work/world" >"$work/address" &
server=$!
until [[ -s $work/address ]]; do
  kill -0 "$server" || { echo "the server did not start" >&2; exit 1; }
  sleep 0.2
done
address=$(<"$work/address")

audit() { # name, report, arguments: one audit, its cost and what it asked
  local name=$1 report=$2
  shift 2
  curl -s "$address/statistics" >/dev/null
  echo "== $name"
  "$work/cost" "$work/recipe-verify" audit --quiet --no-policy --trusted-root "$work/world/root.json" --fail-on none \
    --mirror "https://pypi.org/=$address/" --mirror "https://github.com/=$address/" \
    --report "json=$report" "$@" "$work/world/recipes"
  curl -s "$address/statistics"
}

echo "== the yardstick: sigstore-go's verifier in a loop over the same bundles"
"$work/cost" "$work/repository" -dir "$work/world" -loop
audit "an audit without a cache" "$work/none.json" --no-cache
audit "an audit with an empty cache" "$work/cold.json" --cache-dir "$work/cache"
audit "the same again: a warm cache" "$work/warm.json" --cache-dir "$work/cache"
for i in 1 2 3 4; do
  audit "shard $i of 4" "$work/shard-$i.json" --shard "$i/4" --no-cache
done

echo "== what is checked"
"$work/repository" -dir "$work/world" -check "$work/none.json"
cmp "$work/none.json" "$work/cold.json"
cmp "$work/none.json" "$work/warm.json"
echo "cache or not: the same bytes"
"$work/recipe-verify" report merge -o "$work/merged.json" "$work"/shard-*.json
cmp "$work/none.json" "$work/merged.json"
echo "four shards, merged: the same bytes as one run"
