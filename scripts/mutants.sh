#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Breaks the kernel on purpose, one line at a time, and looks whether exactly the right tests see it.
#
#   mutants.sh [N...]       the mutants of stages N (default: all); MUTANT=name runs one, MUTANTS=8 one in eight (which
#                           ones, the commit decides)
#
# The list of a stage is stageN-*/mutants. Each mutant is built in the stage's tree (only what it touches is
# compiled), boots with the tests of all stages up to N, and must fail those that its paragraph names, and no
# others but those that "also" allows; with "unseen", none may fail: no test on x86 can show it. A paragraph with
# "setup" and an error is a kernel whose setup fails with that error: there the one test that it leaves nothing
# behind has to succeed. The tree is put back in any case.
#
# With SANITIZE=kasan or kcsan, those mutants run that have a line "kasan" or "kcsan": a word of the report with which
# the kernel has to complain, or "silent" if the tool cannot see this mistake.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need jq make gcc
asked=("$@")
[[ $# -gt 0 ]] || asked=(0 1 2 3)
for stage in "${asked[@]}"; do check_stage "$stage"; done

one_in=${MUTANTS:-1}
check_number MUTANTS "$one_in" 1 1000
number=$((16#$(git -C "$top" rev-parse HEAD 2>/dev/null | cut -c1-6 || echo 0)))
passed=0 failed=0
deadline=400
[[ -z ${SANITIZE-} ]] || deadline=1200 # such a kernel is ten times slower
mkdir -p "$build"
scratch=$(mktemp -d "$build/mutants.XXXXXX")
original='' # the file that is broken at the moment, with a copy of it in $scratch/original
put_back() {
    [[ -z $original ]] || cp "$scratch/original" "$original"
    original=''
}
trap 'put_back; rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# mutate FILE AFTER OLD NEW: replaces the first line that is OLD after the first that is AFTER.
mutate() {
    awk -v after="$2" -v old="$3" -v new="$4" '
        BEGIN { found = after == "" }
        !found && $0 == after { found = 1; print; next }
        found && !done && $0 == old { print new; done = 1; next }
        { print }
        END { exit !done }
    ' "$1"
}

# What a sanitizer's kernel said of it, in the variables of run_mutant().
judge_report() {
    local said='said nothing'
    [[ $status != 13 ]] || said="said: $(tail -n 1 "$log" | sed 's/.*line [0-9]*: //; s/; see .*//')"
    if [[ ($report == silent && $status == 0) || ($report != silent && $status == 13 && $said == *"$report"*) ]]; then
        passed=$((passed + 1))
        say "  $name: $SANITIZE $said, as expected ($((SECONDS - begun)) s)"
    else
        failed=$((failed + 1))
        say "  $name: NOT '$report': status $status, $SANITIZE $said"
    fi
}

# run_mutant NAME FILE AFTER OLD NEW TEST...
run_mutant() {
    local name=$1 file=$2 after=$3 old=$4 new=$5 begun=$SECONDS status=0 tests verdict
    shift 5
    tests=$(printf '%s\n' "$@" | sort | sed '/^$/d')
    local log=$scratch/$name.log output=$build/mutants/stage$stage/$name command=$scratch/command
    if [[ -n $setup ]]; then
        command=$scratch/setup-command
        printf 'LADDER_SETUP_FAILS=%s stage1-tests --gtest_also_run_disabled_tests --gtest_filter=%s --gtest_output=%s\n' \
            "$setup" 'SetupFailure.*' json:/results/stage1-tests.json >"$command"
    fi
    [[ ! -L $kernel_build/source/$file ]] || die "mutant $name: $file is not a file that stage $stage touches"
    cp "$kernel_build/source/$file" "$scratch/original"
    # Backslashes are awk's: none is in the kernel lines that are mutated.
    if ! mutate "$scratch/original" "$after" "$old" "$new" >"$scratch/mutated"; then
        failed=$((failed + 1))
        say "  $name: NO SUCH LINE in $file"
        return
    fi
    original=$kernel_build/source/$file
    cp "$scratch/mutated" "$original"
    kernel_make -s -j"$(jobs_wanted)" bzImage </dev/null >"$log" 2>&1 || status=$?
    put_back
    if [[ $status != 0 ]]; then
        failed=$((failed + 1))
        say "  $name: DOES NOT BUILD: $(grep -m 1 error "$log")"
        return
    fi
    # Beside the stages, where the runner finds what a report's addresses mean.
    local kernel=$kernel_build/mutant
    rm -rf "$output" "$kernel"
    mkdir -p "$output" "$kernel"
    cp "$kernel_build/object/arch/x86/boot/bzImage" "$kernel_build/stage$stage/config" "$kernel/"
    ln "$kernel_build/object/vmlinux" "$kernel/"
    echo "mutant $name" >"$kernel/stamp"
    "$top/scripts/boot.sh" --kernel "$kernel" --initramfs "$initramfs" --command "$command" \
        --output "$output" --deadline "$deadline" >"$log" 2>&1 || status=$?
    rm -rf "$kernel"
    if [[ -n $report ]]; then
        judge_report
        return
    fi
    if [[ $status != 0 ]]; then
        failed=$((failed + 1))
        say "  $name: THE GUEST DID NOT SURVIVE IT: $(tail -n 1 "$log")"
        return
    fi
    if [[ -n $setup ]]; then
        if [[ $("$top/scripts/count-tests.sh" "$output/stage1-tests.json" 2>/dev/null) == '1 0 0' ]]; then
            passed=$((passed + 1))
            say "  $name: setup fails with $setup and leaves nothing behind ($((SECONDS - begun)) s)"
        else
            failed=$((failed + 1))
            say "  $name: SETUP LEAVES SOMETHING BEHIND: see ${output#"$top"/}/console.log"
        fi
        return
    fi
    local found extra='' test pattern
    found=$(for n in $(seq 0 "$stage"); do
        jq -r '.testsuites[] | .name as $suite | .testsuite[] | select(.failures) | $suite + "." + .name' \
            "$output/stage$n-tests.json"
    done | sort)
    # Beyond those named: what may fail, too?
    while IFS= read -r test; do
        for pattern in "${also[@]}"; do
            # shellcheck disable=SC2053  # a pattern it is
            [[ $test != $pattern ]] || continue 2
        done
        extra+="$test "
    done < <(comm -23 <(echo "$found") <(echo "$tests") | sed '/^$/d')
    if [[ -n $unseen && -z $found ]]; then
        passed=$((passed + 1))
        verdict='not seen by any test, as expected'
    elif [[ -n $found && -n $tests && -z $extra && -z $(comm -13 <(echo "$found") <(echo "$tests")) ]]; then
        passed=$((passed + 1))
        verdict="caught by $(tr '\n' ' ' <<<"$found")"
    elif [[ -z $found ]]; then
        failed=$((failed + 1))
        verdict='NOT CAUGHT'
    else
        failed=$((failed + 1))
        verdict="OTHERS: missed $(comm -13 <(echo "$found") <(echo "$tests") | tr '\n' ' '), also $extra"
    fi
    say "  $name: $verdict ($((SECONDS - begun)) s)"
}

for stage in "${asked[@]}"; do
    [[ -z ${SANITIZE-} ]] || grep -q "^$SANITIZE " "$top/${stages[stage]}/mutants" || continue
    programs=()
    for n in $(seq 0 "$stage"); do programs+=("stage$n-tests"); done
    "$top/scripts/build-programs.sh" "${programs[@]}"
    "$top/scripts/build-kernel.sh" "$stage"
    initramfs=$build/mutants-stage$stage.cpio
    "$top/scripts/initramfs.sh" "$initramfs" "${programs[@]/#/$build/programs/}"
    for program in "${programs[@]}"; do
        printf '%s --gtest_brief=1 --gtest_output=json:/results/%s.json\n' "$program" "$program"
    done >"$scratch/command"
    echo true >>"$scratch/command"

    lock "$kernel_build.lock" "building Linux $kernel"
    "$top/scripts/patch-kernel.sh" "$stage"
    say "mutants of stage $stage"
    name='' file='' after='' old='' new='' setup='' unseen='' report='' tests=() also=()
    while IFS= read -r line; do
        case $line in
        '#'*) ;;
        'mutant '*) name=${line#mutant } ;;
        'file   '*) file=${line#file   } ;;
        'after  '*) after=${line#after  } ;;
        'setup  '*) setup=${line#setup  } ;;
        'also   '*) also+=("${line#also   }") ;;
        'test   '*) tests+=("${line#test   }") ;;
        "${SANITIZE:-no} "*) report=${line#"$SANITIZE  "} ;;
        'kasan '* | 'kcsan '*) ;; # another kernel's
        unseen) unseen=1 ;;
        '-'*) old=${line#-} ;;
        '+'*) new=${line#+} ;;
        '')
            # With a sanitizer only what has a line for it, without one only what has not only that.
            if [[ -n ${SANITIZE-} ]]; then [[ -n $report ]] || name=''; else [[ -n $setup$unseen${tests[*]} ]] || name=''; fi
            [[ -z $name ]] || number=$((number + 1))
            if [[ -n $name && ${MUTANT:-$name} == "$name" && $((number % one_in)) == 0 ]]; then
                run_mutant "$name" "$file" "$after" "$old" "$new" "${tests[@]}"
            fi
            name='' after='' setup='' unseen='' report='' tests=() also=()
            ;;
        *) die "stage $stage's list of mutants: cannot read '$line'" ;;
        esac
    done < <(cat "$top/${stages[stage]}/mutants" && echo)
    exec {lock_fd}>&- # the next stage's build wants it
done
if [[ -z ${MUTANT-} && $one_in == 1 ]]; then
    record "mutants-$(IFS=- && printf '%s' "${asked[*]}")${SANITIZE:+-$SANITIZE}" \
        "kernel mutants of stage ${asked[*]}${SANITIZE:+, $SANITIZE}" \
        "$passed of $((passed + failed)) seen by what was named, and by nothing else" "make mutants${SANITIZE:+ SANITIZE=$SANITIZE}"
fi
say "$passed passed, $failed failed, 0 skipped"
[[ $failed == 0 ]]
