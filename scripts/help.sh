#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make help`: every verb in reading order, one line each, and every variable.
cat <<'TEXT'
Latency Ladder: how a message gets from the Linux kernel to a user process, and what each way costs.

First
  make doctor         what is installed, what is missing, and the one command that mends it
  make setup          install what is missing (as root, or through sudo)

Climb (N is 0, 1, 2 or 3)
  make stageN-run     build and boot stage N, run its client, print its row beside the original's
  make stageN-diff    what stage N changes: kernel and client
  make stageN-shell   a prompt in the guest, with every client on its PATH
  make stageN-test    the stage's tests, inside the guest
  make stageN-debug   the guest waits for gdb, and gdb is attached
  make diff FROM=0 TO=3  the same as stageN-diff, between any two stages
  make table          all stages in turn, several rounds: the results table beside the original's
  make budget         where the cycles of stage 1 and 3 go, hop by hop, and why the latest messages are late
  make ablation       which change bought what: each choice alone, from the best configuration and the naive one
                      (kernels of its own the first time, then a quarter of an hour)
  make alternatives   the same messages through other doors: poll, epoll, io_uring, BPF ring buffer, pipe, ...
  make throughput     bursts of 1 to 4096 messages a tick: what arrives, what is lost, what a message costs
  make plots          pictures of all results that are there, in build/plots
  make report         tables, pictures and provenance in one file to hand in: build/report.html
  make keep           the newest results, with their raw data, go into the book and the README
  make bench          the C++ ring on this host, beside boost's, moodycamel's and DPDK's
  make book           the book, as web pages in build/book

Check
  make test           all tests, on the host and in the guest
  make mutants        break the kernel on purpose, one line at a time: does the right test see it? (STAGE=2: one stage)
  make ring-mutants   the same with the C++ ring, under the thread sanitizer
  make model          every interleaving of a small ring, with stores that overtake each other (Promela, spin)
  make litmus         the ring's two guarantees in the kernel's own format (needs herd7, which no package has)
  make fuzz STAGE=3   random calls at /dev/hft from two processes for FUZZ_SECONDS; best with SANITIZE=kasan
  make soak           ten million messages, a thousand killed consumers: every message accounted for
  make faults         the runner with QEMU missing, killed or hung, a full disk, broken KVM, Ctrl-C at any moment
  make boots          BOOTS=100 boots in a row: does each come to its end?
  make test-full      all of the above in their long form: hours
  make trust          the page on trust gets the figures of the last runs
  make lint           checkpatch, sparse, gcc -fanalyzer, clang-format, clang-tidy, shellcheck

Tidy up
  make clean          remove build/
  make distclean      remove build/ and the unpacked kernels, too

Variables, for example `make stage3-run KERNEL=6.12 SAMPLES=10000`
  KERNEL=6.1          6.1, 6.12 or 5.4; a full version (5.4.286) comes from KERNEL_MIRROR and needs KERNEL_SHA256
  KERNEL_SRC=dir      a kernel source of your own
  KERNEL_MIRROR=url   where released tarballs are (https://cdn.kernel.org/pub/linux/kernel)
  ACCEL=auto          auto (KVM if it really boots a kernel, else TCG), kvm or tcg
  SAMPLES=1000        messages per series (ticks of `make throughput`: 200)
  WARMUP=0            messages before the first sample; printed with every row
  RAW=1               keep each sample of a series of more than 10,000, not a histogram
  ROUNDS=5            rounds of `make table`, budget, alternatives and throughput
  PERIOD_US=1000      microseconds from one message to the next
  JOBS=2              compilers at once (as many as there are CPUs)
  CACHE=dir           kernel sources and a compiler cache, shared by many users (.cache, without the latter)
  DEBUG=1             a kernel with source lines for gdb, in a tree of its own
  BPF=0               `make alternatives` without the BPF ring buffer, and without a kernel that has it
  SANITIZE=kasan      a kernel that watches its memory, locks and arithmetic (KASAN, UBSAN, lockdep, kmemleak), or
                      SANITIZE=kcsan: its data races; slow, in trees of their own, for every verb that boots
  PREEMPT=full        a kernel that can be preempted (none), in a tree of its own
  PIN=0               leave QEMU's threads to the host's scheduler (1: guest CPU 1 gets a host CPU to itself)
  SWITCHES="wait tail"  what `make ablation` changes (a wrong name lists all), in ROUNDS=10 rounds or BOOTS=5 pairs
  FUZZ_SECONDS=60     FUZZ_CALLS=n ends by count; FUZZ_SEED=n makes the same calls again
TEXT
