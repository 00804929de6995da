// SPDX-License-Identifier: MIT
#pragma once

#include "common/statistics.hpp"

#include <chrono>
#include <cstdint>
#include <string>

#if !defined(__x86_64__)
#error "the time stamp counter (TSC) needs an x86-64 CPU"
#endif
#include <x86intrin.h>

namespace ladder {

/// Reads the time stamp counter (TSC) of the current CPU, in order with the code around it.
///
/// `rdtsc` alone is not ordered: the CPU may run it before earlier instructions have finished, or run later
/// instructions before it. So there are two fences:
///   - the first `lfence` waits until all earlier instructions have completed, earlier loads included.
///   Without
///     it, a stamp taken after a load that saw a message could be older than the load.
///   - the second `lfence` keeps later instructions from starting before the counter has been read. Without
///     it, the work to be measured could begin before its start stamp.
///
/// Earlier stores need not be visible to other CPUs yet; `lfence` does not wait for that. Both fences also
/// bind the compiler. The kernel's counterpart is rdtsc_ordered(), which orders the read after earlier code
/// only. On AMD, `lfence` waits like this because Linux sets a bit for it at boot (LFENCE_RDTSC).
inline Cycles tsc_now() {
    _mm_lfence();
    const Cycles now = __rdtsc();
    _mm_lfence();
    return now;
}

/// Whether the TSC ticks at the same rate in all power states (CPUID 0x80000007, EDX bit 8). If not, cycles
/// cannot be converted to time.
bool tsc_is_invariant();

/// Whether the CPU has the `rdtscp` instruction (CPUID 0x80000001, EDX bit 27).
bool tsc_has_rdtscp();

/// The name of the CPU, for reports: the brand string of CPUID without spaces at its ends, or the vendor
/// ("GenuineIntel") if there is none.
std::string cpu_model();

/// Measures the rate of the TSC against CLOCK_MONOTONIC_RAW, which no time service adjusts.
///
/// @param window  how long to measure, from 1 ms to 10 s; the calling thread sleeps meanwhile
/// @return        TSC cycles per millisecond (kHz)
/// @throws std::invalid_argument if `window` is out of range
/// @throws std::system_error if the clock cannot be read
std::uint64_t tsc_khz(std::chrono::milliseconds window = std::chrono::milliseconds(50));

/// What one tsc_now() costs, in cycles.
struct StampCost {
    Cycles p50; ///< median
    Cycles p99; ///< 99th percentile
};

/// Measures 1,000 pairs of successive tsc_now() calls. Pin the thread before, see pin_to_cpu().
StampCost tsc_stamp_cost();

/// The half-way method: if a message and its answer take equally long, the answer was stamped in the middle.
///
/// @param sent, received  stamps of the asking CPU, in this order
/// @param answered        stamp of the answering CPU
/// @return                `answered` minus the middle of the other two, in cycles
constexpr std::int64_t halfway_offset(Cycles sent, Cycles answered, Cycles received) noexcept {
    const Cycles middle = sent + (received - sent) / 2;
    return static_cast<std::int64_t>(answered - middle);
}

/// Estimates how far the TSC of `cpu_b` is ahead of the TSC of `cpu_a`.
///
/// Two threads, one pinned to each CPU, exchange up to 10,000 messages. The exchange with the shortest round
/// trip decides, by halfway_offset(); the error is at most half of that round trip. The affinity of the
/// calling thread does not change. All waits end after two seconds at the latest, although a real-time task
/// that never leaves one of the CPUs can keep the threads from running at all.
///
/// @return  offset in cycles, negative if `cpu_b` is behind; 0 if both CPUs are the same
/// @throws std::system_error if a thread cannot be started or pinned (the message names the CPU), or with
///         std::errc::timed_out if the CPUs exchanged fewer than 100 messages in time
std::int64_t tsc_offset_between(int cpu_a, int cpu_b);

} // namespace ladder
