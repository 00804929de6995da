# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154  # what lib.sh sets
# What the scripts share that measure many things in one boot: sourced after lib.sh, not run.
follower=''
stop_following() {
    [[ -z $follower ]] || kill "$follower" 2>/dev/null || true
    follower=''
}
measured='' # where the results of the run are, until they are complete
# What an interrupted run leaves is out of the way of the complete one before it.
put_aside() {
    stop_following
    [[ -n $measured && -d $measured ]] || return 0
    local name=${measured##*/}
    put_to_failed "$measured" "${name%.*}"
}
trap put_aside EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

boot_options=() # more of boot.sh's, for all that follow

# measure_in_guest NAME KERNEL PROGRAM DEADLINE OPTION...: runs the program in the guest, passes its progress on, and
# leaves what it wrote in $measured: NAME.txt (what it printed), its files, console.log, host.json. complete gives the
# folder its name.
measure_in_guest() {
    local name=$1 kernel_folder=$2 program=$3 deadline=$4 status=0
    shift 4
    "$top/scripts/initramfs.sh" "$build/$name.cpio" "$build/programs/$program"
    mkdir -p "$build/results"
    measured=$(mktemp -d "$build/$name.XXXXXX")
    chmod 755 "$measured"
    printf '%s %s --deadline %d --output /results >/results/%s.txt\n' "$program" "$*" "$deadline" "$name" >"$measured/command"
    follow_progress "$measured/console.log"
    "$top/scripts/boot.sh" --kernel "$kernel_folder" --initramfs "$build/$name.cpio" --command "$measured/command" \
        --output "$measured" --deadline $((deadline + 60)) "${boot_options[@]}" 2>"$measured/errors" || status=$?
    stop_following
    if [[ $status != 0 ]]; then
        grep -E "^$program: " "$measured/console.log" >&2 || true
        sed "s|${measured#"$top"/}|build/failed/$name|g" "$measured/errors" >&2
        exit "$status"
    fi
    grep -E '^  skipped ' "$measured/console.log" || true
}

# complete NAME: what was measured takes the place of the last run's.
complete() {
    rm -rf "${build:?}/$1"
    mv "$measured" "$build/$1"
}

# finish_result NAME: the program's NAME.json, with where it came from, becomes build/results/NAME.json.
finish_result() {
    jq -s '.[0] * {environment: (.[1] + .[0].environment)}' "$measured/$1.json" "$measured/host.json" \
        >"$measured/whole.json"
    mv "$measured/whole.json" "$build/results/$1.json"
    complete "$1"
    say
    say "Found: $(jq -r .finding "$build/results/$1.json")."
    say "written: build/results/$1.json"
}

# need_liburing: without it, CMake leaves out the programs that use it.
need_liburing() {
    [[ -f /usr/include/liburing.h ]] || die 'liburing.h is missing: run ./scripts/setup.sh'
}
