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

# What the host's scheduler did to guest CPU 1, where the client polls: nanoseconds in which its thread was ready to run
# and did not. Read between two series, from a file: no process starts.
on_progress() {
    local thread waited
    read -r thread <"$measured/vcpu1" && read -r _ waited _ <"$thread/schedstat" || return 0
    printf '%s\t%s\t%s\n' "${1%%: *}" "$waited" "${EPOCHREALTIME//[.,]/}" >>"$measured/host-schedule"
} 2>/dev/null

# host_waiting: of the time of the tail's series, and of the floor after each, the share in which the host let guest CPU
# 1's thread wait; null if the host does not say.
host_waiting() {
    [[ -s $measured/host-schedule ]] || { echo null && return; }
    awk -F '\t' '/the tail of/ { waited += $2 - last_waited; passed += ($3 - last) * 1000 } { last_waited = $2; last = $3 }
        END { if (passed > 0) printf "%.6f\n", waited / passed; else print "null" }' "$measured/host-schedule"
}

"$top/scripts/build-programs.sh" budget
"$top/scripts/build-kernel.sh" instruments

# The program's own deadline is ten times what it should take, plus 60 s; the runner gives the boot on top.
seconds=$(((3 * rounds * (samples + warmup) * period_us) / 1000000))
deadline=$((60 + 10 * seconds))
measure_in_guest budget "$(boots_from instruments)" budget "$deadline" \
    --samples "$samples" --warmup "$warmup" --period-us "$period_us" --rounds "$rounds"

say
cat "$measured/budget.txt"
waiting=$(host_waiting)
jq --argjson share "$waiting" '.tail.host_waiting = {share_of_time: $share}' "$measured/budget.json" >"$measured/budget.new"
mv "$measured/budget.new" "$measured/budget.json"
if [[ $waiting == null ]]; then say "the host does not say how long guest CPU 1's thread waited (no schedstat)"
else
    say "the host's scheduler let guest CPU 1's thread wait for $(awk -v s="$waiting" 'BEGIN { printf "%.2f", 100 * s }') % of the time; of the gaps' rest it knows nothing"
fi
finish_result budget
