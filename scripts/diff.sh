#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What changes from one stage to another: the kernel files and the client, coloured on a terminal.
#
#   diff.sh FROM TO       FROM -1 is the stock kernel
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
from=${1-} to=${2-}
[[ $from =~ ^(-1|[0-3])$ && $to =~ ^[0-3]$ && $from -lt $to ]] ||
    die "from stage '$from' to stage '$to': say make diff FROM=0 TO=3, FROM before TO" 2
need git

scratch=$(mktemp -d "${TMPDIR:-/tmp}/latency-ladder.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export GIT_CEILING_DIRECTORIES=${scratch%/*}
# The patches alone are enough: of the stock files they have what they touch. One stage is its own delta;
# over several, what a patch wrote is patched by the next, so apply them to what the patches hold.
if ((to - from == 1)); then
    sed -n '/^diff --git/,$p' "$top/${stages[to]}/kernel.patch" >"$scratch/kernel"
else
    stock=$("$top/scripts/get-kernel.sh")
    mapfile -t files < <(cat "$top"/stage?-*/kernel.patch | git apply --numstat | cut -f3 | sort -u)
    for side in "$from" "$to"; do
        tree=$scratch/stage$side
        mkdir -p "$tree"
        (cd "$stock" && cp --parents "${files[@]}" "$tree" 2>/dev/null) || true # new files are not in the stock
        for n in $(seq 0 "$side"); do
            (cd "$tree" && git apply "$top/${stages[n]}/kernel.patch") || die "${stages[n]}/kernel.patch does not apply"
        done
    done
    (cd "$scratch" && git diff --no-index --no-prefix "stage$from" "stage$to") >"$scratch/kernel" || true
fi
# The client: against the other stage's, or, for the first, against nothing.
before=/dev/null
[[ $from == -1 ]] || before=${stages[from]}/client.cpp
(cd "$top" && git diff --no-index "$before" "${stages[to]}/client.cpp") >"$scratch/client" || true

cat "$scratch/kernel" "$scratch/client" >"$scratch/all"
if [[ -t 1 ]]; then
    # git's own colours and pager, without its repository.
    esc=$'\033'
    sed -E "s/^(diff|index|---|\+\+\+) .*/${esc}[1m&${esc}[m/; s/^@@.*/${esc}[36m&${esc}[m/; s/^\+.*/${esc}[32m&${esc}[m/; s/^-.*/${esc}[31m&${esc}[m/" \
        "$scratch/all" | if [[ -n ${PAGER-} || -n $(type -P less) ]]; then LESS=RFX ${PAGER:-less}; else cat; fi
else
    cat "$scratch/all"
fi
