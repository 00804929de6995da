# SPDX-License-Identifier: MIT
# The stages as bars with intervals, the original's figures beside them. Data: a line a stage, for each percentile the figure,
# its two ends, and the original's; below that in a second block the floor's P50.
set logscale y
set format y "%.0s%c"
set ylabel "latency in TSC cycles"
set xrange [-0.5:rows - 0.5]
set grid noxtics
set xtics scale 0 ()
set for [i = 1:rows] xtics add (name[i] i - 1)
set style fill solid 0.75 noborder
set boxwidth 0.24
array percentile[3] = ["P50", "P99", "P99.9"]
plot for [i = 1:3] data index 0 using ($0 + (i - 2) * 0.27):(column(4 * i - 3)) with boxes \
         linecolor rgb colour[i] title percentile[i], \
     for [i = 1:3] data index 0 using ($0 + (i - 2) * 0.27):(column(4 * i - 2)):(0):(column(4 * i - 1) - column(4 * i - 2)) \
         with vectors heads size screen 0.006,90 linewidth 1.5 linecolor rgb "black" notitle, \
     for [i = 1:3] data index 0 using ($0 + (i - 2) * 0.27):(column(4 * i)) with points pointtype 12 \
         pointsize 1.2 linewidth 2 linecolor rgb "black" title (i == 1 ? "the original" : ""), \
     data index 1 using (-0.5):1:(rows):(0) with vectors nohead dashtype 2 linewidth 2 linecolor rgb grey \
         title "the floor's P50"
