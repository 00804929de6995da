#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make alternatives`: the same messages through every door, in turn, in one boot of the kernel that only measures;
# one table, and build/results/alternatives.json. The kernel has BPF, if its series has the BPF ring buffer; BPF=0
# takes one without.
[[ ${KERNEL:-6.1} == 5.4* ]] || export BPF=${BPF-1}
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$top/scripts/measuring.sh"
need jq
samples=${SAMPLES:-1000} warmup=${WARMUP:-0} period_us=${PERIOD_US:-1000} rounds=${ROUNDS:-5}
check_number SAMPLES "$samples" 1 10000000
check_number WARMUP "$warmup" 0 10000000
check_number PERIOD_US "$period_us" 50 10000000
check_number ROUNDS "$rounds" 1 1000
need_liburing

"$top/scripts/build-programs.sh" alternatives ladder-compare
"$top/scripts/build-kernel.sh" instruments

# Fourteen doors and as many floors; ten times what they should take, plus 60 s.
seconds=$(((2 * 14 * rounds * (samples + warmup) * period_us) / 1000000))
measure_in_guest alternatives "$(boots_from instruments)" alternatives $((60 + 10 * seconds)) \
    --samples "$samples" --warmup "$warmup" --period-us "$period_us" --rounds "$rounds"

say
"$build/programs/ladder-compare" "$measured/result.json" --baseline read --verb alternatives \
    --title 'The same messages through every door' --json "$build/results/alternatives.json"
complete alternatives
say 'written: build/results/alternatives.json'
