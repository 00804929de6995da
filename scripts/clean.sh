#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Removes folders of the project: clean.sh build [.cache]. Never what CACHE names: it may be others', too.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
for name in "$@"; do
    [[ $name == build || $name == .cache ]] || die "'$name' is not made by the project" 2
    rm -rf "${top:?}/$name"
done
