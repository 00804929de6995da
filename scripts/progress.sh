#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Turns kbuild's output into one line: files done, of how many, time left.
#
#   make ... | progress.sh STEPS      STEPS 0: nobody knows how many
#
# On a terminal the line is rewritten; elsewhere one is printed for each tenth.
set -euo pipefail
steps=${1:-0}
terminal=0
[[ -t 1 ]] && terminal=1
awk -v steps="$steps" -v terminal="$terminal" '
    function left(    s) {
        if (done < steps / 20) return "time left not known yet" # the first files are no measure for the rest
        s = (systime() - begun) * (steps - done) / done
        return sprintf("about %d:%02d left", s / 60, s % 60)
    }
    BEGIN { begun = systime() }
    /^  [A-Z0-9_]+ +[^ ]+$/ {
        ++done
        if (steps == 0) text = sprintf("  %d steps, %d s", done, systime() - begun)
        else if (done > steps) text = sprintf("  %d files, the last ones, %d s", done, systime() - begun)
        else text = sprintf("  %d of about %d files, %s", done, steps, left())
        if (terminal) { printf "\r\033[K%s", text; fflush() }
        else if (steps && done <= steps && int(done * 10 / steps) > tenth) {
            tenth = int(done * 10 / steps); print text; fflush()
        }
    }
    END { if (terminal && done) printf "\r\033[K" }
'
