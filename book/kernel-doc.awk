# SPDX-License-Identifier: MIT
# Doxygen's filter for the kernel files: turns comments in the kernel's style into Doxygen's, and changes
# nothing but comments. Each line stays on its line, so that line numbers are those of the source.
#
#   /** struct s - brief ... @member: text */   brief and text on the struct, member's text on the member
#   /** f - brief ... @argument: text */        brief, text, @param
#   /* text */ above a function or variable     its documentation (for variables that follow at once, too)
#   /* --- Title. --- */                        a heading in the list of functions
#   /* text */ on its own, or on several        part of the file's description; as it stands if it has
#      lines above #define                      columns (tabs)
#   member;  /* text */                         documentation of the member
#
# What has no comment gets an empty one: the kernel does not ask for one, Doxygen would.

{ line[NR] = $0 }

END {
    for (n = 1; n <= NR; n++) {
        if (line[n] ~ /^(\/\*|\/\/ SPDX)/) n = comment(n)
        else print code(line[n], line[n - 1])
    }
    if (section) print "/** @} */"
}

# Text for Doxygen: names of arguments as code, no accidental emphasis.
function prose(text) {
    gsub(/\*/, "\\*", text)
    while (match(text, /@[a-z_]+/))
        text = substr(text, 1, RSTART - 1) "`" substr(text, RSTART + 1, RLENGTH - 1) "`" \
            substr(text, RSTART + RLENGTH)
    return text
}

# Tabs as blanks, before the comment's frame goes.
function expanded(text,    at) {
    while (at = index(text, "\t"))
        text = substr(text, 1, at - 1) sprintf("%" (8 - (at - 1) % 8) "s", "") substr(text, at + 1)
    return text
}

# The comment that begins in line n; returns its last line.
function comment(n,    last, text, after, columns) {
    for (last = n; line[last] !~ /\*\//; last++) columns = columns || line[last + 1] ~ /[^\t]\t/
    after = line[last + 1]
    text = line[n]
    if (text ~ /SPDX/) { print "/** @file"; sub(/^\/\*/, "", line[n + 1]); return rest(n + 1) }
    if (text ~ /^\/\* --- /) {
        gsub(/^\/\* --- |\.? --- \*\/$/, "", text)
        print (section++ ? "/** @} */ " : "") "/** @name " text " */ /** @{ */"
        return n
    }
    if (n < last && text !~ /^\/\*\*/ && (after == "" || after ~ /^#define/)) {
        print "/** @file"
        return rest(n + 1, columns, "@details ")
    }
    described = after ~ /^#ifndef/ ? line[last + 2] : after
    if (text ~ /^\/\*\*/) return kernel_doc(n, last)
    if (n == last) {
        gsub(/^\/\* | \*\/$/, "", text)
        words = prose(text)
        print "/** " words " */"
        return n
    }
    print "/**"
    return rest(n + 1)
}

# The rest of a comment, from line n on, whose first line is out; as it stands, if it has columns.
function rest(n, columns, lead,    text) {
    if (columns) lead = lead "@verbatim "
    for (; ; n++) {
        text = columns ? expanded(line[n]) : line[n]
        if (text ~ /\*\/$/) break
        sub(/^ \* ?/, "", text)
        print (columns ? lead text : " * " lead prose(text))
        lead = ""
    }
    sub(/ ?\*\/$/, "", text)
    print (columns ? "@endverbatim" : prose(text)) " */"
    return n
}

function kernel_doc(n, last,    i, text, name, is_struct) {
    split("", member)
    print "/**"
    for (i = n + 1; i < last; i++) {
        text = line[i]
        sub(/^ \* ?/, "", text)
        if (i == n + 1) {
            is_struct = text ~ /^struct /
            sub(/^[^-]* - /, "", text)
            print " * @brief " prose(text)
        } else if (text ~ /^@[a-z_]+:/) {
            name = substr(text, 2, index(text, ":") - 2)
            text = prose(substr(text, index(text, ":") + 2))
            if (is_struct) { member[name] = text; print " *" }
            else { print (i == n + 2 ? " *\n" : "") " * @param " name " " text }
        } else if (is_struct && text ~ /^\t/) {
            member[name] = member[name] " " prose(substr(text, 2))
            print " *"
        } else print " * " prose(text)
    }
    print " */"
    return last
}

# A line that is no comment at its beginning.
function code(text, before,    name) {
    if (text ~ /^(static )?(struct|enum)[^(;=]*\{$/) inside = 1
    else if (text ~ /^}/) inside = 0
    else if (inside && text ~ /^\t[a-zA-Z_]/) {
        name = text
        sub(/ __attribute__.*/, "", name)
        sub(/[\[;,].*/, "", name)
        sub(/.*[ \t*]/, "", name)
        if (name in member) return text " /**< " member[name] " */"
        if (sub(/\/\* /, "/**< ", text)) return text
        return text " /**< @details &thinsp; */"
    }
    # With a value: not the guard against a second inclusion.
    if (text ~ /^#define[ \t]+[^ \t]+[ \t]/ && text != described)
        return text " /**< @details &thinsp; */"
    if (text ~ /^[a-zA-Z_].*[^:]$/ && text != described) {
        if (text ~ /;$/ && before ~ /^[a-z].*;$/ && words != "") return "/** " words " */ " text
        words = ""
        return "/** @details &thinsp; */ " text
    }
    return text
}
