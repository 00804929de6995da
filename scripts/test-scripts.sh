#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tests of the scripts: downloads that break, command lines that are wrong, results that are missing, guests that end
# badly. Each test is a function whose name says what has to hold; the last line counts.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need busybox curl xz pgrep pkill
. "$top/scripts/testing.sh"
server=''
at_the_end() { [[ -z $server ]] || kill "$server" 2>/dev/null || true; }

# --- A kernel from a mirror: a small tarball, from this machine. ---
mkdir -p "$scratch/mirror/v5.x" "$scratch/linux-5.4.9"
touch "$scratch/linux-5.4.9/Kbuild" "$scratch/linux-5.4.9/Makefile"
head -c 300000 /dev/urandom >"$scratch/linux-5.4.9/data"
tar -cJf "$scratch/mirror/v5.x/linux-5.4.9.tar.xz" -C "$scratch" linux-5.4.9
sum=$(sha256sum "$scratch/mirror/v5.x/linux-5.4.9.tar.xz" | cut -d' ' -f1)
# A port that nobody else has: busybox httpd fails at once if it is taken.
for _ in 1 2 3 4 5 6 7 8 9 10; do
    port=$((20000 + RANDOM))
    busybox httpd -f -p "127.0.0.1:$port" -h "$scratch/mirror" &
    server=$!
    until curl -s -o /dev/null "http://127.0.0.1:$port/" || ! kill -0 "$server" 2>/dev/null; do sleep 0.05; done
    kill -0 "$server" 2>/dev/null && break
done
get() { # get NAME [SHA256]: from the mirror into a cache of that name
    env KERNEL=5.4.9 KERNEL_SHA256="${2-$sum}" KERNEL_MIRROR="http://127.0.0.1:$port" CACHE="$scratch/$1" \
        "$top/scripts/get-kernel.sh"
}
kernel_comes_from_a_mirror() {
    [[ -f $(get good)/Kbuild ]]
}
kernel_is_unpacked_once() {
    local first
    first=$(get once)
    touch "$first/mark"
    [[ -f $(get once)/mark ]]
}
interrupted_download_is_gone_on_with() {
    mkdir -p "$scratch/resumed/source"
    head -c 1000 "$scratch/mirror/v5.x/linux-5.4.9.tar.xz" >"$scratch/resumed/source/linux-5.4.9.tar.xz.part"
    [[ -f $(get resumed)/Kbuild ]]
}
interrupted_unpacking_starts_over() {
    mkdir -p "$scratch/again/source/linux-5.4.9.unpacking/half"
    local source
    source=$(get again)
    [[ -f $source/Kbuild && ! -e $source/half && ! -e $scratch/again/source/linux-5.4.9.unpacking ]]
}
damaged_tarball_is_named_and_refused() {
    mkdir -p "$scratch/damaged/source"
    echo 'not a tarball' >"$scratch/damaged/source/linux-5.4.9.tar.xz"
    fails_with 1 'linux-5.4.9.tar.xz' get damaged
    grep -q "$sum" "$scratch/stderr" || return 1
    [[ ! -e $scratch/damaged/source/linux-5.4.9 ]]
    [[ -f $(get damaged)/Kbuild ]] # the damaged one is gone: the next try works
}
wrong_checksum_is_refused() {
    fails_with 1 'is damaged' get wrong "${sum//[0-9a-f]/0}"
}
full_version_needs_a_checksum() {
    fails_with 1 'KERNEL_SHA256' get none ''
}
mirror_that_is_away_is_named() {
    fails_with 1 'KERNEL_MIRROR' env KERNEL=5.4.9 KERNEL_SHA256="$sum" KERNEL_MIRROR=http://127.0.0.1:1 \
        CACHE="$scratch/away" "$top/scripts/get-kernel.sh"
}
two_at_once_unpack_one() {
    get both >"$scratch/first" 2>/dev/null &
    get both >"$scratch/second" 2>/dev/null
    wait $!
    cmp "$scratch/first" "$scratch/second" && [[ -f $(cat "$scratch/first")/Kbuild ]]
}
source_that_was_built_in_is_refused() {
    mkdir -p "$scratch/dirty"
    touch "$scratch/dirty/Kbuild" "$scratch/dirty/Makefile" "$scratch/dirty/.config"
    fails_with 1 'mrproper' env KERNEL_SRC="$scratch/dirty" "$top/scripts/get-kernel.sh"
}
folder_without_a_kernel_is_refused() {
    fails_with 1 'no kernel source' env KERNEL_SRC="$scratch/mirror" "$top/scripts/get-kernel.sh"
}
unknown_kernel_is_refused() {
    fails_with 1 '6.1, 6.12 and 5.4' env KERNEL=4.19 CACHE="$scratch/unknown" "$top/scripts/get-kernel.sh"
    fails_with 2 'KERNEL=banana' env KERNEL=banana "$top/scripts/get-kernel.sh"
}

