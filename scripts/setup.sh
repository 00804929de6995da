#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing, on Debian and Ubuntu.
#
#   ./scripts/setup.sh [all | bench]      "all" adds what make lint, book, plots and report need, "bench" what make bench does
#
# As root, or through sudo; without either it prints the command to run and changes nothing.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1-} in
'') groups='run test' ;;
all) groups='run test lint book plots' ;;
bench) groups='run test bench' ;;
*) die "unknown argument '$1': nothing, all or bench" 2 ;;
esac
[[ -n $(type -P apt-get) ]] ||
    die "this is neither Debian nor Ubuntu (no apt-get): install by hand what scripts/packages lists"
# shellcheck source=/dev/null
. /etc/os-release

missing=()
while read -r what _ package group _; do
    [[ $what != '#'* && -n $what && " $groups " == *" $group "* ]] || continue
    if [[ $what == /* ]]; then [[ -e $what ]] || missing+=("$package")
    else [[ -n $(PATH=$PATH:/usr/sbin:/sbin type -P "$what") ]] || missing+=("$package"); fi
done <"$top/scripts/packages"
# BusyBox may be there and dynamic: the guest has no dynamic linker.
dpkg -s busybox-static >/dev/null 2>&1 || missing+=(busybox-static)
# The kernel's source, where the release has it as a package; elsewhere the released tarball is downloaded.
if [[ -z ${KERNEL_SRC-} && $kernel == "$series" && ! -f /usr/src/linux-source-$series.tar.xz && ${ID-} == debian ]]; then
    source_package=$(awk -v s="$series" '$1 == s && $2 != "-" { print $2 }' "$top/scripts/kernels")
    [[ -z $source_package ]] || missing+=("$source_package")
fi
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u | sed '/^$/d')
if ((${#missing[@]} == 0)); then
    say 'setup: everything is there'
    exit
fi

install=(apt-get install -y --no-install-recommends "${missing[@]}")
as_root=()
if [[ $EUID -ne 0 ]]; then
    if [[ -n $(type -P sudo) ]] && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
        as_root=(sudo)
    else
        printf 'setup: %d packages are missing, and this is neither root nor has sudo. Have an administrator run:\n\n' \
            "${#missing[@]}" >&2
        printf '  apt-get update && %s\n' "${install[*]}" >&2
        exit 1
    fi
fi
free_kib=$(df -Pk / | awk 'NR == 2 { print $4 }')
say "setup: installing ${#missing[@]} packages; the whole takes up to 1.5 GB on /, and $top will need 2.5 GB,"
say "       1 GB of memory for the guest, and about ten minutes on two CPUs until the whole table"
((free_kib > 1500000)) || die "/ has $((free_kib / 1024)) MiB free; the packages need up to 1,500"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A lock that another apt holds is waited for; nothing asks a question.
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq "$@" >>"$log" 2>&1; }
apt update || say "setup: warning: the package lists could not be renewed: $(grep -m 1 '^[EW]:' "$log")"
for package in "${missing[@]}"; do
    # Older releases lack some of what lint and the book use; the verbs that need it say so.
    [[ -n $(apt-cache show "$package" 2>/dev/null | head -n 1) ]] || {
        say "setup: warning: this release has no package $package; going on without it"
        mapfile -t missing < <(printf '%s\n' "${missing[@]}" | grep -vx "$package")
    }
done
apt install -y --no-install-recommends "${missing[@]}" || {
    tail -n 5 "$log" >&2
    die "apt-get failed; the command was: ${install[*]}"
}
say "setup: installed ${missing[*]}"
