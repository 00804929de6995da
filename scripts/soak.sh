#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make soak`: long runs in the guest, on the kernel of stage 3, every message accounted for. SANITIZE=kasan runs the
# same on a debug kernel, LADDER_SOAK=short a hundredth of it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need jq
"$top/scripts/build-programs.sh" soak
"$top/scripts/build-kernel.sh" 3
"$top/scripts/initramfs.sh" "$build/soak.cpio" "$build/programs/soak"
output=$build/soak
rm -rf "$output" && mkdir -p "$output" "$build/results"
printf 'LADDER_SOAK=%s soak --gtest_output=json:/results/soak.json >/results/soak.log 2>&1\ntrue\n' \
    "${LADDER_SOAK:-full}" >"$output/command"
"$top/scripts/boot.sh" --kernel "$kernel_build/stage3" --initramfs "$build/soak.cpio" \
    --command "$output/command" --output "$output" --deadline 1800
status=0
counts=$("$top/scripts/count-tests.sh" "$output/soak.json") || status=$?
# The figures that each test printed, below its name.
awk '/^\[ RUN/ { sub(/.*Soak\./, ""); print "  " $0 } /^    / { print }' "$output/soak.log"
read -r passed failed skipped <<<"$counts"
jq -n --rawfile log "$output/soak.log" --arg mode "${LADDER_SOAK:-full}" --slurpfile report "$output/soak.json" \
    --slurpfile host "$output/host.json" \
    '{mode: $mode, host: $host[0],
      tests: [$report[0].testsuites[].testsuite[] | {name, time, failed: (.failures != null)}],
      figures: [$log | split("\n")[] | select(startswith("    ")) | ltrimstr("    ")]}' >"$build/results/soak.json"
record "soak${SANITIZE:+-$SANITIZE}" 'soak' "$passed of $((passed + failed)) tests passed (${LADDER_SOAK:-full} length); $(
    sed -n 's/^    \(produced .*\)/\1/p; s/^    \(.*killed.*\)/\1/p; s/^    \(.*woken.*\)/\1/p' "$output/soak.log" | paste -sd';' | sed 's/;/; /g')" \
    "${SANITIZE:+SANITIZE=$SANITIZE }make soak"
say "$passed passed, $failed failed, $skipped skipped"
exit "$status"
