# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034  # the scripts that source this use the variables
# What every script shares: sourced, not run. Paths, messages, and the names of things.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$top/build
cache=${CACHE:-$top/.cache}
[[ -z ${CACHE-} ]] || umask 002 # a shared cache is for the whole group
stages=(stage0-syscall stage1-blocking stage2-mmap stage3-spsc)

# die MESSAGE [STATUS]: one line that says what is wrong, where, and what mends it.
die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit "${2:-1}"
}

say() { printf '%s\n' "$*"; }

# need TOOL...: each has to be on the PATH.
need() {
    local tool
    for tool in "$@"; do
        [[ -n $(PATH=$PATH:/usr/sbin:/sbin type -P "$tool") ]] || die "$tool is missing: run ./scripts/setup.sh"
    done
}

# check_stage N: stage number from the command line.
check_stage() {
    [[ ${1-} =~ ^[0-3]$ ]] || die "stage '${1-}' is not 0, 1, 2 or 3" 2
}

# check_kernel NAME: a stage's number, or a kernel that only measures: stage 3 and common/measure/NAME.patch.
check_kernel() {
    [[ ${1-} =~ ^([0-3]|instruments|ablation)$ ]] || die "kernel '${1-}' is not 0, 1, 2, 3, instruments or ablation" 2
}

# check_number NAME VALUE LEAST MOST
check_number() {
    # No zero before it: the shell would take it for octal.
    [[ $2 =~ ^(0|[1-9][0-9]{0,11})$ ]] && (($2 >= $3 && $2 <= $4)) ||
        die "$1=$2 is not a whole number from $3 to $4" 2
}

# record NAME WHAT RESULT COMMAND: what a check came to, for the page on trust (scripts/trust.sh).
record() {
    mkdir -p "$build/results/trust"
    jq -n --arg what "$2" --arg result "$3" --arg command "$4" --arg kernel "$variant" \
        --arg commit "$(git -C "$top" rev-parse HEAD 2>/dev/null || echo unknown)" \
        --argjson dirty "$([[ -z $(git -C "$top" status --porcelain 2>/dev/null) ]] && echo false || echo true)" \
        --arg time "$(date -u +%FT%TZ)" \
        '{what: $what, result: $result, command: $command, kernel: $kernel, commit: $commit, dirty: $dirty, time: $time}' \
        >"$build/results/trust/$1.new"
    mv "$build/results/trust/$1.new" "$build/results/trust/$1.json"
}

# follow_progress CONSOLE: from now on, what the guest says of its progress comes to standard error; sets "follower", the
# process to kill at the end. It sleeps until the console grows: nothing wakes up here while the guest measures. A function
# on_progress, if there is one, gets each line.
follow_progress() {
    : >"$1"
    setpriv --pdeathsig KILL tail -n +1 -f "$1" > >(
        declare -A seen=() # the runner writes the console once more when all is over
        while IFS= read -r line; do
            line=${line%$'\r'}
            [[ $line =~ ^'  '.*' left'$ && -z ${seen[$line]-} ]] || continue
            seen[$line]=1
            printf '%s\n' "$line" >&2
            ! declare -F on_progress >/dev/null || on_progress "$line"
        done
    ) 2>/dev/null &
    follower=$!
    disown # the shell has nothing to say about its end
}

# floor_held FOLDER: whether the floor held still while the series in FOLDER was measured.
floor_held() {
    local status=0
    "$build/programs/ladder-table" --accepted "$1" || status=$?
    ((status == 0 || status == 3)) || exit "$status"
    ((status == 0))
}

# check_result NAME: build/results/NAME.json is whole, if it is there.
check_result() {
    [[ ! -e $build/results/$1.json ]] || jq -e . "$build/results/$1.json" >/dev/null 2>&1 ||
        die "build/results/$1.json is damaged: run make $1 again"
}

# put_to_failed FOLDER NAME: what an unfinished run left is kept in build/failed/NAME, in place of the last one's.
put_to_failed() {
    mkdir -p "$build/failed"
    rm -rf "${build:?}/failed/$2"
    mv "$1" "$build/failed/$2"
}

# check_path: the kernel's make does not work below a folder with a blank or a colon in its name.
check_path() {
    [[ $build != *[[:space:]:]* ]] || die "a kernel cannot be built in '$build', because of the blank or colon: move the checkout" 2
}

# Runs the rest of the script with a lock on FILE held; a second one waits, and says so.
lock() {
    local file=$1 what=$2
    mkdir -p "$(dirname "$file")" 2>/dev/null || true
    [[ -w $(dirname "$file") ]] || die "cannot write to $(dirname "$file"): make a clone of your own"
    exec {lock_fd}>"$file" || die "cannot write $file: remove it, or make a clone of your own"
    if ! flock -n "$lock_fd"; then
        say "waiting for another process that is busy with $what" >&2
        flock "$lock_fd"
    fi
}

