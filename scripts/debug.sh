#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The guest of a stage waits before its first instruction, and gdb is attached: debug.sh N
#
# Function names always; source lines with DEBUG=1, from an object tree of its own. GDB_SCRIPT=file runs
# gdb's commands from a file instead of at a prompt.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
check_stage "${1-}"
need gdb
"$top/scripts/build-programs.sh" "${stages[@]}" hft_ctl
"$top/scripts/build-kernel.sh" "$1"
clients=("${stages[@]/#/$build/programs/}" "$build/programs/hft_ctl")
"$top/scripts/initramfs.sh" "$build/clients.cpio" "${clients[@]}"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/latency-ladder.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
printf '%s --output /results\n' "${stages[$1]}" >"$scratch/command"
"$top/scripts/boot.sh" --kernel "$kernel_build/stage$1" --initramfs "$build/clients.cpio" \
    --command "$scratch/command" --output "$scratch/out" --gdb "$scratch/gdb"
