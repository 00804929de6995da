#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A prompt in the guest of a stage, with every client on its PATH: shell.sh N
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
check_stage "${1-}"
"$top/scripts/build-programs.sh" "${stages[@]}" hft_ctl
"$top/scripts/build-kernel.sh" "$1"
clients=("${stages[@]/#/$build/programs/}" "$build/programs/hft_ctl")
"$top/scripts/initramfs.sh" "$build/clients.cpio" "${clients[@]}"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/latency-ladder.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
say "on the PATH: ${stages[*]} hft_ctl"
"$top/scripts/boot.sh" --kernel "$kernel_build/stage$1" --initramfs "$build/clients.cpio" --output "$scratch" --shell
