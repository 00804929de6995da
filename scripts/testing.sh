# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154  # what lib.sh sets
# What the tests of the scripts share: sourced after lib.sh, not run.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/latency-ladder tests.XXXXXX") # with a blank: paths may have one
skipped=0
at_the_end() { :; } # a test program with something to tidy up has its own
finish() {
    at_the_end
    rm -rf "$scratch"
}
trap finish EXIT
passed=0 failed=0

# test_that NAME: runs the function of that name in a subshell of its own. Not as a condition: there, bash would
# ignore every failure but the last.
test_that() {
    local status
    set +e
    (
        set -e
        "$1"
    ) >"$scratch/out" 2>&1
    status=$?
    set -e
    if [[ $status == 0 ]]; then passed=$((passed + 1))
    else
        failed=$((failed + 1))
        say "  FAILED $1:"
        sed 's/^/    /' "$scratch/out" | tail -n 8
    fi
}

# fails_with STATUS TEXT COMMAND...: the exit status, and the text on standard error.
fails_with() {
    local wanted=$1 text=$2 status=0
    shift 2
    "$@" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null || status=$?
    cat "$scratch/stderr"
    [[ $status == "$wanted" ]] || { say "exit status $status instead of $wanted" && return 1; }
    grep -qF -- "$text" "$scratch/stderr" || { say "no '$text' in what it said" && return 1; }
}

# skip NAME REASON: a test that cannot be run here. The reasons are few, and in scripts/allowed-skips.
skip() {
    if grep -q "^$1 " "$top/scripts/allowed-skips"; then skipped=$((skipped + 1)); else failed=$((failed + 1)); fi
    say "  skipped $1: $2"
}

kernel_dir=$kernel_build/stage0
boot() { # boot COMMAND [ARGUMENT...]
    printf '%s\n' "$1" >"$scratch/command"
    shift
    rm -rf "${scratch:?}/boot"
    env ACCEL=tcg "$top/scripts/boot.sh" --kernel "$kernel_dir" --initramfs "$build/tests-base.cpio" \
        --command "$scratch/command" --output "$scratch/boot" "$@"
}
# The runner in the background, with a guest that does not end; returns when the guest has booted.
begin() { # begin DEADLINE
    rm -rf "${scratch:?}/boot" # the last test's console says that a guest has booted
    boot 'while :; do :; done' --deadline "$1" >"$scratch/runner.out" 2>"$scratch/runner.err" &
    runner=$!
    until grep -q 'ladder: booted' "$scratch/boot/console.log" 2>/dev/null; do
        kill -0 "$runner" || return 1
        sleep 0.1
    done
}
none_left() { # none_left NAME PGREP-ARGUMENT...: no such process
    # A process that was killed a moment ago may still be on its way out.
    local name=$1 tries
    shift
    for tries in $(seq 100); do
        pgrep "$@" >/dev/null || return 0
        sleep 0.05
    done
    say "$name is still running after $tries looks"
    return 1
}
no_qemu_left() { none_left QEMU -f "qemu-system.*$kernel_dir"; }
report() {
    say "$passed passed, $failed failed, $skipped skipped"
    [[ $failed == 0 ]]
}
