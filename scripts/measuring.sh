# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154  # what lib.sh sets
# What the scripts share that measure many things in one boot: sourced after lib.sh, not run.
follower=''
stop_following() {
    [[ -z $follower ]] || kill "$follower" 2>/dev/null || true
    follower=''
}
trap stop_following EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

boot_options=() # more of boot.sh's, for all that follow

# measure_in_guest NAME KERNEL PROGRAM DEADLINE OPTION...: runs the program in the guest, passes its progress on, and
# leaves what it wrote in $measured: NAME.txt (what it printed), its files, console.log, host.json.
measure_in_guest() {
    local name=$1 kernel_folder=$2 program=$3 deadline=$4 status=0
    shift 4
    "$top/scripts/initramfs.sh" "$build/$name.cpio" "$build/programs/$program"
    measured=$build/$name
    rm -rf "$measured" && mkdir -p "$measured" "$build/results"
    printf '%s %s --deadline %d --output /results >/results/%s.txt\n' "$program" "$*" "$deadline" "$name" >"$measured/command"
    follow_progress "$measured/console.log"
    "$top/scripts/boot.sh" --kernel "$kernel_folder" --initramfs "$build/$name.cpio" --command "$measured/command" \
        --output "$measured" --deadline $((deadline + 60)) "${boot_options[@]}" || status=$?
    stop_following
    if [[ $status != 0 ]]; then
        grep -E "^$program: " "$measured/console.log" >&2 || true
        exit "$status"
    fi
    grep -E '^  skipped ' "$measured/console.log" || true
}

# finish_result NAME: the program's NAME.json, with where it came from, becomes build/results/NAME.json.
finish_result() {
    jq -s '.[0] * {environment: (.[1] + .[0].environment)}' "$measured/$1.json" "$measured/host.json" \
        >"$build/results/$1.json"
    say
    say "Found: $(jq -r .finding "$build/results/$1.json")."
    say "written: build/results/$1.json"
}

# need_liburing: without it, CMake leaves out the programs that use it.
need_liburing() {
    [[ -f /usr/include/liburing.h ]] || die 'liburing.h is missing: run ./scripts/setup.sh'
}
