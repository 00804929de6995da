# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154  # what the scripts that source this use, and what lib.sh sets
# What was measured, as HTML, for the report and for the book: sourced after lib.sh, not run.
sections=(ladder budget ablation alternatives throughput bench)

# verb_of SECTION: the verb that measures it, and the name of its result.
verb_of() { if [[ $1 == ladder ]]; then printf 'table\n'; else printf '%s\n' "$1"; fi; }

# pictures_of SECTION: the names of its pictures; a section may have none.
pictures_of() {
    case $1 in
    ladder) printf '%s\n' cdf ladder ;;
    ablation) printf '%s\n' ablation-best ablation-naive ;;
    bench) ;;
    *) printf '%s\n' "$1" ;;
    esac
}

# section SECTION RESULTS PICTURES: its tables and what was found, then its pictures; from the two folders.
section() {
    local picture
    jq -r --arg section "$1" -f "$top/scripts/report.jq" "$2/$(verb_of "$1").json"
    for picture in $(pictures_of "$1"); do
        [[ -f $3/$picture.svg ]] || continue
        printf '<figure>\n'
        sed '/^<?xml/d' "$3/$picture.svg"
        printf '</figure>\n'
    done
}
