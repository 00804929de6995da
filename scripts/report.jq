# SPDX-License-Identifier: MIT
# The sections of the report (scripts/report.sh), as HTML. Input: a result; $section says which.

# 570492 as 570,492; of a figure below 100, three digits.
def grouped:
    if . == null then "?"
    elif . < 100 and . != round then (. * 100 | round / 100 | tostring)
    else (round | tostring) as $digits | ($digits | length) as $n
        | [range(0; $n) | $digits[.:. + 1] + (if ($n - . - 1) % 3 == 0 and . < $n - 1 then "," else "" end)] | add
    end;
def ends(pair): "[" + (pair | map(if . == null then "unbounded" else grouped end) | join(", ")) + "]";
def with_ends(object; key): "\(object[key] | grouped)<small>\(ends(object[key + "_ci"]))</small>";
def percent: "\(. * 1000 | round / 10) %";
def as_times: if . == null then "?" elif . < 1 then "\(. * 1000 | round / 1000)&times;"
    else "\(. * 100 | round / 100)&times;" end;
# A ratio with its interval; without an effect it says so.
def ratio(row; key):
    if row.ratio[key] == null then "?"
    else "\(row.ratio[key] | as_times)<small>[\(row.ratio[key + "_ci"] | map(as_times) | join(", "))]"
        + (if row.effect[key] == false then "<br>no measurable effect"
           elif row.only_distance[key]? then "<br>only against the floor"
           elif row.effect[key] == null then "<br>too few rounds" else "" end) + "</small>"
    end;
