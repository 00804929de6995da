# SPDX-License-Identifier: MIT
# Messages that arrive a second, and the share that is lost, against the size of the bursts. Data: a block for each door
# of burst, arrived, two ends, share lost.
set logscale x 2
set xtics 4
set multiplot layout 2, 1
set logscale y
set format y "%.0s%c"
set ylabel "messages that arrive a second"
unset key
set lmargin 11
plot for [i = 1:doors] data index i - 1 using 1:2:3:4 with yerrorlines pointtype 3 + i linewidth 2 \
    linecolor rgb colour[1 + (i - 1) % 8] notitle
unset logscale y
set format y "%g"
set yrange [-2:102]
set ylabel "lost, in %"
set xlabel "messages in a burst" offset 0, 0.4
unset title
set key bmargin center horizontal Left reverse samplen 2
plot for [i = 1:doors] data index i - 1 using 1:(100 * $5) with linespoints pointtype 3 + i linewidth 2 \
    linecolor rgb colour[1 + (i - 1) % 8] title door[i]
unset multiplot
