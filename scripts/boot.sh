#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Boots a kernel in QEMU, runs a command in the guest, brings its results back, and says how it ended.
#
#   boot.sh --kernel DIR --initramfs FILE --output DIR [--command FILE] [--deadline SECONDS]
#           [--append WORDS] [--without NAME]... [--shell | --gdb SOCKET]
#
# --append and --without add words to the guest's command line, and leave out the one of that name (isolcpus). PIN=0
# leaves QEMU's threads to the host's scheduler.
#
# DIR has bzImage and config (build-kernel.sh made it). The output folder gets console.log, host.json and
# everything that the guest left in /results. Exit status, each with one line that names its log:
#
#   0   the command ran and succeeded
#   10  boot failed: the guest never came to its first process
#   11  deadline passed
#   12  the command in the guest failed
#   13  the kernel complained: an Oops, a WARNING, a lockdep report ...
#   14  QEMU failed: it did not start, or was killed
#   15  the disk is full
#
# ACCEL=auto (default) tries KVM with a real boot before it trusts it, once a host boot, and says what it found.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# Whoever called this may be killed, and cannot tell: it ends with its caller, and QEMU with it.
if [[ ${LADDER_BOOT-} != "$$" ]]; then
    need qemu-system-x86_64 cpio jq taskset setpriv
    LADDER_BOOT=$$ exec setpriv --pdeathsig TERM "$BASH" "$0" "$@"
fi

kernel_dir='' initramfs='' output='' command='' deadline=120 append='' without=() mode=run gdb_socket=''
while [[ $# -gt 0 ]]; do
    case $1 in
    --kernel) kernel_dir=$2 && shift 2 ;;
    --initramfs) initramfs=$2 && shift 2 ;;
    --output) output=$2 && shift 2 ;;
    --command) command=$2 && shift 2 ;;
    --deadline) deadline=$2 && shift 2 ;;
    --append) append=$2 && shift 2 ;;
    --without) without+=("$2") && shift 2 ;;
    --shell) mode=shell && shift ;;
    --gdb) mode=gdb gdb_socket=$2 && shift 2 ;;
    *) die "unknown argument '$1'" 2 ;;
    esac
done
[[ -f $kernel_dir/bzImage ]] || die "$kernel_dir has no kernel: scripts/build-kernel.sh makes it"
boot_deadline=60 # seconds to the first process; a lean kernel under emulation needs 3
if [[ -n ${SANITIZE-} ]]; then
    boot_deadline=180
    # Ten times slower, on a host that others use, too: what RCU calls a stall after 21 s is none yet.
    append="rcupdate.rcu_cpu_stall_timeout=120${append:+ $append}"
fi

mkdir -p "$output" 2>/dev/null && [[ -w $output ]] || die "cannot write to $output: make a clone of your own"
rm -f "$output/status" "$output/dmesg" # an older run's: what this one is judged by
console=$output/console.log
qemu_log=$output/qemu.log
scratch=$(mktemp -d "${TMPDIR:-/tmp}/latency-ladder.XXXXXX")
qemu=''
finish() {
    local status=$?
    trap - EXIT
    if [[ -n $qemu ]] && kill -0 "$qemu" 2>/dev/null; then
        kill -KILL "$qemu" 2>/dev/null || true
        wait "$qemu" 2>/dev/null || true
    fi
    rm -rf "$scratch"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# room_in FOLDER: MiB that are free.
room_in() { df -Pm "$1" | awk 'NR == 2 { print $4 }'; }
for folder in "$output" "$scratch"; do
    (($(room_in "$folder") >= 64)) || die "the disk is full: $folder has $(room_in "$folder") MiB free, a run needs 64" 15
done

# --- Which accelerator? /dev/kvm can open, make a virtual CPU, and still never boot a kernel. ---
accel=${ACCEL:-auto}
accel_note=''
qemu_version=$(qemu-system-x86_64 --version | sed -n '1s/.*version \([^ ]*\).*/\1/p')
case $accel in
tcg) accel_note='TCG (software emulation), as asked for' ;;
kvm) accel_note='KVM, as asked for' ;;
auto)
    verdict_file=$build/kvm-verdict
    verdict_key="$(cat /proc/sys/kernel/random/boot_id 2>/dev/null) $qemu_version $(id -u)"
    if [[ ! -e /dev/kvm ]]; then
        accel=tcg accel_note='TCG (software emulation): this host has no /dev/kvm'
    elif [[ ! -r /dev/kvm || ! -w /dev/kvm ]]; then
        accel=tcg accel_note='TCG (software emulation): /dev/kvm is not yours to open (join the group kvm)'
    else
        if [[ $(sed -n 1p "$verdict_file" 2>/dev/null) != "$verdict_key" ]]; then
            say 'trying KVM with a real boot (20 s at most)'
            printf 'true\n' >"$scratch/true"
            # Its console and log go with the scratch folder: the verdict is one line.
            if ACCEL=kvm "$0" --kernel "$kernel_dir" --initramfs "$initramfs" --command "$scratch/true" \
                --output "$scratch/kvm" --deadline 20 >/dev/null 2>"$scratch/kvm.error"; then
                printf '%s\n%s\n' "$verdict_key" works >"$verdict_file"
            else
                printf '%s\n%s\n' "$verdict_key" "$(sed -n 's/^boot.sh: //; s/; see .*//p' "$scratch/kvm.error" | cut -c1-100)" >"$verdict_file"
            fi
        fi
        verdict=$(sed -n 2p "$verdict_file")
        if [[ $verdict == works ]]; then
            accel=kvm accel_note='KVM: it booted this kernel'
        else
            accel=tcg accel_note="TCG (software emulation): KVM IS BROKEN HERE, it did not boot this kernel ($verdict)"
        fi
    fi
    ;;
