#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make trust`: puts the figures of the last runs into the book: build/results/trust.json and a table of it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need jq
compgen -G "$build/results/trust/*.json" >/dev/null ||
    die 'nothing was run yet: make test-full, or any of the checks in make help'
for result in "$build"/results/trust/*.json; do
    jq -e .what "$result" >/dev/null 2>&1 || die "${result#"$top"/} is damaged: remove it, or run its check again"
done
jq -s 'sort_by(.what)' "$build"/results/trust/*.json >"$build/results/trust.new"
mv "$build/results/trust.new" "$build/results/trust.json"
mkdir -p "$top/book/results"
cp "$build/results/trust.json" "$top/book/results/trust.json"
jq -r '"| Check | Result | Command | Commit |", "|---|---|---|---|",
    (.[] | "| \(.what) | \(.result) | `\(.command)` | \(.commit[0:12])\(if .dirty then ", changed" else "" end), \(.time[0:10]) |")' \
    "$build/results/trust.json" | tee "$top/book/results/trust.md"
