#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make litmus`: what the ring relies on, asked of the kernel's own memory model: herd7 runs each litmus test in
# stage3-spsc/model against tools/memory-model of the kernel's source, and has to say what its "Result:" line says.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
tests=("$top"/stage3-spsc/model/*.litmus)

# Wrong in the test itself: seen without herd7, too.
for test in "${tests[@]}"; do
    name=$(basename "$test" .litmus)
    grep -qE '^ \* Result: (Never|Sometimes|Always)$' "$test" || die "$name.litmus has no \"Result:\" line"
    [[ $(head -n 1 "$test") == "C $name" ]] || die "$name.litmus: its first line is not \"C $name\""
done

if [[ -z $(type -P herd7) ]]; then
    say "herd7, the simulator that runs litmus tests, is missing and no package of Debian 12: opam install herdtools7"
    say "0 passed, 0 failed, ${#tests[@]} skipped"
    exit
fi
source=$("$top/scripts/get-kernel.sh")
model=$source/tools/memory-model
[[ -f $model/linux-kernel.cfg ]] || die "$model has no linux-kernel.cfg: set KERNEL to a version that has it"

passed=0 failed=0
mkdir -p "$build/litmus"
for test in "${tests[@]}"; do
    name=$(basename "$test" .litmus)
    log=$build/litmus/$name.log
    expected=$(sed -n 's/^ \* Result: //p' "$test")
    # The model's files include each other by names relative to its folder.
    (cd "$model" && herd7 -conf linux-kernel.cfg "$test") >"$log" 2>&1 || true
    found=$(awk '$1 == "Observation" { print $3 }' "$log")
    if [[ $found == "$expected" ]]; then
        passed=$((passed + 1))
        printf '%-6s %-28s %s\n' ok "$name" "$found"
    else
        failed=$((failed + 1))
        printf '%-6s %-28s expected: %s, found: %s, see %s\n' FAILED "$name" "$expected" "${found:-nothing}" \
            "${log#"$top"/}"
    fi
done
say "$passed passed, $failed failed, 0 skipped"
[[ $failed == 0 ]]
