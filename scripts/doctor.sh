#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make doctor`: each tool, the version found, the version needed; KVM tried for real; the one command that mends.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
wrong=0
printf '%-32s %-14s %-8s %s\n' what found needed for
while read -r what least package group reason; do
    [[ $what != '#'* && -n $what ]] || continue
    found=missing
    if [[ $what == /* ]]; then
        [[ ! -e $what ]] || found=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || echo present)
    elif path=$(PATH=$PATH:/usr/sbin:/sbin type -P "$what"); then
        found=$({ "$path" --version 2>/dev/null || true; } | grep -om 1 -E '[0-9]+(\.[0-9]+)+' | head -n 1 || true)
        found=${found:-present}
    fi
    state=ok
    if [[ $found == missing ]]; then state=MISSING
    elif [[ $least != - && $(printf '%s\n' "$least" "$found" | sort -V | head -n 1) != "$least" ]]; then state='TOO OLD'; fi
    # What only lint, the book, the plots and the bench need is no fault of a machine that climbs the ladder.
    [[ $state == ok || $group =~ ^(lint|book|plots|bench)$ ]] || wrong=1
    [[ $state == ok ]] || found="$state"
    printf '%-32s %-14s %-8s %s (%s)\n' "${what##*/}" "${found:0:14}" "$least" "$reason" "$group"
done <"$top/scripts/packages"

free_mib=$(($(df -Pk "$top" | awk 'NR == 2 { print $4 }') / 1024))
memory_mib=$(($(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo) / 1024))
printf '%-32s %-14s %-8s %s\n' 'disk here (MiB)' "$free_mib" 2500 'source 1,500, build 600'
printf '%-32s %-14s %-8s %s\n' 'memory free (MiB)' "$memory_mib" 1500 'the guest has 1,024'
printf '%-32s %-14s %-8s %s\n' 'host CPUs' "$(nproc)" 2 'one for the polling guest CPU'
((free_mib >= 1000 && memory_mib >= 1200)) || wrong=1

image=$(find "$build" -path '*/stage?/bzImage' 2>/dev/null | head -n 1)
if [[ ! -e /dev/kvm ]]; then
    say 'KVM: this host has no /dev/kvm; everything runs in software emulation (TCG)'
elif [[ -z $image || ! -f $build/clients.cpio ]]; then
    say 'KVM: /dev/kvm is there; whether it boots a kernel is tried once one is built (make stage0-run)'
else
    rm -f "$build/kvm-verdict"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    echo true >"$scratch/command"
    "$top/scripts/boot.sh" --kernel "${image%/bzImage}" --initramfs "$build/clients.cpio" \
        --command "$scratch/command" --output "$scratch/out" | sed -n 's/^accelerator: /KVM, tried for real: /p'
fi
if [[ $wrong != 0 ]]; then
    say
    say 'what mends it: ./scripts/setup.sh (all: also for lint, book and plots)'
    exit 1
fi
