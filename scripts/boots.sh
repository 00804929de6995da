#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make boots`: boots the kernel of stage 3 BOOTS times in a row (100): each has to come to its end.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
boots=${BOOTS:-100}
check_number BOOTS "$boots" 1 100000
"$top/scripts/build-programs.sh" hft_ctl
"$top/scripts/build-kernel.sh" 3
"$top/scripts/initramfs.sh" "$build/boots.cpio" "$build/programs/hft_ctl"
output=$build/boots
rm -rf "$output" && mkdir -p "$output"
echo 'hft_ctl 555 && hft_ctl 123 && hft_ctl 321' >"$output/command"
passed=0 failed=0 longest=0
for boot in $(seq "$boots"); do
    begun=$SECONDS status=0
    "$top/scripts/boot.sh" --kernel "$kernel_build/stage3" --initramfs "$build/boots.cpio" --command "$output/command" \
        --output "$output/$boot" --deadline 60 >"$output/log" 2>&1 || status=$?
    took=$((SECONDS - begun))
    ((took <= longest)) || longest=$took
    if [[ $status == 0 ]]; then
        passed=$((passed + 1))
        rm -rf "${output:?}/$boot"
    else
        failed=$((failed + 1))
        say "  boot $boot: $(tail -n 1 "$output/log")"
    fi
    ((boot % 10 != 0)) || say "  $boot of $boots boots, $failed failed"
done
record boots 'boots in a row' "$passed of $boots came to their end, the longest in $longest s" "make boots BOOTS=$boots"
say "$passed passed, $failed failed, 0 skipped"
[[ $failed == 0 ]]
