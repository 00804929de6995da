#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make ablation`: which change bought what. From the best configuration (stage 3 as the ladder runs it), and again from
# the naive one (every choice taken back), each choice is changed alone.
#
# What the client or the kernel's producer chooses is compared within one boot, in ROUNDS interleaved rounds; what the
# boot or the host chooses, over BOOTS alternating pairs of boots. SWITCHES="wait isolcpus" measures only these. Writes
# build/results/ablation.json and ablation.md, and the raw results beside them.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$top/scripts/measuring.sh"
need jq
rounds=${ROUNDS:-10} samples=${SAMPLES:-500} warmup=${WARMUP:-0} period_us=${PERIOD_US:-1000} boots=${BOOTS:-5}
check_number ROUNDS "$rounds" 1 1000
check_number SAMPLES "$samples" 100 10000000
check_number WARMUP "$warmup" 0 10000000
check_number PERIOD_US "$period_us" 50 10000000
check_number BOOTS "$boots" 1 1000
for name in PREEMPT PIN; do
    [[ -z ${!name-} ]] || die "$name is one of the switches here: leave it out" 2
done

# The starting points, as far as the boot and the host choose, and what a switch makes of a choice.
declare -A start=(
    [best.isolcpus]=with [best.nohz_full]=with [best.clocksource]=tsc [best.mitigations]=on [best.idle]=halt
    [best.preemption]=none [best.threads]=pinned
    [naive.isolcpus]=without [naive.nohz_full]=without [naive.clocksource]=hpet [naive.mitigations]=on [naive.idle]=halt
    [naive.preemption]=full [naive.threads]=unpinned)
declare -A other=([with]=without [without]=with [tsc]=hpet [hpet]=tsc [on]=off [halt]=poll
    [none]=full [full]=none [pinned]=unpinned [unpinned]=pinned)
# Where the result says that a switch took effect.
declare -A shown_in=([isolcpus]=cmdline [nohz_full]=cmdline [clocksource]=clocksource [mitigations]=cmdline
    [idle]=cmdline [preemption]=preempt [threads]=pinned)
in_boot=() by_boot=()
all_in_boot=(wait pause fence look layout tail consumer simulator interrupt)
all_by_boot=(isolcpus nohz_full clocksource mitigations idle preemption threads)
read -ra wanted <<<"${SWITCHES:-${all_in_boot[*]} ${all_by_boot[*]}}"
for name in "${wanted[@]}"; do
    if [[ " ${all_in_boot[*]} " == *" $name "* ]]; then in_boot+=("$name")
    elif [[ " ${all_by_boot[*]} " == *" $name "* ]]; then by_boot+=("$name")
    else die "SWITCHES: '$name' is none of: ${all_in_boot[*]} ${all_by_boot[*]}" 2; fi
