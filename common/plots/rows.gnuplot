# SPDX-License-Identifier: MIT
# One row for each contender or switch: P50 and P99 as points with their intervals on a logarithmic axis. What has no
# measurable effect is grey. Data: two blocks (P50, P99) of figure, two ends, 1 for an effect.
set key bmargin left vertical Left reverse samplen 1
set logscale x
set format x format_of_x
set xlabel label_of_x offset 0, 0.4
set yrange [rows - 0.5:-0.5]
set grid noytics
set ytics scale 0 ()
set for [i = 1:rows] ytics add (label[i] i - 1)
if (baseline > 0) set arrow from first baseline, graph 0 to first baseline, graph 1 nohead linewidth 1.5 linecolor rgb "black"
array percentile[2] = ["P50", "P99"]
plot for [i = 1:2] data index i - 1 using 1:($0 + (i - 1.5) * 0.3):2:3:($4 == 1 ? colour[i] : grey) \
         with xerrorbars pointtype 5 + 2 * (i - 1) pointsize 0.8 linewidth 2 linecolor rgb variable notitle, \
     for [i = 1:2] NaN with points pointtype 5 + 2 * (i - 1) linecolor rgb colour[i] title percentile[i], \
     NaN with points pointtype (greys ? 5 : -1) linecolor rgb grey title (greys ? "no measurable effect" : "")
