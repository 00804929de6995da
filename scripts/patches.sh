#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# For who changes the kernel code: the four patches as four commits, and back.
#
#   patches.sh checkout     build/patches: a git repository of the files that the patches touch, a commit a stage
#   patches.sh write        writes each stage's kernel.patch from the commits there
#
# In between: edit, `git commit --fixup`, `git rebase -i`, as with any series of patches.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need git
repository=$build/patches

case ${1-} in
checkout)
    [[ ! -e $repository ]] || die "$repository is there already: write it, or remove it"
    stock=$("$top/scripts/get-kernel.sh")
    mapfile -t touched < <(cat "$top"/stage?-*/kernel.patch | git apply --numstat | cut -f3 | sort -u)
    git init -q -b ladder "$repository"
    cd "$repository"
    # Who has told git no name yet can commit here, too.
    git config user.name 'Latency Ladder developers'
    git config user.email developers@latency-ladder.example
    for file in "${touched[@]}"; do
        if [[ -e $stock/$file ]]; then mkdir -p "$(dirname "$file")" && cp "$stock/$file" "$file"; fi
    done
    git add -A
    git commit -q -m "Linux $kernel, the files that the ladder touches"
    git tag stock
    git am -q --keep-cr "$top"/stage?-*/kernel.patch
    say "${repository#"$top"/}: $(git rev-list --count stock..HEAD) commits"
    ;;
write)
    [[ -d $repository/.git ]] || die "$repository is not there: patches.sh checkout makes it"
    mapfile -t commits < <(git -C "$repository" rev-list --reverse stock..HEAD)
    [[ ${#commits[@]} == 4 ]] || die "$repository has ${#commits[@]} commits after 'stock'; it should have 4, one a stage"
    for n in 0 1 2 3; do
        git -C "$repository" format-patch -q -1 --stdout --zero-commit --no-signature -N "${commits[n]}" \
            >"$top/${stages[n]}/kernel.patch"
    done
    git -C "$top" diff --stat -- stage?-*/kernel.patch
    ;;
*) die "usage: patches.sh checkout, or patches.sh write" 2 ;;
esac
