#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make plots`: draws what is in build/results as SVG files in build/plots. What was not measured yet is named, with the
# verb that measures it; nothing to draw at all is an error.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[[ -n $(type -P gnuplot) ]] || die 'gnuplot is missing: run ./scripts/setup.sh all'
need jq
results=$build/results plots=$build/plots
scratch=$(mktemp -d "${TMPDIR:-/tmp}/latency-ladder.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$plots"
drawn=()

# measured FILE VERB: whether the result is there; else says what makes it, and removes the picture of an older one.
measured() {
    local name
    if [[ -f $results/$1 ]]; then
        jq -e ".rows // .from" "$results/$1" >/dev/null 2>&1 || die "build/results/$1 is damaged: run make $2 again"
        return
    fi
    say "not measured yet: build/results/$1 (make $2)"
    shift 2
    for name in "$@"; do rm -f "$plots/$name.svg"; done
    return 1
}

# draw NAME SCRIPT TITLE SETTING...: runs common/plots/SCRIPT.gnuplot on $scratch/NAME.data, with what $scratch/NAME.gnuplot
# and the settings say.
draw() {
    local name=$1 script=$2 title=$3
    shift 3
    [[ -e $scratch/$name.gnuplot ]] || : >"$scratch/$name.gnuplot"
    {
        printf '%s = "%s"\n' data "$scratch/$name.data" picture "$scratch/$name.svg" heading "$title"
        [[ $# == 0 ]] || printf '%s\n' "$@"
        printf 'load "%s"\n' "$scratch/$name.gnuplot" "$top/common/plots/common.gnuplot"
        printf 'set datafile separator "\\t"\n'
        printf 'load "%s"\n' "$top/common/plots/$script.gnuplot"
    } >"$scratch/$name.run"
    gnuplot "$scratch/$name.run" 2>"$scratch/$name.log" || die "gnuplot cannot draw $name: $(grep -m 1 "line " "$scratch/$name.log")"
    # Black becomes the colour of text, for light and for dark; the identifiers get the picture's name, so that several
    # pictures can be in one page.
    sed -E \
        -e "s/(['\"])(black|rgb\( *0, *0, *0\))(['\"])/\1currentColor\3/g" \
        -e "s/(['\"#])(gp(Dot|Pt[0-9]+)|textbox|greybox|gnuplot_[a-z0-9_]+)(['\"])/\1$name-\2\4/g" \
        -e "s|<title>Gnuplot</title>|<title>$title</title>\n<style>.ladder-plot { color: #1f2328 } @media (prefers-color-scheme: dark) { .ladder-plot { color: #e6edf3 } }</style>|" \
        -e '/^<desc>/d' -e 's/^<svg *$/<svg class="ladder-plot"/' "$scratch/$name.svg" >"$plots/$name.svg"
    drawn+=("$name")
}

# --- The ladder: distributions and bars. ---
if measured table.json table cdf ladder; then
    mapfile -t measured_stages < <(jq -r '.rows[].stage' "$results/table.json")
    for name in "${measured_stages[@]}"; do
        mapfile -t folders < <(compgen -G "$results/rounds/round-*/$name")
        ((${#folders[@]} > 0)) || die "build/results/rounds has no samples of $name: run make table again"
        "$top/scripts/build-programs.sh" ladder-cdf >&2
        "$build/programs/ladder-cdf" "${folders[@]}" | tr ' ' '\t'
        printf '\n\n'
    done >"$scratch/cdf.data"
    jq -r '.rows[] | (.reference | if . then "\(.p50)\t0.5\n\(.p99)\t0.99\n\(.p999)\t0.999" else "NaN\t0.5" end), "", ""' \
        "$results/table.json" >>"$scratch/cdf.data"
    jq -r '"stages = \(.rows | length)", "array name[\(.rows | length)] = [\([.rows[].stage | @json] | join(", "))]"' \
        "$results/table.json" >"$scratch/cdf.gnuplot"
    draw cdf cdf 'The distribution of the latency, stage by stage' 'height = 560'

    jq -r '(.rows[] | . as $row | ([("p50", "p99", "p999") as $p |
            $row[$p], ($row[$p + "_ci"][0] // $row[$p]), ($row[$p + "_ci"][1] // $row.max), ($row.reference[$p]? // "NaN")])
            | @tsv), "", "", (.rows[-1].floor_p50)' "$results/table.json" >"$scratch/ladder.data"
    sed 's/^stages /rows /' "$scratch/cdf.gnuplot" >"$scratch/ladder.gnuplot"
    draw ladder ladder 'The ladder: P50, P99 and P99.9 of each stage'
fi

# --- Where the cycles go. ---
if measured budget.json budget budget; then
    jq -r '.rows | to_entries[] | .key as $row | .value | .whole.mean as $whole |
        (foreach ((.before // [])[] | .mean) as $mean ({to: 0}; .from = .to - $mean | .to = .from; [.from, .from + $mean])),
        (foreach (.hops[] | .mean) as $mean ({to: 0}; .from = .to | .to += $mean; [.from, .to]))
        | [.[0] * 100 / $whole, .[1] * 100 / $whole, $row] | @tsv' "$results/budget.json" >"$scratch/budget.data"
    jq -r '[.rows[] | .name as $row | .whole.mean as $whole | ((.before // []) + .hops)[] |
            "\($row | sub("-.*"; "")): \(.name), \(.mean | round) (\(.mean * 100 / $whole | round) %)"] as $hops |
        "rows = \(.rows | length)", "hops = \($hops | length)",
        "array row[rows] = [\([.rows[] | "\(.name)\n\(.whole.mean | round) cycles" | @json] | join(", "))]",
        "array hop[hops] = [\([$hops[] | @json] | join(", "))]"' "$results/budget.json" >"$scratch/budget.gnuplot"
    draw budget budget 'Where the cycles go, hop by hop' 'height = 420'
fi

# --- Which change bought what; other doors. ---
# rows_of NAME FIGURES LABEL: the rows on the standard input become NAME.rows and what rows.gnuplot needs. FIGURES is jq's
# way from a row to an object with p50, p99, p50_ci and p99_ci.
rows_of() {
    jq "[.[] | {label: ($3), effect: (.effect // {}), figure: ($2)} | select(.figure.p50 != null and .figure.p99 != null)]" >"$scratch/$1.rows"
    jq -r '(("p50", "p99") as $p | (.[] | [.figure[$p], (.figure[$p + "_ci"] | .[0], .[1]),
            (if .effect[$p] == true then 1 else 0 end)] | @tsv), "", "")' "$scratch/$1.rows" >"$scratch/$1.data"
    jq -r '"rows = \(length)", "array label[rows] = [\([.[].label | @json] | join(", "))]"' \
        "$scratch/$1.rows" >"$scratch/$1.gnuplot"
}
# height_of NAME: of a picture with so many rows.
height_of() { jq '180 + 34 * length' "$scratch/$1.rows"; }
if measured ablation.json ablation ablation-best ablation-naive; then
    for from in $(jq -r '.from | keys[]' "$results/ablation.json"); do
        [[ $from =~ ^[a-z]+$ ]] || die "build/results/ablation.json is damaged: run make ablation again"
        jq --arg from "$from" '.from[$from]' "$results/ablation.json" |
            rows_of "ablation-$from" .ratio '"\(.switch): \(.change)"'
        draw "ablation-$from" rows "One change alone, from the $from configuration" "height = $(height_of "ablation-$from")" \
            "label_of_x = \"latency, as a ratio to the $from configuration's\"" 'format_of_x = "%gx"' 'baseline = 1' 'greys = 1'
    done
fi
if measured alternatives.json alternatives alternatives; then
    # Here the figures stand beside each other, not their ratios: nothing is grey.
    jq '[.rows[] | .effect = {p50: true, p99: true}]' "$results/alternatives.json" | rows_of alternatives . .name
    draw alternatives rows 'The same messages through every door' "height = $(height_of alternatives)" \
        'label_of_x = "latency in TSC cycles"' 'format_of_x = "%.0s%c"' 'baseline = 0' 'greys = 0'
fi

# --- When it pours. ---
if measured throughput.json throughput throughput; then
    jq -r '[.rows[].door] as $all | (reduce $all[] as $door ([]; if index([$door]) then . else . + [$door] end)) as $doors |
        ($doors[] as $door | (.rows[] | select(.door == $door) | [.burst, .arrived_per_second,
            ((.arrived_per_second_ci // [.arrived_per_second, .arrived_per_second])[]), .lost_share] | @tsv), "", "")' \
        "$results/throughput.json" >"$scratch/throughput.data"
    jq -r 'reduce .rows[].door as $door ([]; if index([$door]) then . else . + [$door] end) |
        "doors = \(length)", "array door[doors] = [\([.[] | @json] | join(", "))]"' \
        "$results/throughput.json" >"$scratch/throughput.gnuplot"
    draw throughput throughput 'Throughput against the size of the bursts' 'height = 720'
fi

((${#drawn[@]} > 0)) || die 'nothing to draw: build/results has no result; run make table first'
say "drawn: $(printf 'build/plots/%s.svg ' "${drawn[@]}")"
