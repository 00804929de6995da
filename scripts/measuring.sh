# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154  # what lib.sh sets
# What the scripts share that measure many things in one boot: sourced after lib.sh, not run.

boot_options=() # more of boot.sh's, for all that follow

# measure_in_guest NAME KERNEL PROGRAM DEADLINE OPTION...: runs the program in the guest, passes its progress on, and
# leaves what it wrote in $measured: NAME.txt (what it printed), its files, console.log, host.json.
measure_in_guest() {
    local name=$1 kernel_folder=$2 program=$3 deadline=$4 follower status=0
    shift 4
    "$top/scripts/initramfs.sh" "$build/$name.cpio" "$build/programs/$program"
    measured=$build/$name
    rm -rf "$measured" && mkdir -p "$measured" "$build/results"
    printf '%s %s --deadline %d --output /results >/results/%s.txt\n' "$program" "$*" "$deadline" "$name" >"$measured/command"
    : >"$measured/console.log"
    # The program says how far it has come between two series: nothing wakes up here while it measures one.
    tail -n +1 -f "$measured/console.log" 2>/dev/null > >(
        declare -A seen=() # the runner rewrites the console at the end
        while IFS= read -r line; do
            line=${line%$'\r'}
            [[ $line == '  round '* && -z ${seen[$line]-} ]] || continue
            seen[$line]=1
            say "$line"
        done
    ) &
    follower=$!
    "$top/scripts/boot.sh" --kernel "$kernel_folder" --initramfs "$build/$name.cpio" --command "$measured/command" \
        --output "$measured" --deadline $((deadline + 60)) "${boot_options[@]}" || status=$?
    kill "$follower" 2>/dev/null || true
    wait "$follower" 2>/dev/null || true
    if [[ $status != 0 ]]; then
        grep -E "^$program: " "$measured/console.log" >&2 || true
        exit "$status"
    fi
}
