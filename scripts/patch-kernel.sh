#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes $kernel_build/source the kernel of a stage: stock, and the patches 0 to N; or one that only measures.
#
#   patch-kernel.sh KERNEL      0, 1, 2, 3, instruments or ablation
#
# The tree is a farm of links to the shared, untouched source; only files that a patch touches are copies.
# They are patched aside and then put in place where they differ, so that the compiler sees exactly what
# changed between two stages, and an error leaves the tree as it was.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
check_kernel "${1-}"
stage=$1
need git

stock=$("$top/scripts/get-kernel.sh")
tree=$kernel_build/source
export GIT_CEILING_DIRECTORIES=$build # the tree is inside this repository, and not part of it

if [[ $(readlink "$kernel_build/stock" 2>/dev/null) != "$stock" ]]; then
    mkdir -p "$kernel_build"
    rm -rf "$tree.new"
    said=$(cp -as "$stock/." "$tree.new" 2>&1) || {
        rm -rf "$tree.new"
        die "cannot link $stock into $kernel_build: $(head -n 1 <<<"$said")"
    }
    # From here until the link is there again, whoever comes next does all of this once more.
    rm -f "$kernel_build/stock"
    rm -rf "$tree" "$kernel_build"/object "$kernel_build"/{stage?,instruments,ablation}
    mv "$tree.new" "$tree"
    ln -sfn "$stock" "$kernel_build/stock"
fi

# 5.4 names the function in its system call table differently: one hunk has an alternative.
mapfile -t patches < <(patches_of "$stage")
table=arch/x86/entry/syscalls/syscall_64.tbl
# Every patch there is, so that a file of another kernel's goes away.
shopt -s nullglob
all=("$top"/stage?-*/kernel.patch "$top"/common/measure/*.patch)
mapfile -t touched < <(git apply --numstat "${all[@]}" | cut -f3 | sort -u)

aside=$kernel_build/patched
rm -rf "$aside"
for file in "${touched[@]}"; do
    mkdir -p "$aside/$(dirname "$file")"
    if [[ -e $stock/$file ]]; then cp "$stock/$file" "$aside/$file"; fi
done
for patch in "${patches[@]}"; do
    except=()
    if [[ $series == 5.4 && $patch == */stage0-syscall/* ]]; then
        except=(--exclude="$table")
        (cd "$aside" && git apply "$top/stage0-syscall/syscall-table-5.4.patch") ||
            die "${patch#"$top"/}: syscall-table-5.4.patch does not apply to $stock"
    fi
    (cd "$aside" && git apply "${except[@]}" "$patch") || die "${patch#"$top"/} does not apply to $stock"
done

for file in "${touched[@]}"; do
    if [[ ! -e $aside/$file ]]; then
        rm -f "$tree/$file" # a later stage's
    elif ! cmp -s "$aside/$file" "$tree/$file"; then
        mkdir -p "$tree/$(dirname "$file")"
        cp --remove-destination "$aside/$file" "$tree/$file"
    fi
done
