#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Random calls at /dev/hft in the guest, from two processes on two CPUs, until the time is over.
#
#   fuzz.sh N      on the kernel of stage N; keeps build/results/fuzz-stageN.json
#
# From the environment: FUZZ_SECONDS (default 60); FUZZ_CALLS, an end by count instead; FUZZ_SEED, to make the same
# calls again (default: a new one, printed); FUZZ_LEAST, how often each success path has to be taken (default 1000);
# KERNEL and ACCEL.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
check_stage "${1-}"
stage=$1
seconds=${FUZZ_SECONDS:-60} count=${FUZZ_CALLS:-0} least=${FUZZ_LEAST:-1000}
check_number FUZZ_SECONDS "$seconds" 1 1000000
check_number FUZZ_CALLS "$count" 0 1000000000
check_number FUZZ_LEAST "$least" 0 1000000000
[[ ${FUZZ_SEED:-0} =~ ^[0-9]{1,20}$ ]] || die "FUZZ_SEED=$FUZZ_SEED is not a whole number" 2
need jq

"$top/scripts/build-programs.sh" hft-fuzz
"$top/scripts/build-kernel.sh" "$stage"
"$top/scripts/initramfs.sh" "$build/fuzz.cpio" "$build/programs/hft-fuzz"

output=$build/tests/fuzz-stage$stage
rm -rf "$output" && mkdir -p "$output"
options=(--stage "$stage" --seconds "$seconds" --calls "$count" --least "$least" --output /results)
[[ -z ${FUZZ_SEED-} ]] || options+=(--seed "$FUZZ_SEED")
printf 'hft-fuzz %s\n' "${options[*]}" >"$output/command"
# By count, an emulated debug kernel is the measure: about 300 calls a second.
((count == 0)) || seconds=$((count / 300))
status=0
"$top/scripts/boot.sh" --kernel "$kernel_build/stage$stage" --initramfs "$build/fuzz.cpio" \
    --command "$output/command" --output "$output" --deadline $((seconds + 240)) --append page_owner=on || status=$?

console=$output/console.log
result=$output/fuzz.json
if [[ ! -s $result ]]; then
    # The kernel complained or hung: how to see it again. Its last word about steps is some seconds old.
    grep '^hft-fuzz: ' "$console" | sed -n '1p; $p' >&2 || true
    say "stage $stage on Linux $kernel: 0 passed, 1 failed, 0 skipped"
    exit "$((status == 0 ? 1 : status))"
fi
mkdir -p "$build/results"
cp "$result" "$build/results/fuzz-stage$stage.json"
jq -r '.calls | to_entries[] | [.key, (.value | to_entries | map("\(.key) \(.value)") | join(", "))] | @tsv' "$result" |
    awk -F '\t' '{ printf "%-46s%s\n", $1, $2 }'
grep '^hft-fuzz: worker .*, step' "$console" | head -n 20 || true
jq -r '.checks[] | select(.result != "passed") | "  \(.result) \(.name): \(.detail)"' "$result"
jq -r '"seed \(.seed): \(.calls_in_all) calls in \(.seconds | round) s; each success path at least \(.least) times"' "$result"
read -r passed failed skipped < <(jq -r '[.checks[].result] | [(map(select(. == "passed")) | length),
    (map(select(. == "FAILED")) | length), (map(select(. == "skipped")) | length)] | @tsv' "$result")
# The fuzzer was content, the runner was not: the kernel has complained.
((status == 0 || failed > 0)) || failed=1
record "fuzz-stage$stage${SANITIZE:+-$SANITIZE}" "fuzzer, stage $stage" \
    "$(jq -r '"\(.calls_in_all) calls in \(.seconds | round) s, each success path at least \(.least) times, seed \(.seed)"' "$result"): $passed checks passed, $failed failed, $skipped skipped" \
    "${SANITIZE:+SANITIZE=$SANITIZE }make fuzz STAGE=$stage $( ((count > 0)) && echo "FUZZ_CALLS=$count" || echo "FUZZ_SECONDS=$seconds")"
say "stage $stage on Linux $kernel: $passed passed, $failed failed, $skipped skipped"
exit "$status"