esac
say "accelerator: $accel_note"
cpu=qemu64
[[ $accel == tcg ]] || cpu=host
thread_kind=${accel^^}

# --- The initramfs: the packed one, and the command over it. ---
initrd=$initramfs
if [[ -n $command ]]; then
    mkdir -p "$scratch/root/ladder"
    cp "$command" "$scratch/root/ladder/command"
    initrd=$scratch/initrd
    cp "$initramfs" "$initrd"
    (cd "$scratch/root" && find . -mindepth 1 | cpio -o -H newc --quiet -R 0:0) >>"$initrd"
fi

# The original's command line; then what the clock needs (two emulated CPUs' TSCs look unsynchronized, and
# without the TSC nohz_full never stops a tick), a panic that ends the machine, and a console that shows
# warnings but not every line of the boot.
words=(console=ttyS0 nokaslr iomem=relaxed isolcpus=1 nohz_full=1 tsc=reliable panic=-1 loglevel=5)
for name in "${without[@]}"; do
    [[ " ${words[*]}" == *" $name="* ]] || die "--without $name: the command line has no such word: ${words[*]}" 2
    for i in "${!words[@]}"; do [[ ${words[i]} != "$name="* ]] || unset "words[i]"; done
done
cmdline="${words[*]}${append:+ $append}"
# shellcheck disable=SC2054  # the commas are QEMU's
arguments=(-name latency-ladder,debug-threads=on -machine pc -accel "$accel" -cpu "$cpu" -m 1G -smp 2
    -nodefaults -no-user-config -display none -no-reboot
    -kernel "$kernel_dir/bzImage" -initrd "$initrd" -append "$cmdline"
    -device virtio-serial-pci -chardev "file,id=results,path=$scratch/results.tar"
    -device virtserialport,chardev=results,name=results)

