#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make bench`: the user-space ring natively, beside boost's, moodycamel's and DPDK's (packages libboost-dev,
# libreaderwriterqueue-dev, libdpdk-dev). ROUNDS=120 takes about half a minute. Writes build/results/bench.json.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
rounds=${ROUNDS:-120}
check_number ROUNDS "$rounds" 1 1000
(($(nproc) >= 2)) || die 'two threads that poll need two CPUs'

"$top/scripts/build-programs.sh" ring-bench ||
    die 'ring-bench was not built: its peers are missing: run ./scripts/setup.sh bench'
commit=$(git -C "$top" rev-parse --short=12 HEAD 2>/dev/null || say unknown)
[[ -z $(git -C "$top" status --porcelain 2>/dev/null) ]] || commit+='-dirty'
mkdir -p "$build/results"
"$build/programs/ring-bench" --rounds "$rounds" --commit "$commit" --json "$build/results/bench.json"
say 'written: build/results/bench.json'
