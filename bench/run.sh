#!/usr/bin/env bash
# Measures the promises of speed and memory: see bench/README.md.
# Usage: bench/run.sh [--strict] [--rounds N] [--size BYTES]
set -euo pipefail

strict=() rounds=7 size=$((1 << 30))
while (($#)); do
  case $1 in
    --strict) strict=(-strict) ;;
    --rounds) rounds=$2; shift ;;
    --size) size=$2; shift ;;
    *) echo "found $1, wanted --strict, --rounds N or --size BYTES" >&2; exit 2 ;;
  esac
  shift
done
for tool in go curl openssl; do
  command -v "$tool" >/dev/null || { echo "$tool is needed" >&2; exit 2; }
done

# The archive is on this machine, and its reader must see no other settings.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy NETRC

work=$(mktemp -d)
server=
cleanup() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

cd "$(dirname "$0")/.."
go build -o "$work/" ./cmd/recipe-verify ./bench/server ./bench/measure
"$work/server" -size "$size" -dir "$work" >"$work/ready" &
server=$!
until [[ $(wc -l <"$work/ready") -ge 2 ]]; do
  kill -0 "$server" || { echo "the server did not start" >&2; exit 1; }
  sleep 0.1
done
{ read -r url; read -r sha256; } <"$work/ready"

"$work/measure" -rounds "$rounds" -url "$url" -sha256 "$sha256" -fetch "$work/server" \
  -verify "$work/recipe-verify" -large "$work/large" -small "$work/small" "${strict[@]}"
