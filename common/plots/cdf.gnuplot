# SPDX-License-Identifier: MIT
# The distribution of each stage's latency. The vertical axis gives each nine as much room as the one before it; where a
# stage climbs at once, it has a vertical cliff. Data: N stages, then the original's percentiles of N stages.
nines(share) = -log10(1 - share)
set logscale x
set format x "%.0s%c"
set title heading.", in TSC cycles"
set ylabel "share of the messages that are not later"
set yrange [0:*]
set ytics ("0" 0, "50 %%" nines(0.5), "90 %%" 1, "99 %%" 2, "99.9 %%" 3, "99.99 %%" 4, "99.999 %%" 5, "99.9999 %%" 6)
plot for [i = 1:stages] data index i - 1 using 1:(nines($2)) with lines linewidth 2.5 linecolor rgb colour[i] \
         title name[i], \
     for [i = 1:stages] data index stages + i - 1 using 1:(nines($2)) with points pointtype 4 + 2 * i pointsize 1.3 \
         linewidth 2 linecolor rgb colour[i] notitle, \
     NaN with points pointtype 6 pointsize 1.3 linewidth 2 linecolor rgb "black" title "the original's P50, P99, P99.9"
