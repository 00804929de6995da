#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the tests of the kernel that only measures (stage 3 and common/measure/instruments.patch) in the guest, after
# those of stage 3: the instruments must not change what the ladder does.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
programs=(stage1-tests stage2-tests stage3-tests measure-tests)
"$top/scripts/build-programs.sh" "${programs[@]}"
"$top/scripts/build-kernel.sh" instruments
"$top/scripts/initramfs.sh" "$build/tests-measure.cpio" "${programs[@]/#/$build/programs/}"
output=$build/tests/measure
rm -rf "$output" && mkdir -p "$output"
for program in "${programs[@]}"; do
    printf '%s --gtest_brief=1 --gtest_output=json:/results/%s.json\n' "$program" "$program"
done >"$output/command"
echo 'true' >>"$output/command" # what they say is in their reports
status=0 deadline=300
[[ -z ${SANITIZE-} ]] || deadline=1200
"$top/scripts/boot.sh" --kernel "$(boots_from instruments)" --initramfs "$build/tests-measure.cpio" \
    --command "$output/command" --output "$output" --deadline "$deadline" || status=$?
if [[ $status != 0 ]]; then
    say '0 passed, 1 failed, 0 skipped'
    exit "$status"
fi
reports=("${programs[@]/#/$output/}")
counts=$("$top/scripts/count-tests.sh" "${reports[@]/%/.json}") || status=$?
read -r passed failed skipped <<<"$counts"
record "tests-measure${SANITIZE:+-$SANITIZE}" "tests in the guest, instruments and stages 1 to 3, on $variant" \
    "$passed passed, $failed failed, $skipped skipped, no report in the kernel's log" 'make test'
say "instruments on Linux $kernel: $passed passed, $failed failed, $skipped skipped"
exit "$status"
