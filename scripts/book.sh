#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make book`: the book and the reference, as web pages in build/book. A warning of Doxygen's is an error.
#
# The kernel files are made of the patches alone: no kernel source is needed.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$top/scripts/sections.sh"
for tool in doxygen dot; do
    [[ -n $(type -P "$tool") ]] || die "$tool is missing: run ./scripts/setup.sh all"
done
awesome=/usr/share/doxygen-awesome-css
[[ -f $awesome/doxygen-awesome.css ]] || die "doxygen-awesome-css is missing: run ./scripts/setup.sh all"
need git jq

input=$build/book-input
html=$build/book
begun=$SECONDS
"$top/scripts/uapi.sh"
lock "$input.lock" 'the book'
rm -rf "$input" && mkdir -p "$input/linux/kernel"

# --- The kernel of stage 3: the new files whole, and hft_ctl() out of kernel/sys.c. ---
export GIT_CEILING_DIRECTORIES=$input
tree=$input/linux
for n in 0 1 2 3; do
    patch=$top/${stages[n]}/kernel.patch
    (cd "$tree" && git apply --include='drivers/char/hft.c' --include='include/*' "$patch") ||
        die "${stages[n]}/kernel.patch: the new files do not apply to the stage before"
    if [[ $n == 0 ]]; then
        # What stage 0's patch shows of the file, before and after: enough for the next patches to apply to.
        awk '/^diff / { on = $3 == "a/kernel/sys.c" } on && /^[ +]/ && !/^\+\+\+ / { print substr($0, 2) }' \
            "$patch" >"$tree/kernel/sys.c"
    else
        (cd "$tree" && git apply --include='kernel/sys.c' "$patch") ||
            die "${stages[n]}/kernel.patch: the part for kernel/sys.c does not apply to the stage before"
    fi
done
sed -n '/^ \* sys_hft_ctl/,$p' "$tree/kernel/sys.c" >"$tree/kernel/hft_ctl"
{
    printf '%s\n' '// SPDX-License-Identifier: GPL-2.0' \
        '/* The system call: this is what the ladder adds to kernel/sys.c. */' '' '/**'
    cat "$tree/kernel/hft_ctl"
} >"$tree/kernel/sys.c"
rm "$tree/kernel/hft_ctl"
grep -q '^SYSCALL_DEFINE2(hft_ctl' "$tree/kernel/sys.c" ||
    die "hft_ctl() is not in the patches' part of kernel/sys.c"
cmp -s "$tree/include/uapi/linux/hft.h" "$build/uapi/stage3/linux/hft.h" ||
    die 'the header of the book is not the header of the clients'

# --- The patches, coloured: HTML that the stages' pages include. ---
for n in 0 1 2 3; do
    awk -f "$top/book/patch-to-html.awk" "$top/${stages[n]}/kernel.patch" >"$input/stage$n.html"
done
for patch in "$top"/common/measure/*.patch; do
    awk -f "$top/book/patch-to-html.awk" "$patch" >"$input/$(basename "$patch" .patch).html"
done

# --- What was measured, from book/results. ---
for name in "${sections[@]}"; do
    if [[ -f $top/book/results/$(verb_of "$name").json ]]; then
        printf '<div class="measured">\n'
        section "$name" "$top/book/results" "$top/book/results"
        printf '</div>\n'
    else
        printf '<p>Not measured yet: <code>make %s</code>, then <code>make keep</code>.</p>\n' "$(verb_of "$name")"
    fi >"$input/measured-$name.html"
done

# --- Doxygen. Its page header is its own version's, and the theme's scripts on top. ---
version=$(doxygen --version | cut -d' ' -f1)
rm -rf "$html.new" && mkdir -p "$html.new"
(cd "$input" && doxygen -w html header.html footer.html style.css) >"$input/log" 2>&1 ||
    die "doxygen cannot write its page header: $(head -n 1 "$input/log")"
# shellcheck disable=SC2016  # $relpath^ is Doxygen's
sed -i '/<\/head>/ {
    i <meta name="color-scheme" content="light dark"/>
    i <script type="text/javascript" src="$relpath^doxygen-awesome-darkmode-toggle.js"></script>
    i <script type="text/javascript">DoxygenAwesomeDarkModeToggle.init()</script>
}' "$input/header.html"
{
    cat "$top/book/Doxyfile"
    printf '%s = %s\n' OUTPUT_DIRECTORY "$build" HTML_OUTPUT "${html##*/}.new" HTML_HEADER "$input/header.html"
    # The theme wants the light base; Doxygen has the choice, and other defaults, from 1.9.5 on.
    [[ $(printf '%s\n' 1.9.5 "$version" | sort -V | head -n 1) != 1.9.5 ]] || echo 'HTML_COLORSTYLE = LIGHT'
} >"$input/Doxyfile"
status=0
(cd "$top" && doxygen "$input/Doxyfile") >"$input/log" 2>"$input/warnings" || status=$?
if [[ $status != 0 || -s $input/warnings ]]; then
    sed "s|$top/||; 12q" "$input/warnings" >&2
    die "Doxygen $version: warnings, each an error; all are in ${input#"$top"/}/warnings"
fi
# Doxygen does not look whether a page that Markdown names is there.
grep -ohE '\]\([^)#:]+' "$top"/book/*.md | sed 's/^](//' | sort -u | while read -r page; do
    [[ -f $html.new/$page ]] || die "the book has a link to $page, which is not there"
done
[[ -f $html.new/index.html ]] || die "Doxygen $version wrote no pages; see ${input#"$top"/}/log"
rm -rf "$html" && mv "$html.new" "$html"
say "written: ${html#"$top"/}/index.html ($((SECONDS - begun)) s)"
