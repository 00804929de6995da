#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the kernel of a stage, or one that only measures, and keeps what boots:
# $kernel_build/{stageN,instruments,ablation}/{bzImage,vmlinux,config}.
#
#   build-kernel.sh KERNEL      0, 1, 2, 3, instruments or ablation
#
# All kernels share one object tree, so that climbing compiles only what a stage touches. DEBUG=1, SANITIZE= and
# PREEMPT= have trees of their own.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
check_kernel "${1-}"
stage=$1
out=$(boots_from "$stage")
label=${out##*/}
label=${label/stage/stage }
object=$kernel_build/object
need make gcc flex bison bc perl

check_path
source=$("$top/scripts/get-kernel.sh") || exit
lock "$kernel_build.lock" "building Linux $kernel"

# Everything that the image is made of. The same again: nothing to do.
ingredients() {
    patches_of "$stage" | xargs -d '\n' cat
    cat "$top"/stage0-syscall/syscall-table-*.patch
    cat "${fragments[@]}"
    printf '%s\n' "$source"
    gcc --version | head -n 1
}
stamp=$(ingredients | sha256sum | cut -d' ' -f1) || exit 1
if [[ $(cat "$out/stamp" 2>/dev/null) == "$stamp" ]]; then exit; fi

free_kib=$(df -Pk "$build" | awk 'NR == 2 { print $4 }')
((free_kib > 1500000)) || die "$build has $((free_kib / 1024)) MiB free; building a kernel needs 1,500"

"$top/scripts/patch-kernel.sh" "$stage"

kbuild() { kernel_make -s "$@" </dev/null {lock_fd}>&-; }

mkdir -p "$object" "$kernel_build/log"
log=$kernel_build/log/${out##*/}.log
: >"$log"

# The configuration: tinyconfig, the fragment, and a look at whether each of its lines took effect.
config_stamp=$(cat "${fragments[@]}" | sha256sum | cut -d' ' -f1)
if [[ $(cat "$object/config-stamp" 2>/dev/null) != "$config_stamp" ]]; then
    say "configuring Linux $kernel"
    kbuild tinyconfig >>"$log" 2>&1 || die "tinyconfig failed: see ${log#"$top"/}"
    cat "${fragments[@]}" >>"$object/.config"
    kbuild olddefconfig >>"$log" 2>&1 || die "olddefconfig failed: see ${log#"$top"/}"
    declare -A wanted=() # by name; a later fragment overrides an earlier one
    while IFS= read -r line; do
        [[ $line =~ ^(# )?(CONFIG_[A-Z0-9_]+)(=| is not set$) ]] || continue
        wanted[${BASH_REMATCH[2]}]=$line
    done < <(cat "${fragments[@]}")
    for name in "${!wanted[@]}"; do
        line=${wanted[$name]}
        grep -qxF -- "$line" "$object/.config" && continue
        # A symbol that this series does not have is no error; one that it sets otherwise is.
        ! grep -qE "^(# )?${name}[= ]" "$object/.config" && continue
        die "configuration: '$line' did not take effect in Linux $kernel: $(grep -E "^(# )?${name}[= ]" "$object/.config")"
    done
    printf '%s\n' "$config_stamp" >"$object/config-stamp"
fi

steps=$(awk -v s="$series" '$1 == s { print $5 }' "$top/scripts/kernels")
[[ ! -f $object/vmlinux ]] || steps=0 # only what changed: nobody knows how much that is
begun=$SECONDS
say "building Linux $kernel, $label (log: ${log#"$top"/})"
# Without -s, kbuild prints a line a file; that is what is counted.
set +e
kernel_make -j"$(jobs_wanted)" bzImage \
    </dev/null 2>&1 {lock_fd}>&- | tee -a "$log" | "$top/scripts/progress.sh" "$steps"
status=${PIPESTATUS[0]}
set -e
if [[ $status != 0 ]]; then
    grep -nE 'error:|Error [0-9]|\*\*\*|fatal' "$log" | head -n 5 >&2 || tail -n 5 "$log" >&2
    die "Linux $kernel, $label, did not build: see ${log#"$top"/}"
fi
if grep -E 'warning:' "$log" | grep -E 'hft|kernel/sys\.c' >&2; then
    die "a warning in our own kernel code: see ${log#"$top"/}"
fi

rm -rf "$out.new" && mkdir -p "$out.new"
cp "$object/arch/x86/boot/bzImage" "$object/vmlinux" "$out.new/"
cp "$object/.config" "$out.new/config"
printf '%s\n' "$stamp" >"$out.new/stamp"
rm -rf "$out" && mv "$out.new" "$out"
say "built Linux $kernel, $label, in $((SECONDS - begun)) s"
