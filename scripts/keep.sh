#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make keep`: puts what was measured last into the book and the README: the tables and pictures into book/results, their
# raw data beside them in one archive, and the results table between the two marks in README.md.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need jq xz
results=$build/results kept=$top/book/results readme=$top/README.md
names=(table budget ablation alternatives throughput bench)
most_kib=1500 # of raw data, compressed: the tree stays small

[[ -f $results/table.json ]] || die 'build/results/table.json is not there: run make table'
grep -qx '<!-- table -->' "$readme" && grep -qx '<!-- end of table -->' "$readme" ||
    die "README.md has lost its marks '<!-- table -->' and '<!-- end of table -->'"
for name in "${names[@]}"; do check_result "$name"; done
"$top/scripts/plots.sh" >/dev/null

# Raw data: each series' samples and where they come from. The same files are the same archive.
raw=$kept/raw.tar.xz
trap 'rm -f "$raw.new" "$readme.new"' EXIT
folders=()
for folder in results/rounds results/ablation budget alternatives throughput; do
    [[ ! -d $build/$folder ]] || folders+=("$folder")
done
(cd "$build" && find "${folders[@]}" -type f \( -name samples.csv -o -name histogram.csv -o -name '*.json' \) -print0 |
    LC_ALL=C sort -z |
    tar --null -T - --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=644 -c | xz -9e) >"$raw.new"
kib=$(($(stat -c %s "$raw.new") / 1024))
((kib <= most_kib)) || die "the raw data has $kib KiB, compressed; more than $most_kib do not belong into the tree: measure with fewer SAMPLES"

table=$(jq -r '
    def grouped: tostring | explode | reverse | [range(0; length; 3) as $i | .[$i:$i + 3] | reverse | implode] | reverse | join(",");
    def cells($of): [$of.p50, $of.p99, $of.p999] | map(if . == null then "" else grouped end) | join(" | ");
    def times: (. * 10 | round / 10 | tostring) + "x";
    "| | P50 | P99 | P99.9 | original P50 | P99 | P99.9 | lost |",
    "|---|--:|--:|--:|--:|--:|--:|--:|",
    (.rows[] | "| [\(.stage)](\(.stage)) | \(cells(.)) | \(cells(.reference // {})) | \(.lost) |"),
    "| stage 1 / stage 3, of each round | \([.ratios as $all | "p50", "p99", "p999" | "\($all[.] | times) [\($all[. + "_ci"] | map(times) | join(", "))]"] | join(" | ")) | \([.ratios.reference[]] | map(times) | join(" | ")) | |",
    (.rows[-1] | "| the floor | \(.floor_p50 | grouped) | \(.floor_p99 | grouped) | | | | | |"),
    "",
    (.environment | "Linux \(.kernel) in QEMU \(.qemu) (\(.accel)), \(.host_cpu), threads \(if .pinned then "" else "not " end)pinned, commit \(.commit[0:12])\(if .dirty then " with changes" else "" end), \(.time[0:10])."),
    "Ratios are medians of the rounds'"'"' own [smallest, largest]: stage 3 to its floor is \(.rows[-1].floor_ratio.p50) at P50 and \(.rows[-1].floor_ratio.p99) at P99.",
    "[The whole table](book/results/table.md) has intervals, counts and provenance."
    ' "$results/table.json") || die 'build/results/table.json is damaged: run make table again'
awk -v table="$table" '
    $0 == "<!-- table -->" { print; print table; inside = 1; next }
    $0 == "<!-- end of table -->" { inside = 0 }
    !inside' "$readme" >"$readme.new"

# Nothing was touched yet; from here on nothing can be wrong with what was measured.
for name in "${names[@]}"; do
    [[ -f $results/$name.json ]] || { say "not measured, stays as it is: $name (make $name)" && continue; }
    cp "$results/$name.json" "$kept/$name.json"
    [[ ! -f $results/$name.md ]] || cp "$results/$name.md" "$kept/$name.md"
done
# Each picture is of a result that is there: plots.sh takes the others away.
cp "$build"/plots/*.svg "$kept/"
mv "$raw.new" "$raw"
mv "$readme.new" "$readme"
say "written: book/results (raw data: $kib KiB) and the table in README.md"
