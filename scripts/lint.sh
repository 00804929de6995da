#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make lint`: the kernel's checkpatch and sparse, clang-format, clang-tidy, shellcheck. Each finding is an error.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for tool in clang-format clang-tidy shellcheck sparse; do
    [[ -n $(type -P "$tool") ]] || die "$tool is missing: run ./scripts/setup.sh all"
done
failed=0
check() {
    local name=$1 begun=$SECONDS
    shift
    if "$@"; then say "lint: $name: clean ($((SECONDS - begun)) s)"
    else
        failed=1
        say "lint: $name: NOT CLEAN ($((SECONDS - begun)) s)"
    fi
}

# What checkpatch is told to ignore:
# FILE_PATH_CHANGES     asks for a MAINTAINERS entry for new files; a patch for a tutorial has none
# LINUX_VERSION_CODE    one patch serves 5.4 to 6.12; in the kernel's own tree there would be no guard
# CONSTANT_COMPARISON   takes the guard's KERNEL_VERSION() for a constant on the left
checkpatch() {
    local stock
    stock=$(KERNEL=6.1 KERNEL_SRC='' "$top/scripts/get-kernel.sh")
    perl "$stock/scripts/checkpatch.pl" --no-tree --strict --quiet \
        --ignore FILE_PATH_CHANGES,LINUX_VERSION_CODE,CONSTANT_COMPARISON \
        "$top"/stage?-*/kernel.patch "$top"/common/fuzz/guards.patch "$top"/common/measure/*.patch
}

# sparse reads the two files that have our code, in the tree of a kernel; only what it says of our lines counts.
run_sparse() { # run_sparse KERNEL
    "$top/scripts/build-kernel.sh" "$1"
    local log=$build/sparse-$1.log
    (
        lock "$kernel_build.lock" "building Linux $kernel"
        "$top/scripts/patch-kernel.sh" "$1"
        rm -f "$kernel_build/object/kernel/sys.o" "$kernel_build/object/drivers/char/hft.o"
        kernel_make C=1 CF='-Wno-decl' kernel/sys.o drivers/char/hft.o
    ) >"$log" 2>&1 || { tail -n 3 "$log" && return 1; }
    grep -q 'CHECK.*hft.c' "$log" || { say "sparse did not look at the driver: see ${log#"$top"/}" && return 1; }
    # Of kernel/sys.c, only what the ladder adds at its end is ours.
    local ours
    ours=$(grep -n -m 1 'sys_hft_ctl' "$kernel_build/source/kernel/sys.c" | cut -d: -f1)
    ! grep -E '(warning|error):' "$log" | awk -F: -v ours="$ours" '/hft/ || (/kernel\/sys\.c:/ && $2 >= ours)' | grep .
}

# gcc's own walk through the driver: memory that leaks or is used after it was freed, on any path.
analyzer() { # analyzer KERNEL
    "$top/scripts/build-kernel.sh" "$1"
    local log=$build/analyzer-$1.log
    (
        lock "$kernel_build.lock" "building Linux $kernel"
        "$top/scripts/patch-kernel.sh" "$1"
        rm -f "$kernel_build/object/drivers/char/hft.o"
        kernel_make CFLAGS_hft.o=-fanalyzer drivers/char/hft.o
    ) >"$log" 2>&1 || { tail -n 3 "$log" && return 1; }
    grep -q 'CC .*hft.o' "$log" || { say "gcc did not look at the driver: see ${log#"$top"/}" && return 1; }
    ! grep -E 'warning:' "$log"
}

format() {
    find "$top/common" "$top"/stage?-* -name '*.[ch]pp' -print0 | xargs -0 clang-format --dry-run --Werror
}

tidy() {
    "$top/scripts/build-programs.sh" stage0-syscall >/dev/null # for compile_commands.json and the headers
    local sources
    mapfile -t sources < <(jq -r '.[].file' "$build/programs/compile_commands.json" | sort -u)
    printf '%s\n' "${sources[@]}" |
        xargs -P "$(jobs_wanted)" -n 2 clang-tidy -p "$build/programs" --quiet --warnings-as-errors='*' 2>/dev/null
}

scripts() { (cd "$top" && shellcheck scripts/*.sh .ci/run); }

# Every text file: no trailing blanks, an end to the last line, a licence where there can be one.
texts() {
    local file bad=0
    while IFS= read -r file; do
        [[ -f $top/$file ]] || continue
        case $file in *.patch | *.csv | *.gz | *.xz | *.png | *.svg | LICENSE*) continue ;; esac
        if grep -nE '[[:blank:]]+$' "$top/$file" | head -n 1 | sed "s|^|$file: trailing blanks: line |" | grep .; then bad=1; fi
        if [[ -s $top/$file && -n $(tail -c 1 "$top/$file") ]]; then say "$file: the last line has no end" && bad=1; fi
        case $file in
        *.sh | *.cpp | *.hpp | Makefile | *CMakeLists.txt)
            grep -q 'SPDX-License-Identifier' "$top/$file" || { say "$file: no SPDX-License-Identifier" && bad=1; } ;;
        esac
    done < <(git -C "$top" ls-files)
    return "$bad"
}

check 'checkpatch' checkpatch
# Stage 3 has all of the ladder's code; what only measures comes on top.
kernels=(3)
for patch in "$top"/common/measure/*.patch; do kernels+=("$(basename "$patch" .patch)"); done
for name in "${kernels[@]}"; do
    label=${name/#3/stage 3}
    check "sparse, $label" run_sparse "$name"
    check "gcc -fanalyzer, $label" analyzer "$name"
done
check 'clang-format' format
check 'clang-tidy' tidy
check 'shellcheck' scripts
check 'text files' texts
[[ $failed == 0 ]] || die 'not clean: see above'