# --- Command lines. ---
wrong_values_are_named() {
    fails_with 2 'SAMPLES=0' env SAMPLES=0 "$top/scripts/run-stage.sh" 3
    fails_with 2 'SAMPLES=x' env SAMPLES=x "$top/scripts/run-stage.sh" 3
    fails_with 2 'PERIOD_US=1 ' env PERIOD_US=1 "$top/scripts/run-stage.sh" 3
    fails_with 2 'RAW=2' env RAW=2 "$top/scripts/run-stage.sh" 3
    fails_with 2 'at most 4000000' env RAW=1 SAMPLES=10000000 "$top/scripts/run-stage.sh" 3
    fails_with 2 'ROUNDS=-1' env ROUNDS=-1 "$top/scripts/table.sh"
    fails_with 2 "stage '4'" "$top/scripts/run-stage.sh" 4
    fails_with 2 'FROM before TO' "$top/scripts/diff.sh" 3 1
}
diff_of_a_stage_is_its_patch() {
    "$top/scripts/diff.sh" 1 2 >"$scratch/diff"
    sed -n '/^diff --git/,$p' "$top/stage2-mmap/kernel.patch" >"$scratch/delta"
    head -c "$(stat -c %s "$scratch/delta")" "$scratch/diff" | cmp - "$scratch/delta"
    grep -q '^+.*poll_mailbox' "$scratch/diff"
}
setup_without_root_says_what_to_run() {
    [[ $EUID -eq 0 ]] || return 0 # only root can become nobody
    # A system in which nothing is installed: no tool but what set-up itself needs.
    mkdir -p "$scratch/bin"
    for tool in bash cut awk sed sort dirname env cat grep df id dpkg dpkg-query apt-get mawk; do
        ln -sf "$(type -P "$tool")" "$scratch/bin/$tool"
    done
    # Nobody may not look into a checkout below /root.
    mkdir -p "$scratch/checkout/scripts"
    cp "$top"/scripts/{setup.sh,lib.sh,packages,kernels} "$scratch/checkout/scripts/"
    chmod 755 "$scratch"
    fails_with 1 'apt-get update && apt-get install' setpriv --reuid=65534 --regid=65534 --clear-groups \
        env -i PATH="$scratch/bin" bash "$scratch/checkout/scripts/setup.sh"
}

progress_of_the_guest_is_passed_on_once() {
    follow_progress "$scratch/console" 2>"$scratch/progress"
    printf '  250 of 1,000 samples; about 1:30 left\r\n  a line of another kind\r\n' >>"$scratch/console"
    until grep -q '1:30 left' "$scratch/progress"; do sleep 0.02; done
    # The runner writes the console again when all is over.
    printf '  250 of 1,000 samples; about 1:30 left\n  500 of 1,000 samples; about 1:00 left\n' >>"$scratch/console"
    until grep -q '1:00 left' "$scratch/progress"; do sleep 0.02; done
    kill "$follower"
    printf '%s\n' '  250 of 1,000 samples; about 1:30 left' '  500 of 1,000 samples; about 1:00 left' | cmp - "$scratch/progress"
}

