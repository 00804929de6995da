#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make report`: the tables, the pictures and where they come from, in one file that needs no other: build/report.html.
# What was not measured yet is named in it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$top/scripts/sections.sh"
need jq
results=$build/results report=$build/report.html
"$top/scripts/plots.sh"

titles=([0]='The ladder' [1]='Where the cycles go' [2]='Which change bought what' [3]='Other doors' [4]='When it pours'
    [5]='The ring against the best')

for name in "${sections[@]}"; do check_result "$(verb_of "$name")"; done
trap 'rm -f "$report.new"' EXIT
commit=$(git -C "$top" rev-parse HEAD 2>/dev/null || echo unknown)
{
    printf '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    printf '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Latency Ladder: a report</title>\n<style>\n'
    cat "$top/scripts/report.css"
    printf '</style>\n</head>\n<body>\n<h1>Latency Ladder: a report</h1>\n'
    printf '<p>How does a message get from the Linux kernel to a user process, and what does each step of the way cost?</p>\n'
    printf '<p class="origin">Made on %s from the commit %s%s.</p>\n' "$(date -u +'%F %H:%M UTC')" "${commit:0:12}" \
        "$([[ -z $(git -C "$top" status --porcelain 2>/dev/null) ]] || echo ' with changes')"
    missing=()
    for index in "${!sections[@]}"; do
        name=${sections[index]}
        if [[ ! -f $results/$(verb_of "$name").json ]]; then
            missing+=("${titles[index]} (<code>make $(verb_of "$name")</code>)")
            continue
        fi
        printf '<section>\n<h2>%s</h2>\n' "${titles[index]}"
        section "$name" "$results" "$build/plots"
        printf '</section>\n'
        [[ -n ${first-} ]] || first=$results/$(verb_of "$name").json
    done
    ((${#missing[@]} == 0)) || printf '<p class="missing">Not measured: %s.</p>\n' \
        "$(printf '%s, ' "${missing[@]}" | sed 's/, $//')"
    printf '<section>\n<h2>Where it was measured</h2>\n'
    jq -r --arg section environment -f "$top/scripts/report.jq" "$first"
    printf '</section>\n</body>\n</html>\n'
} >"$report.new"
mv "$report.new" "$report"
say "written: ${report#"$top"/} ($(($(stat -c %s "$report") / 1024)) KiB, in one file)"