# --- Pin QEMU's threads: vCPU 1, where the client polls, gets a host CPU to itself. ---
alive() { kill -0 "$qemu" 2>/dev/null; }
thread_of() { # the thread of vCPU $1
    { grep -lx "CPU $1/$thread_kind" "/proc/$qemu/task/"*/comm || true; } 2>/dev/null | head -n 1 | cut -d/ -f5
}
pinned=false
host_cpus=$(nproc) # as they are before this script leaves one of them alone
pin() {
    local allowed alone others thread tries=0
    if [[ ${PIN:-1} == 0 ]]; then
        say 'NOT PINNED: as asked for with PIN=0'
        return
    fi
    mapfile -t allowed < <(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' |
        awk -F- '{ for (i = $1; i <= ($2 == "" ? $1 : $2); i++) print i }')
    if ((${#allowed[@]} < 2)); then
        say 'NOT PINNED: only one host CPU, on which both guest CPUs take turns; expect long tails'
        return
    fi
    # It has them within milliseconds; one that hangs before that never has.
    until [[ -n $(thread_of 1) ]] || ! alive || ((tries++ == 250)); do sleep 0.02; done 2>/dev/null
    # On a shared server, thirty readers should not all take the same one.
    alone=$((${#allowed[@]} - 1 - $$ % (${#allowed[@]} - 1)))
    others=$(printf '%s\n' "${allowed[@]}" | grep -vx "${allowed[alone]}" | paste -sd,)
    thread=$(thread_of 1)
    [[ -z $thread ]] || printf '%s\n' "/proc/$qemu/task/$thread" >"$output/vcpu1"
    if [[ -n $thread ]] && taskset -acp "$others" "$qemu" >/dev/null 2>&1 &&
        taskset -cp "${allowed[alone]}" "$thread" >/dev/null 2>&1; then
        pinned=true
        taskset -cp "$others" $$ >/dev/null # and what this script starts stays away, too
        say "pinned: guest CPU 1 on host CPU ${allowed[alone]}, the rest of QEMU on $others"
    elif alive; then
        say 'NOT PINNED: QEMU shows no thread for guest CPU 1, or the host refused to set its affinity'
    fi
}

# --- Where it came from: no result without this. ---
write_provenance() {
    local pinned=$1 option preempt=unknown
    for option in NONE VOLUNTARY RT; do
        ! grep -qx "CONFIG_PREEMPT_$option=y" "$kernel_dir/config" || preempt=${option,,}
    done
    ! grep -qx 'CONFIG_PREEMPT=y' "$kernel_dir/config" || preempt=full
    jq -n --arg accel "$accel" --arg qemu "$qemu_version" --arg cpu "$cpu" --arg cmdline "$cmdline" \
        --arg host_cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
        --arg host_kernel "$(uname -r)" --argjson host_cpus "$host_cpus" --argjson pinned "$pinned" \
        --argjson hz "$(sed -n 's/^CONFIG_HZ=//p' "$kernel_dir/config")" --arg preempt "$preempt" \
        --arg stage_patch "$(basename "$kernel_dir")" --arg image "$(cat "$kernel_dir/stamp")" \
        --arg commit "$(git -C "$top" rev-parse HEAD 2>/dev/null || echo unknown)" \
        --argjson dirty "$([[ -z $(git -C "$top" status --porcelain 2>/dev/null) ]] && echo false || echo true)" \
        --arg time "$(date -u +%FT%TZ)" \
        '{accel: $accel, qemu: $qemu, qemu_cpu: $cpu, host_cpu: $host_cpu, host_kernel: $host_kernel,
          host_cpus: $host_cpus, cmdline: $cmdline, pinned: $pinned, hz: $hz, preempt: $preempt,
          patch_stage: $stage_patch, image: $image, commit: $commit, dirty: $dirty, time: $time}' \
        >"$output/host.json"
}

if [[ $mode == shell ]]; then
    say 'a prompt in the guest follows; leave with exit, or Ctrl-A then X'
    exec 3<&0 # a background process would read from nowhere
    setpriv --pdeathsig KILL qemu-system-x86_64 "${arguments[@]}" \
        -chardev stdio,id=terminal,mux=on,signal=off -serial chardev:terminal -mon chardev=terminal <&3 &
    qemu=$!
    pin
    wait "$qemu" || true
    exit 0
fi

start=(setpriv --pdeathsig KILL qemu-system-x86_64 "${arguments[@]}")
if [[ $mode == gdb ]]; then
    # The guest stands still before its first instruction, until gdb says continue. Ctrl-C is gdb's: QEMU is in a
    # session of its own, and this script goes on.
    trap ':' INT
    setsid "${start[@]}" -serial "file:$console" -S -gdb "unix:path=$gdb_socket,server=on,wait=off" \
        </dev/null >"$qemu_log" 2>&1 &
    qemu=$!
    until [[ -S $gdb_socket ]]; do
        kill -0 "$qemu" 2>/dev/null || die "QEMU failed: $(tail -n 1 "$qemu_log")" 14
        sleep 0.05
    done
    say "the guest's console goes to ${console#"$top"/}"
    script=()
    [[ -z ${GDB_SCRIPT-} ]] || script=(-batch -x "$GDB_SCRIPT")
    gdb -q -ex "target remote $gdb_socket" -ex 'hbreak start_kernel' -ex continue "${script[@]}" "$kernel_dir/vmlinux" || true
    exit 0
fi

: >"$console"
"${start[@]}" -serial "file:$console" </dev/null >"$qemu_log" 2>&1 &
qemu=$!

pin
write_provenance "$pinned"

# --- Wait: for the end, the first process, or a deadline. ---
# Asleep, without a look now and then: each would start a process that can take the CPU from a guest that is measuring.
ended='' qemu_status=0 late=''
wait_for_end() { # wait_for_end SECONDS: at most; sets "ended" to QEMU's process if it has
    local timer status=0
    setpriv --pdeathsig KILL sleep "$1" &
    timer=$!
    wait -n -p ended "$qemu" "$timer" || status=$?
    if [[ $ended == "$qemu" ]]; then qemu_status=$status; fi
    kill "$timer" || true
    wait "$timer" || true
} 2>/dev/null # the shell's own word about a process that was killed; ours follows
first=$((deadline < boot_deadline ? deadline : boot_deadline))
wait_for_end "$first"
if [[ $ended != "$qemu" ]]; then
    if ! grep -q '^ladder: booted' "$console"; then late=boot
    elif ((deadline > first)); then wait_for_end $((deadline - first)); fi
fi
if [[ $ended != "$qemu" ]]; then
    late=${late:-deadline}
    { kill -KILL "$qemu" && wait "$qemu"; } 2>/dev/null || true
fi
[[ $qemu_status -le 128 || -n $late ]] || printf 'killed by SIG%s\n' "$(kill -l $((qemu_status - 128)))" >>"$qemu_log"

# --- How did it end? ---
where=${console#"$top"/}
{ tr -d '\r' <"$console" >"$scratch/console" && cp "$scratch/console" "$console"; } 2>/dev/null || true # the disk may be full
complaint=$(grep -m 1 -nE 'Oops|BUG: |WARNING: |Kernel panic|general protection fault|possible (recursive|circular) locking|inconsistent lock state|possible deadlock|suspicious RCU usage|UBSAN: |KASAN: |KCSAN: |soft lockup|rcu: INFO|detected stall|invalid opcode|unreferenced object 0x' "$console" || true)
archive=$scratch/results.tar
if [[ -s $archive ]]; then tar -xf "$archive" -C "$output" 2>/dev/null || true; fi
whole() { grep -q '^ladder: done' "$console" && [[ -f $output/status ]]; }
# A full disk explains whatever else is seen: QEMU waits for room until the deadline, or breaks off.
for folder in "$output" "$scratch"; do
    whole || (($(room_in "$folder") > 0)) ||
        die "the disk is full: $folder has no room, and not all results came out of the guest; see $where" 15
done

if ! grep -q '^ladder: booted' "$console"; then
    if [[ -z $late && $qemu_status != 0 && ! -s $console ]]; then
        die "QEMU failed: $(head -n 1 "$qemu_log" | cut -c1-200); see ${qemu_log#"$top"/}" 14
    fi
    die "boot failed${complaint:+ (${complaint#*:})}: the guest did not come to its first process; see $where" 10
fi
# The report itself, to its end; the lines of the source beside the functions, if the kernel knows them.
show_report() {
    sed -n "${complaint%%:*},\$p" "$console" | sed -E 's/^\[ *[0-9.]+\](\[ *[A-Z0-9]+\])? //' |
        awk 'NR > 60 || (NR > 1 && /^={40}|end trace|^ladder: /) { over = 1 } !over' >"$scratch/report"
    if grep -qx CONFIG_DEBUG_INFO=y "$kernel_dir/config"; then
        "$kernel_dir/../source/scripts/decode_stacktrace.sh" "$kernel_dir/vmlinux" auto \
            <"$scratch/report" 2>/dev/null | sed "s|$(realpath "$kernel_dir/..")/source/||g"
    else
        cat "$scratch/report"
    fi
}
[[ -z $complaint ]] || show_report >&2
[[ -z $complaint ]] || die "the kernel complained: line ${complaint%%:*}: ${complaint#*:}; see $where" 13
if [[ -f $output/dmesg ]] && grep -qE 'WARNING: |BUG: ' "$output/dmesg"; then
    die "the kernel complained: $(grep -m 1 -E 'WARNING: |BUG: ' "$output/dmesg"); see ${output#"$top"/}/dmesg" 13
fi
[[ -z $late ]] || die "deadline passed: the guest was not done after $deadline s; see $where" 11
whole || die "QEMU failed: it ended (status $qemu_status) before the guest was done; see $where and ${qemu_log#"$top"/}" 14
status=$(cat "$output/status")
[[ $status == 0 ]] || die "the command in the guest failed with status $status; see $where" 12