# --- Pictures and the report, in a checkout of their own with results that are made up. ---
drawing=$scratch/drawing
mkdir -p "$drawing/common" "$drawing/build/results"
cp -r "$top/common/plots" "$drawing/common/"
cp -r "$top/scripts" "$drawing/"
one_result() {
    printf '%s\n' '{"schema": 1, "finding": "it <pours>", "environment": {"kernel": "6.1", "commit": "abc", "dirty": true},
        "rows": [{"door": "read", "burst": 1, "arrived_per_second": 10, "arrived_per_second_ci": [9, 11],
                  "lost_share": 0, "cycles_per_message": 7, "cycles_per_message_ci": [6, 8]},
                 {"door": "read", "burst": 4, "arrived_per_second": 40, "arrived_per_second_ci": [30, 50],
                  "lost_share": 0.5, "cycles_per_message": 7, "cycles_per_message_ci": [6, 8]}]}' \
        >"$drawing/build/results/throughput.json"
}
nothing_to_draw_is_an_error() {
    rm -rf "$drawing/build/results/"*
    fails_with 1 'nothing to draw' "$drawing/scripts/plots.sh"
    for verb in table budget ablation alternatives throughput; do grep -qF "(make $verb)" "$scratch/stdout"; done
    fails_with 1 'nothing to draw' "$drawing/scripts/report.sh"
    [[ ! -e $drawing/build/report.html ]]
}
damaged_result_is_not_drawn() {
    echo '{"rows": [' >"$drawing/build/results/budget.json"
    fails_with 1 'build/results/budget.json is damaged: run make budget again' "$drawing/scripts/plots.sh"
    rm "$drawing/build/results/budget.json"
}
picture_is_legible_in_light_and_dark() {
    one_result
    "$drawing/scripts/plots.sh"
    local picture=$drawing/build/plots/throughput.svg
    grep -q 'prefers-color-scheme: dark' "$picture"
    grep -q currentColor "$picture"
    ! grep -E "['\"](black|rgb\( *0, *0, *0\))['\"]" "$picture"
}
report_needs_no_other_file() {
    one_result
    "$drawing/scripts/report.sh"
    local page=$drawing/build/report.html
    grep -q '<svg class="ladder-plot"' "$page"
    grep -q 'Not measured: .*make table' "$page"
    grep -q 'It &lt;pours&gt;' "$page"
    grep -q '<dd>6.1</dd>' "$page"
    ! grep -nE '(src|href)=["'"'"'](https?:|[^#])|@import|url\(|<script' "$page"
}

what_is_kept_is_what_was_measured() {
    local project=$scratch/keep
    mkdir -p "$project/scripts" "$project/book/results" "$project/build/results/rounds/round-001" "$project/build/plots"
    cp "$top/scripts/lib.sh" "$top/scripts/keep.sh" "$project/scripts/"
    printf '#!/bin/sh\necho "<svg/>" >"%s/build/plots/cdf.svg"\n' "$project" >"$project/scripts/plots.sh"
    chmod +x "$project/scripts/plots.sh"
    printf '%s\n' above '<!-- table -->' old '<!-- end of table -->' below >"$project/README.md"
    fails_with 1 'run make table' "$project/scripts/keep.sh"
    cp "$top/book/results/table.json" "$project/build/results/"
    echo 'sequence,sent,latency' >"$project/build/results/rounds/round-001/samples.csv"
    "$project/scripts/keep.sh"
    cmp "$top/book/results/table.json" "$project/book/results/table.json"
    [[ $(cat "$project/book/results/cdf.svg") == '<svg/>' ]]
    tar -tf "$project/book/results/raw.tar.xz" | grep -qx 'results/rounds/round-001/samples.csv'
    [[ $(sed -n '1p; $p' "$project/README.md" | paste -s) == $'above\tbelow' ]]
    if grep -qx old "$project/README.md"; then return 1; fi
    grep -qF "| $(jq '.rows[3].lost' "$top/book/results/table.json") |" <(grep '^| \[stage3-spsc\]' "$project/README.md")
    # One damaged result, and the book stays as it was.
    echo '{"rows": [' >"$project/build/results/bench.json"
    jq '.rows[0].lost = 5' "$top/book/results/table.json" >"$project/build/results/table.json"
    fails_with 1 'build/results/bench.json is damaged: run make bench again' "$project/scripts/keep.sh"
    cmp "$top/book/results/table.json" "$project/book/results/table.json"
    rm "$project/build/results/bench.json"
    cp "$top/book/results/table.json" "$project/build/results/"
    local sum
    sum=$(sha256sum <"$project/book/results/raw.tar.xz")
    "$project/scripts/keep.sh"
    [[ $(sha256sum <"$project/book/results/raw.tar.xz") == "$sum" ]]
}

