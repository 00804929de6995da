#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Takes each stage's <linux/hft.h> out of the patches: build/uapi/stageN/linux/hft.h. The clients include the
# very file that the kernel does, and need no kernel source for it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need git
header=include/uapi/linux/hft.h
export GIT_CEILING_DIRECTORIES=$build
aside=$build/uapi/patched
lock "$build/uapi/.lock" "the headers"
# take_header FOLDER PATCH: the part of the patch that is the header's.
take_header() {
    local said
    said=$(cd "$1" && git apply --include="$header" "$top/$2" 2>&1) ||
        die "$2 does not apply to the stage before ($(head -n 1 <<<"${said#error: }")): patches are changed with scripts/patches.sh"
}
rm -rf "$aside" && mkdir -p "$aside"
for n in 0 1 2 3; do
    take_header "$aside" "${stages[n]}/kernel.patch"
    mkdir -p "$build/uapi/stage$n/linux"
    # Only a header that differs: a new time alone would rebuild the clients.
    cmp -s "$aside/$header" "$build/uapi/stage$n/linux/hft.h" ||
        cp "$aside/$header" "$build/uapi/stage$n/linux/hft.h"
done
# The kernels that only measure: each stage 3 and a patch.
for patch in "$top"/common/measure/*.patch; do
    [[ -e $patch ]] || continue
    name=$(basename "$patch" .patch)
    rm -rf "$aside.$name" && cp -r "$aside" "$aside.$name"
    take_header "$aside.$name" "${patch#"$top"/}"
    mkdir -p "$build/uapi/$name/linux"
    cmp -s "$aside.$name/$header" "$build/uapi/$name/linux/hft.h" ||
        cp "$aside.$name/$header" "$build/uapi/$name/linux/hft.h"
done
