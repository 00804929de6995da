#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs a stage's tests in the guest, after those of the stages before it, in one boot.
#
#   test-stage.sh N [OUTPUT]          on the kernel of stage N; the reports stay in OUTPUT (build/tests/stageN)
#   test-stage.sh N --on M            stage N's own tests on the kernel of stage M, which has to fail them
#   test-stage.sh 0 --on host         the same on the host's own kernel
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
check_stage "${1-}"
stage=$1
on=$stage first=0 output=$build/tests/stage$stage
if [[ ${2-} == --on ]]; then
    on=$3 first=$stage output=$build/tests/stage$stage-on-$on
elif [[ $# -gt 1 ]]; then
    output=$2
fi
programs=()
for n in $(seq "$first" "$stage"); do programs+=("stage$n-tests"); done
"$top/scripts/build-programs.sh" "${programs[@]}"
rm -rf "$output" && mkdir -p "$output"

reports=("${programs[@]/#/$output/}")
reports=("${reports[@]/%/.json}")
if [[ $on == host ]]; then
    # The kernel is what is tested here, not how this machine was booted.
    "$build/programs/stage$stage-tests" --gtest_filter='Syscall.*' --gtest_output="json:$output/stage$stage-tests.json" >"$output/console.log" 2>&1 || true
else
    "$top/scripts/build-kernel.sh" "$on"
    initramfs=$build/$(IFS=+ && printf 'tests-%s' "${programs[*]}").cpio
    "$top/scripts/initramfs.sh" "$initramfs" "${programs[@]/#/$build/programs/}"
    # Every program runs, whatever the one before it found; what they say is in their reports.
    for program in "${programs[@]}"; do
        printf '%s --gtest_brief=1 --gtest_output=json:/results/%s.json\n' "$program" "$program"
    done >"$output/command"
    echo 'true' >>"$output/command"
    status=0 deadline=300
    [[ -z ${SANITIZE-} ]] || deadline=1200 # such a kernel is ten times slower
    "$top/scripts/boot.sh" --kernel "$kernel_build/stage$on" --initramfs "$initramfs" \
        --command "$output/command" --output "$output" --deadline "$deadline" || status=$?
    if [[ $status != 0 ]]; then
        say "0 passed, 1 failed, 0 skipped"
        exit "$status"
    fi
fi

if [[ $on == "$stage" ]]; then
    status=0
    counts=$("$top/scripts/count-tests.sh" "${reports[@]}") || status=$?
    read -r passed failed skipped <<<"$counts"
    record "tests-stage$stage${SANITIZE:+-$SANITIZE}" "tests in the guest, stage $stage, on $variant" \
        "$passed passed, $failed failed, $skipped skipped, no report in the kernel's log" \
        "${SANITIZE:+SANITIZE=$SANITIZE }make stage$stage-test"
    say "stage $stage on Linux $kernel: $passed passed, $failed failed, $skipped skipped"
    exit "$status"
fi
# The other way round: a kernel that lacks the stage has to fail its tests.
read -r passed failed _ < <("$top/scripts/count-tests.sh" "${reports[@]}" 2>/dev/null || true)
if ((failed > 0 && failed + passed > 1)); then
    say "stage $stage's tests on the kernel before it ($on): fail as they should ($failed of $((failed + passed)))"
else
    die "stage $stage's tests pass on a kernel without it ($on): they prove nothing; see ${output#"$top"/}"
fi
