#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the tests of a kernel that only measures (stage 3 and common/measure/NAME.patch) in the guest, after those of the
# stages: what measures must not change what the ladder does.
#
#   test-measure.sh [NAME]      instruments (default) or ablation
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
name=${1:-instruments}
declare -A own=([instruments]=measure-tests [ablation]=ablation-tests)
# A test that the kernel cannot pass: for ablation, struct hft_start has grown by the member that is too much for stage 1.
declare -A except=([ablation]=Start.OfALargerStructWithAnUnknownMemberIsTooBig)
[[ -n ${own[$name]-} ]] || die "kernel '$name' is not instruments or ablation" 2
programs=(stage1-tests stage2-tests stage3-tests "${own[$name]}")
"$top/scripts/build-programs.sh" "${programs[@]}"
"$top/scripts/build-kernel.sh" "$name"
"$top/scripts/initramfs.sh" "$build/tests-$name.cpio" "${programs[@]/#/$build/programs/}"
output=$build/tests/$name
rm -rf "$output" && mkdir -p "$output"
for program in "${programs[@]}"; do
    printf '%s --gtest_brief=1 --gtest_filter=-%s --gtest_output=json:/results/%s.json\n' \
        "$program" "${except[$name]-}" "$program"
done >"$output/command"
echo 'true' >>"$output/command" # what they say is in their reports
status=0 deadline=300
[[ -z ${SANITIZE-} ]] || deadline=1200
"$top/scripts/boot.sh" --kernel "$(boots_from "$name")" --initramfs "$build/tests-$name.cpio" \
    --command "$output/command" --output "$output" --deadline "$deadline" || status=$?
if [[ $status != 0 ]]; then
    say '0 passed, 1 failed, 0 skipped'
    exit "$status"
fi
reports=("${programs[@]/#/$output/}")
counts=$("$top/scripts/count-tests.sh" "${reports[@]/%/.json}") || status=$?
read -r passed failed skipped <<<"$counts"
record "tests-$name${SANITIZE:+-$SANITIZE}" "tests in the guest, $name and stages 1 to 3, on $variant" \
    "$passed passed, $failed failed, $skipped skipped, no report in the kernel's log" 'make test'
say "$name on Linux $kernel: $passed passed, $failed failed, $skipped skipped"
exit "$status"
