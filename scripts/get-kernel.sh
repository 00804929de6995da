#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Unpacks the source of KERNEL once into the cache and prints where it is.
#
# In this order: the folder KERNEL_SRC; the distribution's package (linux-source-6.1, linux-source-6.12); the
# released tarball from KERNEL_MIRROR, checked against its pinned SHA-256. A full version (KERNEL=5.4.286)
# comes from the mirror and wants KERNEL_SHA256.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mirror=${KERNEL_MIRROR:-https://cdn.kernel.org/pub/linux/kernel}

if [[ -n ${KERNEL_SRC-} ]]; then
    [[ -d $KERNEL_SRC ]] || die "KERNEL_SRC=$KERNEL_SRC is not a folder"
    [[ -f $KERNEL_SRC/Kbuild && -f $KERNEL_SRC/Makefile ]] ||
        die "KERNEL_SRC=$KERNEL_SRC has no kernel source (no Kbuild, no Makefile)"
    [[ ! -e $KERNEL_SRC/.config && ! -d $KERNEL_SRC/include/config ]] ||
        die "KERNEL_SRC=$KERNEL_SRC was built in: run 'make mrproper' there, or name a clean tree"
    (cd "$KERNEL_SRC" && pwd)
    exit
fi

read -r package release sha256 < <(awk -v s="$series" '$1 == s { print $2, $3, $4 }' "$top/scripts/kernels") ||
    die "KERNEL=$kernel is not supported: 6.1, 6.12 and 5.4 are"
tarball=/usr/src/$package.tar.xz
if [[ $kernel != "$series" ]]; then
    release=$kernel sha256=${KERNEL_SHA256-} tarball=
    [[ -n $sha256 ]] || die "KERNEL=$kernel is a full version and needs KERNEL_SHA256, the checksum of its tarball"
fi

# The package's own version is part of the name: an upgrade is another source.
if [[ -f $tarball ]]; then
    version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || echo local)
    source=$cache/source/$package-$version
else
    source=$cache/source/linux-$release
fi
if [[ -d $source ]]; then
    printf '%s\n' "$source"
    exit
fi

mkdir -p "$cache/source" 2>/dev/null && [[ -w $cache/source ]] ||
    die "$source is not there yet, and $cache/source cannot be written: set CACHE to a folder of your own"
lock "$cache/source/.lock" "unpacking a kernel" >&2
[[ ! -d $source ]] || { printf '%s\n' "$source"; exit; }
find "$cache/source" -maxdepth 1 -name '*.unpacking' -exec rm -rf {} + # left by one that was interrupted

if [[ ! -f $tarball ]]; then
    need curl
    tarball=$cache/source/linux-$release.tar.xz
    url=$mirror/v${release%%.*}.x/${tarball##*/}
    if [[ ! -f $tarball ]]; then
        say "downloading $url" >&2
        # A part that is there already is gone on with; a server that cannot do that starts over.
        curl -fL --retry 3 --connect-timeout 20 -C - -o "$tarball.part" "$url" >&2 ||
            { [[ $? == 33 ]] && curl -fL -o "$tarball.part" "$url" >&2; } ||
            die "cannot download $url: check the network, or set KERNEL_MIRROR or KERNEL_SRC"
        mv "$tarball.part" "$tarball"
    fi
    found=$(sha256sum "$tarball" | cut -d' ' -f1)
    if [[ $found != "$sha256" ]]; then
        rm -f "$tarball"
        die "${tarball##*/} from $mirror is damaged: SHA-256 is $found, should be $sha256; it was removed, try again"
    fi
fi

free_kib=$(df -Pk "$cache/source" | awk 'NR == 2 { print $4 }')
((free_kib > 2500000)) || die "$cache has $((free_kib / 1024)) MiB free; unpacking a kernel needs 2,500: set CACHE to a larger disk"
say "unpacking ${tarball##*/} into $cache/source (about 20 s, 1.5 GB)" >&2
mkdir "$source.unpacking"
tar --no-same-owner -xf "$tarball" -C "$source.unpacking" --strip-components=1 ||
    { rm -rf "$source.unpacking"; die "$tarball is damaged: reinstall $package, or remove the file"; }
mv "$source.unpacking" "$source"
printf '%s\n' "$source"