done
((${#in_boot[@]} + ${#by_boot[@]} > 0)) || die 'SWITCHES names no switch' 2

"$top/scripts/build-programs.sh" ablation ladder-ablation
"$top/scripts/build-kernel.sh" ablation
PREEMPT=full "$top/scripts/build-kernel.sh" ablation
declare -A kernels=([none]=$kernel_build/ablation [full]=$kernel_build-preempt/ablation)

# series_ms N: milliseconds that N series take, with the floor after each.
series_ms() { printf '%s\n' $(($1 * 2 * (samples + warmup) * period_us / 1000)); }
within_ms=0 boot_ms=$((4000 + $(series_ms 1) * 3 / 2))
((${#in_boot[@]} == 0)) || within_ms=$((4000 + $(series_ms $(((${#in_boot[@]} + 1) * rounds)))))
total_ms=$((2 * within_ms + 2 * 2 * boots * ${#by_boot[@]} * boot_ms))
count_boots=$((4 * boots * ${#by_boot[@]} + (${#in_boot[@]} > 0 ? 2 : 0)))
say "measuring ${#in_boot[@]} switches within a boot, ${#by_boot[@]} by boot, from 2 configurations: $count_boots boots, about $((total_ms / 60000 + 1)) minutes"

folder=$(mktemp -d "$build/ablation.XXXXXX")
# What was measured before an error or Ctrl-C is kept: it costs minutes.
keep() {
    stop_following
    [[ -d $folder ]] || return 0
    if [[ -s $folder/log ]]; then grep -v '^  round ' "$folder/log" | tail -n 3 >&2; fi
    if compgen -G "$folder/*/*" >/dev/null; then
        put_to_failed "$folder" ablation
        say "not finished; what was measured is in build/failed/ablation" >&2
    else
        rm -rf "$folder"
    fi
}
trap keep EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
chmod 755 "$folder"

# measure OUTPUT FROM NAME SWITCHES ROUNDS [CHANGED]: one boot of the configuration FROM, with one choice of the boot or
# the host changed.
measure() {
    local output=$1 from=$2 name=$3 switches=$4 rounds=$5 changed=${6-} choice value words=()
    local kernel_folder
    boot_options=()
    unset PIN
    for choice in "${all_by_boot[@]}"; do
        value=${start[$from.$choice]}
        [[ $choice != "$changed" ]] || value=${other[$value]}
        case $choice=$value in
        *=without) boot_options+=(--without "$choice") ;;
        clocksource=hpet | mitigations=off | idle=poll) words+=("$choice=$value") ;;
        preemption=*) kernel_folder=${kernels[$value]} ;;
        threads=unpinned) export PIN=0 ;;
        esac
    done
    boot_options+=(--append "${words[*]}")
    measure_in_guest ablation "$kernel_folder" ablation $((60 + 10 * ($(series_ms 12) * rounds / 1000 + 1))) \
        "$from" "'$name'" "$switches" --samples "$samples" --warmup "$warmup" --period-us "$period_us" --rounds "$rounds"
    mkdir -p "$(dirname "$output")"
    mv "$measured" "$output"
}

begun=$SECONDS
for from in best naive; do
    [[ ${#in_boot[@]} -gt 0 ]] || continue
    say "from the $from configuration, in one boot"
    measure "$folder/$from/in-one-boot" "$from" "$from" "$(IFS=, && printf '%s' "${in_boot[*]}")" "$rounds"
done

# pair_shows SWITCH FOLDER: whether the first two boots differ in what the switch is there for.
pair_shows() {
    local key=${shown_in[$1]} folder both
    mapfile -t both < <(for folder in "$2"/{001,002}; do
        jq -cs --arg key "$key" '.[0].environment + .[1] | .[$key]' "$folder/result.json" "$folder/host.json"
    done)
    [[ ${both[0]} != "${both[1]}" ]]
}
total=$((4 * boots * ${#by_boot[@]})) done_boots=0 begun=$SECONDS
for from in best naive; do
    for index in "${!by_boot[@]}"; do
        name=${by_boot[index]}
        value=${start[$from.$name]}
        change="$name: $value to ${other[$value]}"
        series=$folder/$from/by-boot/$(printf '%02d-%s' "$index" "$name")
        for boot in $(seq $((2 * boots))); do
            output=$series/$(printf '%03d' "$boot")
            if ((boot % 2 == 1)); then measure "$output" "$from" "$from" none 1 >"$folder/log" 2>&1
            else measure "$output" "$from" "$change" none 1 "$name" >"$folder/log" 2>&1; fi
            done_boots=$((done_boots + 1))
            left=$(((SECONDS - begun) * (total - done_boots) / done_boots))
            say "  from $from, ${change/: /, }, boot $boot of $((2 * boots)): $(jq -r '.rounds[0][] |
                "P50 \(.series.p50), floor \(.floor_before.p50) cycles"' "$output/result.json"); about $((left / 60)):$(printf '%02d' $((left % 60))) left"
            if [[ $boot == 2 ]] && ! pair_shows "$name" "$series"; then
                say "  $change: has no effect on ${shown_in[$name]} here: left out"
                rm -rf "$series"
                total=$((total - 2 * boots + 2))
                break
            fi
        done
    done
done
rm -f "$folder/log"

say
"$build/programs/ladder-ablation" "$folder" --json "$folder/ablation.json" >"$folder/ablation.md"
cat "$folder/ablation.md"
results=$build/results
rm -rf "$results/ablation"
mv "$folder/ablation.json" "$folder/ablation.md" "$results/"
mv "$folder" "$results/ablation"
say "written: build/results/ablation.json, ablation.md, and the raw results in build/results/ablation"
