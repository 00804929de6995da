#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Breaks the user-space ring on purpose, one line at a time, and looks which tool sees it.
#
#   ring-mutants.sh         the mutants of common/mutants; MUTANT=name runs one
#
# Each is built from a copy with the thread sanitizer and runs the ring's two-thread tests, which check every
# message's number. It must be seen by the tool that its paragraph names; another may see it, too. The ring itself comes first: clean.
# Writes build/results/ring-mutants.json.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need jq g++
passed=0 failed=0 results='[]'
mkdir -p "$build/results"
scratch=$(mktemp -d "$build/ring-mutants.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# seen_by NAME: builds what is in $scratch/NAME and prints who saw it: tsan, sequence check, or something else.
seen_by() {
    local folder=$scratch/$1 log=$scratch/$1/log status=0
    if ! "${CXX:-g++}" -std=c++20 -O1 -g1 -fsanitize=thread -I"$folder" -I"$top" \
        "$top/common/tests/spsc_ring_test.cpp" -o "$folder/tests" -lgtest_main -lgtest -pthread >"$log" 2>&1; then
        say "does not build: $(grep -m 1 error "$log")"
        return
    fi
    # A race does not end the run: the sequence check may see the same mistake.
    TSAN_OPTIONS='halt_on_error=0 exitcode=66' timeout -k 5 200 "$folder/tests" --gtest_brief=1 \
        --gtest_filter='SpscRingStress.*' >"$log" 2>&1 || status=$?
    local tools=()
    ! grep -q 'WARNING: ThreadSanitizer: data race' "$log" || tools+=(tsan)
    ! grep -q 'sequence check' "$log" || tools+=('sequence check')
    case ${#tools[@]} in
    2) say "${tools[0]}, ${tools[1]}" ;;
    1) say "${tools[0]}" ;;
    *) if [[ $status == 0 ]]; then say 'not seen'
        else say "another failure ($(grep -m 1 -E 'Failure|ERROR|Assertion' "$log" || say "status $status"))"; fi ;;
    esac
}

# run_mutant NAME FILE AFTER OLD NEW TOOL
run_mutant() {
    local name=$1 file=$2 after=$3 old=$4 new=$5 expected=$6 found begun=$SECONDS
    mkdir -p "$scratch/$name/common"
    # Backslashes are awk's: none is in the lines that are mutated.
    if ! awk -v after="$after" -v old="$old" -v new="$new" '
        BEGIN { ready = after == "" }
        !ready && $0 == after { ready = 1; print; next }
        ready && !done && $0 == old { print new; done = 1; next }
        { print }
        END { exit !done }' "$top/$file" >"$scratch/$name/$file"; then
        found='no such line'
    else
        found=$(seen_by "$name")
    fi
    if [[ ", $found," == *", $expected,"* ]]; then
        passed=$((passed + 1))
        say "  $name: $found ($((SECONDS - begun)) s)"
    else
        failed=$((failed + 1))
        say "  $name: ${found^^}, expected: $expected ($((SECONDS - begun)) s)"
    fi
    results=$(jq --arg name "$name" --arg expected "$expected" --arg found "$found" \
        '. + [{name: $name, expected: $expected, found: $found}]' <<<"$results")
}

say 'mutants of the user-space ring'
if [[ -z ${MUTANT-} ]]; then
    run_mutant 'the ring itself' common/spsc_ring.hpp '' '#pragma once' '#pragma once' 'not seen'
fi
name='' file='' after='' old='' new='' tool=''
while IFS= read -r line; do
    case $line in
    '#'*) ;;
    'mutant '*) name=${line#mutant } ;;
    'file   '*) file=${line#file   } ;;
    'after  '*) after=${line#after  } ;;
    'tool   '*) tool=${line#tool   } ;;
    '-'*) old=${line#-} ;;
    '+'*) new=${line#+} ;;
    '')
        if [[ -n $name && ${MUTANT:-$name} == "$name" ]]; then
            run_mutant "$name" "$file" "$after" "$old" "$new" "$tool"
        fi
        name='' after=''
        ;;
    *) die "common/mutants: cannot read '$line'" ;;
    esac
done < <(cat "$top/common/mutants" && echo)
[[ $((passed + failed)) != 0 ]] || die "MUTANT=${MUTANT-} is not in common/mutants" 2
if [[ -z ${MUTANT-} ]]; then
    printf '%s\n' "$results" >"$build/results/ring-mutants.json"
    record ring-mutants 'mutants of the C++ ring, under the thread sanitizer' \
        "$passed of $((passed + failed)) as named: $(jq -r 'map("\(.name): \(.found)") | join("; ")' <<<"$results")" \
        'make ring-mutants'
fi
say "$passed passed, $failed failed, 0 skipped"
[[ $failed == 0 ]]
