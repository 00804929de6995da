#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make faults`: what the runner says and leaves behind when the machine below it fails. Each test is a function whose
# name says what has to hold; the last line counts. FAULTS_CTRL_C=20 is how often Ctrl-C is pressed.
# shellcheck disable=SC2016  # what stands in single quotes is for another shell
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need pgrep pkill qemu-system-x86_64
. "$top/scripts/testing.sh"
presses=${FAULTS_CTRL_C:-20}
check_number FAULTS_CTRL_C "$presses" 1 10000
verdict=$build/kvm-verdict
at_the_end() { [[ ! -e $scratch/verdict ]] || mv "$scratch/verdict" "$verdict"; }

ends_with() { # ends_with STATUS TEXT: how the runner has to end
    local status=0
    wait "$runner" || status=$?
    cat "$scratch/runner.err"
    [[ $status == "$1" ]] || { say "exit status $status instead of $1" && return 1; }
    [[ $(grep -cF -- "$2" "$scratch/runner.err") == 1 ]] || { say "not one line with '$2'" && return 1; }
    no_qemu_left
}
nothing_left_in() { # nothing_left_in FOLDER: the runner's own scratch
    ! compgen -G "$1/latency-ladder.*" || { say 'the runner left its scratch folder' && return 1; }
}

missing_qemu_is_named() {
    mkdir -p "$scratch/bin"
    for tool in bash dirname env cut; do ln -sf "$(type -P "$tool")" "$scratch/bin/"; done
    fails_with 1 'qemu-system-x86_64 is missing: run ./scripts/setup.sh' env -i PATH="$scratch/bin" \
        bash "$top/scripts/boot.sh" --kernel "$kernel_dir" --initramfs x --output "$scratch/boot"
}
killed_qemu_is_14() {
    begin 60
    pkill -KILL -f "qemu-system.*$kernel_dir"
    ends_with 14 'QEMU failed'
}
hung_qemu_is_11() {
    begin 10
    pkill -STOP -f "qemu-system.*$kernel_dir"
    ends_with 11 'deadline passed'
}
panic_at_boot_is_10() {
    fails_with 10 'Kernel panic' boot true --append 'rdinit=/nowhere root=/nowhere'
    [[ $(wc -l <"$scratch/stderr") -le 62 ]] && no_qemu_left # one line of ours, after the kernel's report
}
full_disk_is_15() {
    # Sixteen MiB: too little to begin with.
    unshare -m bash -c '
        mkdir -p "$1/small" && mount -t tmpfs -o size=16m none "$1/small"
        TMPDIR=$1/small "$2/scripts/boot.sh" --kernel "$3" --initramfs "$2/build/tests-base.cpio" --output "$1/boot"
    ' - "$scratch" "$top" "$kernel_dir" 2>"$scratch/err" && return 1
    [[ $? == 15 ]] || return 1
    grep -F 'the disk is full' "$scratch/err"
}
disk_that_fills_up_is_15() {
    # Enough to begin with, and not enough for what comes out of the guest.
    printf 'head -c 200000000 /dev/zero >/results/big\n' >"$scratch/command"
    local status=0
    unshare -m bash -c '
        mkdir -p "$1/small" && mount -t tmpfs -o size=100m none "$1/small"
        ACCEL=tcg TMPDIR=$1/small "$2/scripts/boot.sh" --kernel "$3" --initramfs "$2/build/tests-base.cpio" \
            --command "$1/command" --output "$1/boot" --deadline 60
    ' - "$scratch" "$top" "$kernel_dir" 2>"$scratch/err" || status=$?
    cat "$scratch/err"
    [[ $status == 15 ]] && grep -qF 'the disk is full' "$scratch/err" && no_qemu_left
}
# A QEMU that does with KVM what $1 says, and the real one without.
fake_qemu() {
    mkdir -p "$scratch/fake"
    printf '#!/bin/bash\nfor word; do [[ $word != kvm ]] || { %s; }; done\nexec %q "$@"\n' \
        "$1" "$(type -P qemu-system-x86_64)" >"$scratch/fake/qemu-system-x86_64"
    chmod 755 "$scratch/fake/qemu-system-x86_64"
    [[ ! -e $verdict ]] || mv "$verdict" "$scratch/verdict"
    printf 'true\n' >"$scratch/command"
    local status=0
    PATH=$scratch/fake:$PATH ACCEL=auto "$top/scripts/boot.sh" --kernel "$kernel_dir" \
        --initramfs "$build/tests-base.cpio" --command "$scratch/command" --output "$scratch/boot" \
        >"$scratch/out.kvm" 2>&1 || status=$?
    rm -f "$verdict"
    [[ ! -e $scratch/verdict ]] || mv "$scratch/verdict" "$verdict"
    cat "$scratch/out.kvm"
    return "$status"
}
broken_kvm_is_said_and_gone_without() {
    fake_qemu 'echo "KVM is broken on purpose" >&2; exit 1'
    grep -E 'KVM IS BROKEN HERE.*broken on purpose|this host has no /dev/kvm|is not yours' "$scratch/out.kvm"
}
kvm_that_never_boots_is_said_and_gone_without() {
    fake_qemu 'exec sleep 1000'
    grep -E 'KVM IS BROKEN HERE|this host has no /dev/kvm|is not yours' "$scratch/out.kvm"
}
no_kvm_is_said_and_gone_without() {
    # A /dev of its own, with what scripts need and without kvm.
    printf 'true\n' >"$scratch/command"
    unshare -m bash -c '
        mkdir -p "$1/dev" && mount -t tmpfs none "$1/dev"
        cp -a /dev/{null,zero,full,random,urandom,fd,stdin,stdout,stderr} "$1/dev/"
        mkdir "$1/dev/shm" && mount --move "$1/dev" /dev
        ACCEL=auto "$2/scripts/boot.sh" --kernel "$3" --initramfs "$2/build/tests-base.cpio" \
            --command "$1/command" --output "$1/boot"
    ' - "$scratch" "$top" "$kernel_dir" >"$scratch/out.kvm"
    grep -F 'this host has no /dev/kvm' "$scratch/out.kvm"
}
kvm_asked_for_and_not_there_is_14() {
    mkdir -p "$scratch/fake"
    printf '#!/bin/bash\nfor word; do [[ $word != kvm ]] || { echo "no KVM here" >&2; exit 1; }; done\nexec %q "$@"\n' \
        "$(type -P qemu-system-x86_64)" >"$scratch/fake/qemu-system-x86_64"
    chmod 755 "$scratch/fake/qemu-system-x86_64"
    fails_with 14 'no KVM here' env PATH="$scratch/fake:$PATH" ACCEL=kvm "$top/scripts/boot.sh" \
        --kernel "$kernel_dir" --initramfs "$build/tests-base.cpio" --output "$scratch/boot"
}
ctrl_c_at_any_moment_leaves_nothing() {
    local press status milliseconds
    mkdir -p "$scratch/tmp"
    printf 'while :; do :; done\n' >"$scratch/command"
    for press in $(seq "$presses"); do
        # A session of its own, as a terminal has; and bash ignores Ctrl-C in the background if nobody says otherwise.
        env --default-signal=INT TMPDIR="$scratch/tmp" ACCEL=tcg setsid "$top/scripts/boot.sh" --kernel "$kernel_dir" \
            --initramfs "$build/tests-base.cpio" --command "$scratch/command" --output "$scratch/boot" \
            >/dev/null 2>&1 &
        runner=$!
        # The moment is what is tried out: any within the first three seconds.
        milliseconds=$((RANDOM % 3000))
        sleep "$((milliseconds / 1000)).$(printf '%03d' $((milliseconds % 1000)))"
        kill -INT -- "-$runner" 2>/dev/null || kill -INT "$runner"
        status=0
        wait "$runner" || status=$?
        [[ $status == 130 ]] || { say "press $press after $milliseconds ms: exit status $status" && return 1; }
        no_qemu_left || { say "press $press after $milliseconds ms" && return 1; }
        nothing_left_in "$scratch/tmp" || { say "press $press after $milliseconds ms" && return 1; }
    done
}
two_runs_at_once_both_succeed() {
    local first
    printf 'echo "$RANDOM" >/results/number\n' >"$scratch/command"
    for name in first second; do
        ACCEL=tcg "$top/scripts/boot.sh" --kernel "$kernel_dir" --initramfs "$build/tests-base.cpio" \
            --command "$scratch/command" --output "$scratch/$name" >/dev/null &
        [[ $name == second ]] || first=$!
    done
    wait "$first" && wait $! && [[ -s $scratch/first/number && -s $scratch/second/number ]] && no_qemu_left
}
results_of_another_commit_are_refused() {
    local first=$scratch/rounds/round-1/stage0-syscall second=$scratch/rounds/round-2/stage0-syscall
    ACCEL=tcg SAMPLES=10 "$top/scripts/run-stage.sh" 0 "$first"
    mkdir -p "${second%/*}"
    cp -r "$first" "$second"
    jq '.commit = "an older one"' "$first/host.json" >"$second/host.json"
    fails_with 1 'results of different systems are not in one table' \
        "$build/programs/ladder-table" "$scratch/rounds" --reference "$top/book/results/original.csv"
}
read_only_checkout_is_named() {
    local checkout
    checkout=$(mktemp -d /tmp/latency-ladder-read-only.XXXXXX)
    cp -r "$top/scripts" "$top"/stage?-* "$top/common" "$checkout/"
    chmod 755 "$checkout"
    local status=0
    fails_with 1 'make a clone of your own' setpriv --reuid=65534 --regid=65534 --clear-groups \
        env CACHE=/tmp "$checkout/scripts/run-stage.sh" 0 || status=1
    rm -rf "$checkout"
    return "$status"
}
path_with_a_blank_is_named() {
    mkdir -p "$scratch/checkout"
    cp -r "$top/scripts" "$top"/stage?-* "$top/common" "$scratch/checkout/"
    fails_with 2 'move the checkout' "$scratch/checkout/scripts/run-stage.sh" 0
}

"$top/scripts/build-kernel.sh" 0
"$top/scripts/initramfs.sh" "$build/tests-base.cpio"
for name in missing_qemu_is_named killed_qemu_is_14 hung_qemu_is_11 panic_at_boot_is_10 \
    broken_kvm_is_said_and_gone_without kvm_that_never_boots_is_said_and_gone_without \
    kvm_asked_for_and_not_there_is_14 ctrl_c_at_any_moment_leaves_nothing two_runs_at_once_both_succeed \
    path_with_a_blank_is_named results_of_another_commit_are_refused; do
    test_that "$name"
done
for name in full_disk_is_15 disk_that_fills_up_is_15 no_kvm_is_said_and_gone_without; do
    # In a chroot or a container, root may not.
    if unshare -m true 2>/dev/null; then test_that "$name"; else skip "$name" 'no mounts of its own: not root, or in a container'; fi
done
if [[ $EUID -eq 0 ]]; then test_that read_only_checkout_is_named; else skip read_only_checkout_is_named 'only root can become nobody'; fi
record faults 'runner under faults' "$passed of $((passed + failed)) hold; Ctrl-C pressed $presses times" 'make faults'
report
