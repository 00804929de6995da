#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Measures one stage: builds what is needed, boots the stage's kernel, runs its client.
#
#   run-stage.sh N            prints the row beside the original's, keeps it in build/results/stageN; measures again,
#                             at most twice, if the floor moved, and keeps what it rejected
#   run-stage.sh N FOLDER     measures once, keeps the series in FOLDER and prints nothing else
#
# SAMPLES, WARMUP, PERIOD_US, RAW, KERNEL and ACCEL come from the environment.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
check_stage "${1-}"
stage=$1
name=${stages[stage]}
samples=${SAMPLES:-1000} warmup=${WARMUP:-0} period_us=${PERIOD_US:-1000}
check_number SAMPLES "$samples" 1 10000000
check_number WARMUP "$warmup" 0 10000000
check_number PERIOD_US "$period_us" 50 10000000
options=()
case ${RAW:-0} in
0) ;;
1)
    # A sample is 24 bytes in the client, twice, and about 30 in its file: more than that fills the guest.
    ((10#$samples <= 4000000)) || die 'RAW=1 keeps at most 4000000 samples: leave it out, or take fewer SAMPLES' 2
    options+=(--raw)
    ;;
*) die "RAW=$RAW is not 0 or 1" 2 ;;
esac

"$top/scripts/build-programs.sh" "${stages[@]}" hft_ctl ladder-table
"$top/scripts/build-kernel.sh" "$stage"
clients=("${stages[@]/#/$build/programs/}" "$build/programs/hft_ctl")
"$top/scripts/initramfs.sh" "$build/clients.cpio" "${clients[@]}"

folder=$(mktemp -d "$build/run-$name.XXXXXX")
follower=''
finish() {
    [[ -z $follower ]] || kill "$follower" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
printf '%s --samples %d --warmup %d --period-us %d --output /results%s\n' \
    "$name" "$samples" "$warmup" "$period_us" "${options[*]/#/ }" >"$folder/command"
# The client's own deadline is ten times what it should take, plus 20 s; the runner gives the boot on top.
deadline=$((90 + 4 * (samples + warmup) * period_us / 100000))
series=$folder/round-1/$name
measure() {
    local status=0
    mkdir -p "$series"
    follow_progress "$series/console.log"
    "$top/scripts/boot.sh" --kernel "$kernel_build/stage$stage" --initramfs "$build/clients.cpio" \
        --command "$folder/command" --output "$series" --deadline "$deadline" 2>"$folder/errors" || status=$?
    kill "$follower" 2>/dev/null || true
    follower=''
    if [[ $status == 0 ]]; then
        cat "$folder/errors" >&2
        return
    fi
    # The logs are kept where the next run does not overwrite them unseen; the message has to name that place.
    local failed=$build/failed/$name
    put_to_failed "$series" "$name"
    grep -E "^$name: " "$failed/console.log" >&2 || true
    sed "s|${series#"$top"/}|${failed#"$top"/}|g" "$folder/errors" >&2
    exit "$status"
}
measure
if [[ $# -gt 1 ]]; then
    mkdir -p "$(dirname "$2")"
    mv "$series" "$2"
    exit
fi
for again in 1 2; do
    if floor_held "$series"; then break; fi
    say "the floor moved during the series: rejected, measuring again ($again of at most 2)"
    mkdir -p "$folder/rejected"
    mv "$series" "$folder/rejected/$again-$name"
    measure
done
say
"$build/programs/ladder-table" "$folder" --reference "$top/book/results/original.csv" --json "$folder/table.json"
kept=$build/results/stage$stage
mkdir -p "$build/results"
rm -rf "$kept" && mv "$folder" "$kept"
chmod 755 "$kept"
kept=$(compgen -G "$kept/round-1/$name/*.csv")
jq -r --arg name "$name" '"\n" + (if .series.exact then "Each sample is kept: \(.recording.memory_bytes) bytes"
    else "The samples are counted in a histogram: \(.recording.memory_bytes) bytes, however many they are; a percentile is at " +
        "most \(.series.relative_error * 10000 | round / 100) % above the exact one" end) +
    ". Recording one took \(.recording.first_cycles | round) cycles at the beginning, " +
    "\(.recording.last_cycles | round) at the end."' "${kept%/*}/result.json"
say "samples: ${kept#"$top"/}"
