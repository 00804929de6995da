#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make budget`: where the cycles of stage 1 and stage 3 go, hop by hop, and why the latest messages of the ring are
# late. One boot of the kernel that only measures; everything in turn, ROUNDS times. Writes build/results/budget.json.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$top/scripts/measuring.sh"
need jq
samples=${SAMPLES:-1000} warmup=${WARMUP:-0} period_us=${PERIOD_US:-1000} rounds=${ROUNDS:-5}
check_number SAMPLES "$samples" 100 10000000
check_number WARMUP "$warmup" 0 10000000
check_number PERIOD_US "$period_us" 50 10000000
check_number ROUNDS "$rounds" 1 1000

"$top/scripts/build-programs.sh" budget
"$top/scripts/build-kernel.sh" instruments

# The program's own deadline is ten times what it should take, plus 60 s; the runner gives the boot on top.
seconds=$(((3 * rounds * (samples + warmup) * period_us) / 1000000))
deadline=$((60 + 10 * seconds))
measure_in_guest budget "$(boots_from instruments)" budget "$deadline" \
    --samples "$samples" --warmup "$warmup" --period-us "$period_us" --rounds "$rounds"

say
cat "$measured/budget.txt"
finish_result budget
