#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Reads GoogleTest's JSON reports, prints every failure, and ends with "PASSED FAILED SKIPPED" on one line. A skip
# that is not in scripts/allowed-skips is a failure, and so is a report that is missing or empty.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
passed=0 failed=0 skipped=0
for report in "$@"; do
    if ! count=$(jq -e .tests "$report" 2>/dev/null) || [[ $count == 0 ]]; then
        say "  FAILED ${report##*/}: the test program crashed, or ran nothing" >&2
        failed=$((failed + 1))
        continue
    fi
    while IFS=$'\t' read -r name result reason; do
        case $result in
        passed) passed=$((passed + 1)) ;;
        skipped)
            if grep -q "^$name " "$top/scripts/allowed-skips"; then
                skipped=$((skipped + 1))
                say "  skipped $name: $reason" >&2
            else
                failed=$((failed + 1))
                say "  FAILED $name: skipped, and not in scripts/allowed-skips: $reason" >&2
            fi
            ;;
        *)
            failed=$((failed + 1))
            say "  FAILED $name: $reason" >&2
            ;;
        esac
    done < <(jq -r '.testsuites[] | .name as $suite | .testsuite[] | select(.status == "RUN") |
        [$suite + "." + .name,
         (if .failures then "failed" elif .result == "SKIPPED" then "skipped" else "passed" end),
         ([(.failures // .skipped // [])[] | (.failure // .message // "")] | join(" / ") | gsub("[\n\t]+"; " "))] | @tsv' "$report")
done
printf '%d %d %d\n' "$passed" "$failed" "$skipped"
[[ $failed == 0 ]]
