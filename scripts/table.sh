#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The results table: the stages in turn, ROUNDS times, each in a boot of its own with the floor measured before
# and after it. A series during which the floor moved is kept, counted, and measured again, at most ROUNDS times
# in all. Writes build/results/table.json and table.md, and the raw samples beside them.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
rounds=${ROUNDS:-5}
check_number ROUNDS "$rounds" 1 1000

"$top/scripts/build-programs.sh" "${stages[@]}" hft_ctl ladder-table
for n in 0 1 2 3; do "$top/scripts/build-kernel.sh" "$n"; done

folder=$(mktemp -d "$build/table.XXXXXX")
# What was measured before an error or Ctrl-C is kept: its samples cost minutes.
keep() {
    [[ -d $folder ]] || return 0
    if compgen -G "$folder/round-*" >/dev/null; then
        put_to_failed "$folder" table
        say "not finished; what was measured is in build/failed/table" >&2
    else
        rm -rf "$folder"
    fi
}
trap keep EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
chmod 755 "$folder"
total=$((4 * rounds)) done_series=0 again=$rounds begun=$SECONDS
say "measuring $rounds rounds of 4 stages"
for round in $(seq 1 "$rounds"); do
    for n in 0 1 2 3; do
        name=${stages[n]}
        series=$folder/$(printf 'round-%03d' "$round")/$name
        while :; do
            "$top/scripts/run-stage.sh" "$n" "$series" >"$folder/log" || exit $?
            if floor_held "$series"; then break; fi
            if ((again == 0)); then
                say "  $name: the floor moved again; out of repetitions, this series stays"
                break
            fi
            again=$((again - 1))
            mkdir -p "$folder/rejected"
            mv "$series" "$folder/rejected/$(printf '%03d' "$again")-$name"
            say "  $name: the floor moved during the series: rejected, once more"
        done
        done_series=$((done_series + 1))
        left=$(((SECONDS - begun) * (total - done_series) / done_series))
        say "  round $round of $rounds, $name: P50 $(jq .series.p50 "$series/result.json"), floor $(jq .floor_before.p50 "$series/result.json") cycles; about $((left / 60)):$(printf '%02d' $((left % 60))) left"
    done
done
sed -n '/^accelerator:/p; /^pinned:/p; /^NOT PINNED/p' "$folder/log"
rm "$folder/log"

say
"$build/programs/ladder-table" "$folder" --reference "$top/book/results/original.csv" \
    --json "$folder/table.json" >"$folder/table.md"
cat "$folder/table.md"
results=$build/results
mkdir -p "$results"
rm -rf "$results/rounds"
mv "$folder/table.json" "$folder/table.md" "$results/"
mv "$folder" "$results/rounds"
say
jq -r 'def x: (if . < 10 then . * 100 | round / 100 else . * 10 | round / 10 end | tostring) + "x";
    "Found: stage 1 takes " + (.ratios.p50 | x) + " the cycles of stage 3 at P50, " + (.ratios.p99 | x) + " at P99 and " +
    (.ratios.p999 | x) + " at P99.9 (the original: " + ([.ratios.reference[] | x] | join(", ")) + "), and stage 3 " +
    (.rows[3].floor_ratio.p50 | x) + " those of the floor at P50."' "$results/table.json"
say "written: build/results/table.json, table.md, and the raw samples in build/results/rounds"
