# SPDX-License-Identifier: MIT
# Where a stage's cycles go: the hops' means, stacked, as shares of the whole; what comes before the message's stamp is
# left of zero. Data: one line a hop: from, to, row.
set key bmargin left vertical maxcols 2 Left reverse
set yrange [rows - 0.5:-0.5]
set title heading.", as shares of the mean in %"
set grid noytics
set style fill solid 0.75 border rgb grey
unset border
set xtics 20
set ytics scale 0 ()
set for [i = 1:rows] ytics add (row[i] i - 1)
plot for [i = 1:hops] data every ::i - 1::i - 1 using (($1 + $2) / 2):3:1:2:($3 - 0.3):($3 + 0.3) with boxxyerror \
    linecolor rgb colour[1 + (i - 1) % 8] title hop[i]