# A boot that is made up: the floor moves in the first series, and in each one if "always" exists.
series_is_measured_again_when_the_floor_moved() {
    local project=$scratch/again name=stage0-syscall
    mkdir -p "$project/scripts" "$project/build/programs" "$project/book/results"
    cp "$top/scripts/lib.sh" "$top/scripts/run-stage.sh" "$project/scripts/"
    cp "$top/book/results/original.csv" "$project/book/results/"
    ln -s "$build/programs/ladder-table" "$project/build/programs/"
    tar -xf "$top/book/results/raw.tar.xz" -C "$project" results/rounds/round-001/$name
    for script in build-programs build-kernel initramfs; do ln -s /bin/true "$project/scripts/$script.sh"; done
    cat >"$project/scripts/boot.sh" <<'EOF'
#!/bin/bash
while [[ $1 != --output ]]; do shift; done
here=$(dirname "$0")/..
cp "$here"/results/rounds/round-001/*/* "$2/"
[[ -e $here/booted && ! -e $here/always ]] || moved=2
echo >>"$here/booted"
jq ".floor_after.half_rtt_p50 = .floor_before.half_rtt_p50 * ${moved:-1}" "$2/result.json" >"$2/new"
mv "$2/new" "$2/result.json"
EOF
    chmod +x "$project/scripts/boot.sh"
    "$project/scripts/run-stage.sh" 0
    local kept=$project/build/results/stage0
    [[ $(wc -l <"$project/booted") == 2 ]]
    [[ $(jq -c '.rows[0] | [.rounds, .rejected_series, .unsettled_series]' "$kept/table.json") == '[1,1,0]' ]]
    [[ -s $kept/rejected/1-$name/samples.csv ]]
    # A floor that never holds still: two more, and no end without a row.
    rm "$project/booted"
    touch "$project/always"
    "$project/scripts/run-stage.sh" 0
    [[ $(wc -l <"$project/booted") == 3 ]]
    [[ $(jq -c '.rows[0] | [.rounds, .rejected_series, .unsettled_series]' "$kept/table.json") == '[1,2,1]' ]]
}

# --- Guests that end badly: each its own status, its log named, and no QEMU left. ---
guest_that_succeeds() {
    boot 'echo hello >/results/greeting' && [[ $(cat "$scratch/boot/greeting") == hello ]] && no_qemu_left
}
results_hold_a_million_samples() {
    boot 'yes 18446744073709551615,18446744073709551615,4294967295 | head -n 1000000 >/results/big' &&
        [[ $(wc -l <"$scratch/boot/big") == 1000000 ]]
}
command_that_fails_is_12() {
    fails_with 12 'status 7' boot 'exit 7' && grep -q console.log "$scratch/stderr" && no_qemu_left
}
deadline_is_11() {
    fails_with 11 'deadline' boot 'while :; do :; done' --deadline 5 && no_qemu_left
}
guest_that_does_not_boot_is_10() {
    fails_with 10 'boot failed' boot true --append 'rdinit=/nowhere root=/nowhere' && no_qemu_left
}
kernel_that_complains_is_13() {
    fails_with 13 'WARNING: a test' boot 'echo "<4>WARNING: a test" >/dev/kmsg' && no_qemu_left
}
guest_that_dies_is_14() {
    fails_with 14 'before the guest was done' boot 'reboot -f' && no_qemu_left
}
# Whatever ends the script around it: the guest goes with it, and so does what waits for it.
killed_caller_leaves_nothing() {
    begin 47
    kill -KILL "$runner"
    wait "$runner" || true
    no_qemu_left
    none_left "the runner's timer" -fx 'sleep 47'
}
killed_runner_leaves_no_qemu() {
    begin 60
    pkill -KILL -P "$runner" -f boot.sh || kill -KILL "$runner"
    wait "$runner" || true
    no_qemu_left
}
interrupted_runner_leaves_no_qemu() {
    begin 46
    pkill -TERM -f "$top/scripts/boot.sh.*$scratch/boot" || return 1
    wait "$runner" || true
    no_qemu_left
    none_left "the runner's timer" -fx 'sleep 46'
}

for name in kernel_comes_from_a_mirror kernel_is_unpacked_once interrupted_download_is_gone_on_with \
    interrupted_unpacking_starts_over damaged_tarball_is_named_and_refused wrong_checksum_is_refused \
    full_version_needs_a_checksum mirror_that_is_away_is_named two_at_once_unpack_one \
    source_that_was_built_in_is_refused folder_without_a_kernel_is_refused unknown_kernel_is_refused \
    wrong_values_are_named diff_of_a_stage_is_its_patch setup_without_root_says_what_to_run \
    progress_of_the_guest_is_passed_on_once what_is_kept_is_what_was_measured; do
    test_that "$name"
done
for name in nothing_to_draw_is_an_error damaged_result_is_not_drawn picture_is_legible_in_light_and_dark \
    report_needs_no_other_file; do
    if [[ -n $(type -P gnuplot) ]]; then test_that "$name"; else skip "$name" 'gnuplot is missing'; fi
done
"$top/scripts/build-programs.sh" ladder-table
"$top/scripts/build-kernel.sh" 0
"$top/scripts/initramfs.sh" "$build/tests-base.cpio"
for name in series_is_measured_again_when_the_floor_moved guest_that_succeeds results_hold_a_million_samples command_that_fails_is_12 deadline_is_11 \
    guest_that_does_not_boot_is_10 kernel_that_complains_is_13 guest_that_dies_is_14 \
    killed_caller_leaves_nothing killed_runner_leaves_no_qemu interrupted_runner_leaves_no_qemu; do
    test_that "$name"
done
report
