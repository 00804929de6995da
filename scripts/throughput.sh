#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make throughput`: bursts of 1 to 4,096 messages a tick through several doors; what arrives, what is lost, and what a
# message costs the consumer. One boot of the kernel that only measures. Writes build/results/throughput.json.
#
# SAMPLES is the number of ticks here (200).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$top/scripts/measuring.sh"
need jq
ticks=${SAMPLES:-200} period_us=${PERIOD_US:-1000} rounds=${ROUNDS:-5}
check_number SAMPLES "$ticks" 1 1000000
check_number PERIOD_US "$period_us" 50 10000000
check_number ROUNDS "$rounds" 1 1000
need_liburing

"$top/scripts/build-programs.sh" throughput
"$top/scripts/build-kernel.sh" instruments

# Seven doors, seven bursts; ten times what they should take, plus 60 s.
seconds=$(((7 * 7 * rounds * ticks * period_us) / 1000000))
measure_in_guest throughput "$(boots_from instruments)" throughput $((60 + 10 * seconds)) \
    --samples "$ticks" --period-us "$period_us" --rounds "$rounds"
say
cat "$measured/throughput.txt"
finish_result throughput