# Cells are HTML already; the first one is the row's head.
def row(cells): "<tr><th scope=\"row\">\(cells[0])</th>" + (cells[1:] | map("<td>\(.)</td>") | add) + "</tr>";
def table(heads; rows):
    "<div class=\"wide\"><table><thead><tr>" + (heads | map("<th scope=\"col\">\(.)</th>") | add) + "</tr></thead><tbody>"
    + ([rows] | add // "") + "</tbody></table></div>";
def sentence: if . then "<p class=\"found\">\(.[:1] | ascii_upcase)\(.[1:] | @html).</p>" else "" end;
def origin:
    .environment | "<p class=\"origin\">" + ("Linux \(.kernel) in QEMU \(.qemu) (\(.accel)), host CPU \(.host_cpu), threads "
    + (if .pinned == true then "pinned" elif .pinned == false then "NOT pinned" else "as the rows say" end)
    + "; commit \((.commit // "unknown")[:12])\(if .dirty then " with changes" else "" end), \(.time)" | @html) + ".</p>";

def ladder:
    table(["Stage", "P50", "P99", "P99.9", "the original's", "P50 / floor P50", "lost", "dropped", "torn", "rejected"];
        .rows[] | row([(.stage | @html), with_ends(.; "p50"), with_ends(.; "p99"), with_ends(.; "p999"),
            (if .reference then "\(.reference.p50 | grouped)<small>P99 \(.reference.p99 | grouped)<br>P99.9 \(.reference.p999 | grouped)</small>" else "" end),
            with_ends(.floor_ratio; "p50"), (.lost, .dropped, .torn, .rejected_series | grouped)]))
    + (if .ratios.p50 then
        ["p50", "p99", "p999"] as $keys
        | "<p class=\"found\">Stage 1 takes \([.ratios[$keys[]] | as_times] | join(", ")) the cycles of stage 3 at P50, P99 and P99.9"
        + (if .ratios.reference then "; in the original \([.ratios.reference[$keys[]] | as_times] | join(", "))" else "" end) + ".</p>"
       else "" end)
    + ([.rows[] | .floor_p99 / .floor_p50] | max | if . > 30 then
        "<p class=\"found\"><strong>The host was busy:</strong> the floor's own P99 is up to \(round) times its P50. P99 and P99.9 tell more of the host than of the stages.</p>"
       else "" end)
    + "<p>TSC cycles from the kernel's stamp to the client's: the median of \(.rows[0].rounds) rounds of \(.rows[0].samples | grouped)
       samples after \(.rows[0].warmup | grouped) of warm-up, and the smallest and largest of them (with one round the 95&nbsp;% confidence
       interval). The floor is the same 16 bytes between two user threads, measured before and after each series.</p>";

def budget:
    table(["Hop", "mean", "share of the mean", "P50"];
        .rows[] | .whole as $whole |
            row(["<strong>\(.name | @html)</strong>", ($whole.mean | grouped), "100 %", ($whole.p50 | grouped)]),
            (.before // [] | .[] | row(["\(.name | @html) (before the stamp)", (.mean | grouped), (.mean / $whole.mean | percent), (.p50 | grouped)])),
            (.hops[] | row([(.name | @html), (.mean | grouped), (.mean / $whole.mean | percent), (.p50 | grouped)])))
    + (.tail | "<p>Why \(.messages) messages of \(.name | @html) above P99 (\(.p99 | grouped) cycles) were late:</p>"
        + table(["Cause", "messages", "share", "their P50"];
            .causes[] | row([(.name | @html), .messages, (if .share then .share | percent else "" end), (if .messages > 0 then .p50 | grouped else "" end)]))
        + "<p>The consumer was not running for \(.not_running.share_of_time | percent) of the time"
        + (.host_waiting.share_of_time | if . then "; the host's scheduler let its CPU's thread wait for \(. * 100000 | round / 1000) %" else "" end)
        + ".</p>");

def ablation:
    [.from | to_entries[] | "<h3>From the \(.key | @html) configuration</h3>"
        + table(["What is changed", "P50, as a ratio", "P99, as a ratio", "P99.9, as a ratio", "P50", "P99", "P99.9"];
            .value[] | row(["\(.switch | @html)<small>\(.change // "" | @html)</small>", ratio(.; "p50"), ratio(.; "p99"),
                ratio(.; "p999"), with_ends(.; "p50"), with_ends(.; "p99"), with_ends(.; "p999")]))] | add;

def alternatives:
    .baseline as $baseline | ([.rows[].figures // {} | keys[]] | unique) as $figures
    | table(["Door", "P50", "P99", "P99.9", "P50, as a ratio to \(.baseline | @html)", "lost", "dropped"] + ($figures | map(gsub("_"; " ") | @html));
        .rows[] | . as $row | row([(.name | @html), with_ends(.; "p50"), with_ends(.; "p99"), with_ends(.; "p999"),
            (if .name == $baseline then "" else ratio(.; "p50") end), (.lost, .dropped | grouped)]
            + ($figures | map($row.figures[.] | if . == null then "" else grouped end))));

def throughput:
    table(["Door", "messages in a burst", "arrived a second", "lost", "cycles a message"];
        .rows[] | row([(.door | @html), (.burst | grouped), with_ends(.; "arrived_per_second"), (.lost_share | percent),
            with_ends(.; "cycles_per_message")]));

# Without a guest: the host's own compiler and kernel.
def bench:
    table(["Bytes and use", "Ring", "CPUs", "cycles", "P99", "series", "left out"];
        .rows[] | . as $row | .regimes | to_entries[] | select(.value.cycles) | .key as $regime | .value
        | row(["\($row.bytes), \($row.use | @html)", ($row.ring | @html), $regime,
            "\(.cycles | grouped)<small>\(ends(.cycles_ci))</small>", (if .cycles_p99 then .cycles_p99 | grouped else "" end),
            (.p50 | length), ($row.disturbed + $row.moved)]))
    + "<p>Cycles per message, or per round trip; the median of the series and its 95&nbsp;% confidence interval. The host moves
       its two CPUs about: near, middle and far are told by the round trip of the floor. Left out: series in which the kernel
       took a thread off its CPU, or the CPUs moved.</p>"
    + table(["Goal", "CPUs", "found", "wanted", ""];
        .goals[] | row([(.name | @html), .regime, (.found | as_times), "\(if .at_least then "at least" else "at most" end) \(.wanted)&times;",
            (if .found == null then "too few series" elif .reached then "reached" else "MISSED" end)]));
def native_origin:
    .environment | "<p class=\"origin\">" + ("\(.host_cpu), Linux \(.kernel), \(.compiler); commit \(.commit[:12]), \(.time)" | @html) + ".</p>";

def environment:
    "<dl>" + (.environment | to_entries | map("<dt>\(.key | gsub("_"; " ") | @html)</dt><dd>\(.value
        | if type == "string" then . else tojson end | @html)</dd>") | add) + "</dl>";

if $section == "ladder" then ladder + origin
elif $section == "environment" then environment
elif $section == "bench" then bench + (.finding | sentence) + native_origin
else
    (if $section == "budget" then budget
     elif $section == "ablation" then ablation
     elif $section == "alternatives" then alternatives
     else throughput end) + (.finding | sentence) + origin
end
