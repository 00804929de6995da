#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Packs an initramfs: BusyBox, the guest's init, and programs on the PATH.
#
#   initramfs.sh OUTPUT PROGRAM...
#
# A command to run is not part of it: the runner appends that as a second archive, which the kernel unpacks
# over the first.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need cpio busybox
output=$1
shift
# Up to date already?
fresh=1
for input in "$top/scripts/guest-init" "$0" "$(type -P busybox)" "$@"; do
    [[ $output -nt $input ]] || fresh=0
done
[[ $fresh == 0 || $(cat "$output.list" 2>/dev/null) != "$*" ]] || exit 0

file "$(type -P busybox)" 2>/dev/null | grep -q 'dynamically' && die "busybox is not static: run ./scripts/setup.sh"
root=$(mktemp -d "$build/initramfs.XXXXXX")
trap 'rm -rf "$root" "$output.$$"' EXIT
mkdir -p "$root"/{bin,dev,proc,sys,tmp,ladder/bin}
cp "$(type -P busybox)" "$root/bin/busybox"
cp "$top/scripts/guest-init" "$root/init"
chmod 755 "$root/init"
for program in "$@"; do
    strip -o "$root/ladder/bin/$(basename "$program")" "$program"
done
(cd "$root" && find . -print0 | sort -z | cpio --null -o -H newc --quiet -R 0:0) >"$output.$$" ||
    die "cannot write $output"
mv "$output.$$" "$output"
printf '%s\n' "$*" >"$output.list"
