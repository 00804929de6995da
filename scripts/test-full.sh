#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make test-full`: every check in its long form, one after the other. What fails does not stop the rest.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
failed=() begun=$SECONDS
part() {
    local name=$1 at=$SECONDS
    shift
    say "== $name"
    "$@" || failed+=("$name")
    say "== $name: $((SECONDS - at)) s"
}
part 'tests' "$top/scripts/test.sh"
part 'mutants' "$top/scripts/mutants.sh"
part 'model' "$top/scripts/model.sh"
part 'litmus' "$top/scripts/litmus.sh"
part 'faults' "$top/scripts/test-faults.sh"
part 'boots' "$top/scripts/boots.sh"
for n in 0 1 2 3; do
    for sanitizer in kasan kcsan; do
        part "stage $n, $sanitizer" env SANITIZE=$sanitizer "$top/scripts/test-stage.sh" "$n"
    done
done
part 'soak' "$top/scripts/soak.sh"
part 'soak, kasan' env SANITIZE=kasan LADDER_SOAK=short "$top/scripts/soak.sh"
part 'fuzz, kasan' env SANITIZE=kasan FUZZ_SECONDS="${FUZZ_SECONDS:-3600}" "$top/scripts/fuzz.sh" 3
part 'trust' "$top/scripts/trust.sh"
say "all parts: $((SECONDS - begun)) s"
[[ ${#failed[@]} == 0 ]] || die "not all is well: $(printf '%s; ' "${failed[@]}")"
