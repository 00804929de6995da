#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the C++ side.
#
#   build-programs.sh TARGET...            programs for the guest, and ladder-table: build/programs
#   build-programs.sh --host SANITIZER     the host's tests: build/host-SANITIZER (plain, address, thread)
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need cmake ninja g++ git

check_path
"$top/scripts/uapi.sh"
folder=$build/programs
options=(-DUAPI="$build/uapi")
targets=("$@")
if [[ ${1-} == --host ]]; then
    folder=$build/host-$2
    targets=(host-tests)
    case $2 in
    plain) ;;
    address) options+=("-DSANITIZE=address,undefined") ;;
    thread) options+=(-DSANITIZE=thread) ;;
    *) die "sanitizer '$2' is not plain, address or thread" 2 ;;
    esac
fi
lock "$folder.lock" "building programs"
ln -sfn programs/compile_commands.json "$build/compile_commands.json" # where editors look
log=$folder.log
# A target that is not known: what it needs may have been installed since.
if ! ninja -C "$folder" -t query "${targets[@]}" >/dev/null 2>&1; then
    cmake -S "$top/common" -B "$folder" -G Ninja "${options[@]}" ${WERROR:+-DWERROR=$WERROR} >"$log" 2>&1 ||
        die "cmake failed: $(grep -m 1 -A 2 'CMake Error' "$log" | tr '\n' ' '); see ${log#"$top"/}"
fi
if [[ $(ninja -C "$folder" -n "${targets[@]}" 2>/dev/null | tail -n 1) != 'ninja: no work to do.' ]]; then
    say "building ${targets[*]} (log: ${log#"$top"/})"
fi
ninja -C "$folder" -j "$(jobs_wanted)" "${targets[@]}" >"$log" 2>&1 {lock_fd}>&- || {
    { grep -E 'error|warning' "$log" || true; } | head -n 5 >&2
    die "the programs did not build: see ${log#"$top"/}"
}
