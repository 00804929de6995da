#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make model`: spin searches all that the models in stage3-spsc/model can do, as they are and with one mistake at a
# time. What is right must be searched to the end without a finding, each mistake must have the counter-example that
# belongs to it. build/results/model.json has the results, build/model/NAME/counter-example.txt what went wrong.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need spin gcc jq
lock "$build/model.lock" 'the models'

models=$top/stage3-spsc/model
results=$build/results/model.json
passed=0 failed=0 objects=()

# What pan, the search that spin writes, says of each finding.
declare -A says=(
    [nothing]='errors: 0'
    [torn]='assertion violated .*loaded\['       # a message that is not whole, or not newer than the last one
    [overwritten]='assertion violated .*number' # a slot that is written before it was read
    [wild]='assertion violated .*tail_seen'      # a tail believed that cannot be
    [denied]='assertion violated .*\((tail|last)<' # what the false claim denies
    [asleep]='invalid end state'                 # nobody is left to wake the sleeper
)

# search MODEL EXPECTED NAME [FLAG...]: builds one search, runs it, and judges what it found. A mistake is the
# first flag.
search() {
    local model=$1 expected=$2 name=$3
    shift 3
    local folder log how=(-O2) found states seconds steps mistake=
    folder=$build/model/$(tr -cs 'a-z0-9_' '-' <<<"${name,,}" | sed 's/-*$//')
    rm -rf "$folder"
    mkdir -p "$folder"
    cp "$models/$model.pml" "$folder"
    log=$folder/pan.log
    # Depth first for a whole search. Breadth first, the shortest counter-example comes first, and soon.
    [[ $expected == nothing ]] || how=(-DBFS -O0) mistake=${1#-D}
    (cd "$folder" && spin -a "$@" "$model.pml" && gcc -w -DSAFETY -DMEMLIM=1900 "${how[@]}" -o pan pan.c) \
        >"$folder/build.log" 2>&1 || die "$model.pml does not build: $(head -n 1 "$folder/build.log")"
    (cd "$folder" && ./pan -n -m100000) >"$log" 2>&1 || true # its status does not tell a finding from none

    states=$(grep -oP '^ *\K[0-9.e+]+(?= states, stored)' "$log" || echo 0)
    seconds=$(grep -oP 'elapsed time \K[0-9.e+-]+' "$log" || echo 0)
    steps=$(grep -oP '\(at depth \K[0-9]+' "$log" | head -n 1 || true)
    if grep -qE 'max search depth too small|out of memory|MEMLIM' "$log"; then
        found='not all was searched'
    elif grep -q 'errors: 0' "$log"; then
        found=nothing
        ! grep -q 'Search not completed' "$log" || found='not all was searched'
    else
        found=$(head -n 1 < <(grep -oP '^pan:1: \K.*(?= \(at depth)' "$log") || true)
        found=${found:-the search broke off}
        # What happened, in words; the values of all variables follow it and are left out.
        {
            (cd "$folder" && spin -T -t "$@" "$model.pml" | sed '/^spin: trail ends/,$d') || true
            say "pan: $found"
            say "Each step: cd ${folder#"$top"/} && spin -p -t${*:+ $*} $model.pml"
        } >"$folder/counter-example.txt" 2>&1
    fi
    objects+=("$(jq -n --arg name "$name" --arg mistake "$mistake" --arg expected "$expected" --arg found "$found" \
        --argjson states "$states" --argjson seconds "$seconds" \
        '{name: $name, mistake: (if $mistake == "" then null else $mistake end), expected: $expected, found: $found,
          states: $states, seconds: $seconds}')")

    local verdict=ok text
    if [[ $found == nothing ]]; then text="nothing found in $states states"
    elif [[ -n $steps ]]; then text="counter-example of $steps steps found in $states states"
    else text=$found; fi
    if grep -qE "${says[$expected]}" "$log" && [[ $found != 'not all was searched' ]]; then
        passed=$((passed + 1))
        [[ $expected == nothing ]] || text+=', as it must'
    else
        failed=$((failed + 1)) verdict=FAILED
        text+=", expected: $expected"
        [[ -z $steps ]] || text+=", found: $found"
    fi
    printf '%-6s %-58s %s, %.1f s\n' "$verdict" "$name" "$text" "$seconds"
    [[ -z $steps ]] || printf '%-6s   told, and how to replay it, in %s\n' '' "${folder#"$top"/}/counter-example.txt"
}

search ring nothing     'ring, waits for the slot'
search ring nothing     'ring, waits for the head'                -DWAIT_FOR_HEAD
search ring nothing     'ring of 4, waits for the slot'           -DSLOTS=4 -DMESSAGES=9
search ring nothing     'ring of 4, waits for the head'           -DSLOTS=4 -DMESSAGES=9 -DWAIT_FOR_HEAD
search ring nothing     'ring, a wild tail, waits for the slot'   -DWILD_TAIL -DMESSAGES=5
search ring nothing     'ring, a wild tail, waits for the head'   -DWILD_TAIL -DMESSAGES=5 -DWAIT_FOR_HEAD
search ring torn        'no smp_wmb()'                            -DNO_WMB
search ring torn        'head stored without release'             -DNO_HEAD_RELEASE -DWAIT_FOR_HEAD
search ring torn        'head published before the slot'          -DHEAD_BEFORE_SLOT -DWAIT_FOR_HEAD
search ring torn        'sequence loaded without acquire'         -DNO_ACQUIRE
search ring torn        'head loaded without acquire'             -DNO_ACQUIRE -DWAIT_FOR_HEAD
search ring overwritten 'full ring off by one'                    -DFULL_OFF_BY_ONE
search ring overwritten 'tail stored without release'             -DNO_TAIL_RELEASE
search ring overwritten 'tail stored without release, head'       -DNO_TAIL_RELEASE -DWAIT_FOR_HEAD
search ring overwritten 'tail published too early'                -DTAIL_TOO_EARLY
search ring overwritten 'tail published too early, head'          -DTAIL_TOO_EARLY -DWAIT_FOR_HEAD
search ring wild        'wild tail believed'                      -DTAIL_BELIEVED -DWILD_TAIL
search ring denied      'claim: never are all messages taken'     -DDENY_ALL_TAKEN
search ring denied      'claim: never is one taken after a drop'  -DDENY_TAKEN_AFTER_DROP
search wait nothing     'wait queue of stage 1'
search wait asleep      'queue checked before prepare_to_wait()'  -DCHECK_BEFORE_PREPARE

mkdir -p "${results%/*}"
printf '%s\n' "${objects[@]}" | jq -s . >"$results"
record model 'model of the ring' "$passed of $((passed + failed)) checks as they must be; the largest search has $(
    jq 'map(.states) | max' "$results") states" 'make model'
say "$passed passed, $failed failed, 0 skipped"
[[ $failed == 0 ]]
