# SPDX-License-Identifier: MIT
# What all plots share. The colours have a contrast of at least 3:1 on white and on black; text and axes are black here,
# and scripts/plots.sh makes that the colour of the reader's text.
if (!exists("height")) height = 480
set terminal svg size 760,height dynamic noenhanced font "sans-serif,15"
set encoding utf8
set output picture
array colour[8] = [0x3b82f6, 0xe8590c, 0x16a34a, 0xa855f7, 0xef4444, 0x0d9488, 0xb7791f, 0xdb2777]
grey = 0x808080
set grid linecolor rgb grey linewidth 0.5
set border 3
set tics nomirror
set key bmargin center horizontal Left reverse samplen 2
set title heading