jobs_wanted() { printf '%s\n' "${JOBS:-$(nproc)}"; }

# kernel_make ARGUMENT...: the kernel's own make, in its trees. Everybody has to call it this way: another compiler on
# the command line compiles everything again.
kernel_make() {
    local compiler=gcc
    if [[ -n ${CACHE-} && -n $(type -P ccache) ]]; then
        # Thirty people on one server compile the same files: the cache is shared with the source.
        export CCACHE_DIR=$CACHE/ccache CCACHE_BASEDIR=$kernel_build CCACHE_UMASK=002 CCACHE_NOHASHDIR=1
        mkdir -p "$CCACHE_DIR" 2>/dev/null || true
        [[ -w $CCACHE_DIR ]] || export CCACHE_READONLY=1 CCACHE_TEMPDIR=$build/ccache-tmp
        [[ ! -d $CCACHE_DIR ]] || compiler='ccache gcc'
    fi
    # The same source is the same image: no host name, no time.
    KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=ladder KBUILD_BUILD_HOST=latency \
        nice make -C "$kernel_build/source" O="$kernel_build/object" CC="$compiler" HOSTCC="$compiler" "$@"
}

# What any verb takes, checked before minutes go into a build.
[[ -z ${CACHE-} || $CACHE == /* ]] || die "CACHE=$CACHE is not an absolute path" 2
[[ -z ${JOBS-} ]] || check_number JOBS "$JOBS" 1 1024
for switch in DEBUG BPF PIN; do [[ -z ${!switch-} ]] || check_number "$switch" "${!switch}" 0 1; done
[[ ${ACCEL:-auto} =~ ^(auto|kvm|tcg)$ ]] || die "ACCEL=$ACCEL is not auto, kvm or tcg" 2

# Which kernel is asked for: KERNEL=6.1, 6.12, 5.4 or a full version. DEBUG=1, BPF=1, SANITIZE=kasan or kcsan and
# PREEMPT=full have object trees of their own; each is a fragment of configuration on top of kernel.config.
kernel=${KERNEL:-6.1}
[[ $kernel =~ ^[0-9]+\.[0-9]+(\.[0-9]+)?$ ]] || die "KERNEL=$kernel is not a version such as 6.1, 6.12 or 5.4" 2
series=$(cut -d. -f1,2 <<<"$kernel")
variant=$kernel${KERNEL_SRC:+-src}
fragments=("$top/scripts/kernel.config")
if [[ ${DEBUG:-0} == 1 ]]; then
    variant+=-debug fragments+=("$top/scripts/debug.config")
fi
if [[ ${BPF:-0} == 1 ]]; then
    [[ $series != 5.4 ]] || die 'Linux 5.4 has no BPF ring buffer: take 6.1 or 6.12, or BPF=0' 2
    variant+=-bpf fragments+=("$top/scripts/bpf.config")
fi
case ${SANITIZE-} in
'') ;;
kasan | kcsan) variant+=-$SANITIZE fragments+=("$top/scripts/$SANITIZE.config") ;;
*) die "SANITIZE=$SANITIZE is not kasan or kcsan" 2 ;;
esac
case ${PREEMPT:-none} in
none) ;;
full) variant+=-preempt fragments+=("$top/scripts/preempt.config") ;;
*) die "PREEMPT=$PREEMPT is not none or full" 2 ;;
esac
# patches_of KERNEL: what it consists of, in order; checks that only a debug kernel has come on top of stage 3.
patches_of() {
    local n last=$1
    [[ $1 =~ ^[0-3]$ ]] || last=3
    for n in $(seq 0 "$last"); do printf '%s\n' "$top/${stages[n]}/kernel.patch"; done
    if [[ ! $1 =~ ^[0-3]$ ]]; then printf '%s\n' "$top/common/measure/$1.patch"; fi
    if [[ $1 == 3 && ${SANITIZE-} == kasan ]]; then printf '%s\n' "$top/common/fuzz/guards.patch"; fi
}
[[ ${SANITIZE-} != kcsan || $series != 5.4 ]] || die 'Linux 5.4 has no KCSAN: take 6.1 or 6.12' 2
kernel_build=$build/linux-$variant # source (patched), object (the compiler's), stageN (what boots)
# boots_from KERNEL: the folder with what boots.
boots_from() {
    if [[ $1 =~ ^[0-3]$ ]]; then printf '%s\n' "$kernel_build/stage$1"; else printf '%s\n' "$kernel_build/$1"; fi
}
