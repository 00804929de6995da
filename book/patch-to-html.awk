# SPDX-License-Identifier: MIT
# A kernel.patch as HTML for the stage's page: the message, then one block for each file, with colours.

function escaped(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    return text
}
function block() {
    if (open++) print "</code></pre>"
    printf "<pre class=\"patch\"><code>"
}
function row(class) { printf "<span class=\"%s\">%s</span>\n", class, escaped($0) }

/^Subject: / { sub(/^Subject: (\[PATCH\] )?/, ""); block(); row("subject"); message = 1; next }
/^Signed-off-by: |^---$/ { message = 0 }
message { print escaped($0); next }

/^diff --git / { block(); $0 = substr($4, 3); row("file"); body = 1; next }
!body || /^(index|---|\+\+\+) / { next }
/^(@@|new file)/ { row("place"); next }
/^\+/ { row("added"); next }
/^-/ { row("removed"); next }
{ print escaped($0) }

END { if (open) print "</code></pre>" }
