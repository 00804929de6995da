#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make test`: every test, on the host and in the guest. Each part prints its time; the last line counts.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
passed=0 failed=0 skipped=0

# part NAME COMMAND...: the command's last line is "... P passed, F failed, S skipped".
part() {
    local name=$1 begun=$SECONDS status=0 counts
    shift
    say "== $name"
    "$@" 2>&1 | tee "$build/part.log" || status=$?
    counts=$(grep -oE '[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped' "$build/part.log" | tail -n 1 || true)
    if [[ -z $counts || ($status != 0 && $counts == *' 0 failed,'*) ]]; then
        failed=$((failed + 1)) # it broke before it could count
    fi
    if [[ -n $counts ]]; then
        local p f s
        read -r p f s <<<"$(tr -dc '0-9 ' <<<"$counts")"
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    fi
    say "== $name: ${counts:-no result}, $((SECONDS - begun)) s"
}

host_tests() {
    "$top/scripts/build-programs.sh" --host "$1"
    local report=$build/tests/host-$1.json counts status=0
    mkdir -p "$build/tests"
    rm -f "$report"
    "$build/host-$1/host-tests" --gtest_brief=1 --gtest_output="json:$report" >"$build/tests/host-$1.log" 2>&1 ||
        grep -m 1 -A 12 -E 'Sanitizer|runtime error' "$build/tests/host-$1.log" || true
    counts=$("$top/scripts/count-tests.sh" "$report") || status=$?
    read -r p f s <<<"$counts"
    say "$p passed, $f failed, $s skipped"
    return "$status"
}

refuses() {
    "$top/scripts/test-stage.sh" "$1" --on "$2" && say '1 passed, 0 failed, 0 skipped'
}

mkdir -p "$build"
part 'library' host_tests plain
part 'library, address and undefined behaviour sanitizer' host_tests address
part 'library, thread sanitizer' host_tests thread
part 'scripts' "$top/scripts/test-scripts.sh"
part "stage 0's tests on this host's kernel" refuses 0 host
for n in 0 1 2 3; do
    part "stage $n in the guest" "$top/scripts/test-stage.sh" "$n"
    [[ $n == 3 ]] || part "stage $((n + 1))'s tests on stage $n's kernel" refuses $((n + 1)) "$n"
done
for name in instruments ablation; do
    part "the kernel that only measures, $name" "$top/scripts/test-measure.sh" "$name"
done
say "all parts: $SECONDS s"
say "$passed passed, $failed failed, $skipped skipped"
[[ $failed == 0 ]]
