// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>

#include "common/deadline.hpp"
#include "common/statistics.hpp"

namespace ladder {

/// The floor: the same 16 bytes from one pinned user thread to another, through one cache line, without
/// the kernel and without `pause`. The host decides where it is, and moves it. A door can be a little below
/// the paced figures: their producer is a process that was just woken, with colder caches than an interrupt
/// has.
struct Floor {
    Cycles p50;                 ///< one message per period, its producer asleep in between
    Cycles p99;                 ///< the same messages
    Cycles half_round_trip_p50; ///< half the median round trip of a ping-pong that never sleeps
};

/// @brief Measures the floor between two CPUs.
/// @param producer_cpu,consumer_cpu  the two threads are pinned to them; one and the same CPU is an error
/// @param messages      paced messages, at least 1
/// @param period        time from one paced message to the next
/// @param warmup        paced messages before the first that counts
/// @param deadline      the end of every wait
/// @throws std::invalid_argument for no messages or one CPU, std::system_error if a thread cannot be pinned,
///         DeadlinePassed if the host does not let the threads run
Floor measure_floor(int producer_cpu, int consumer_cpu, std::size_t messages,
                    std::chrono::microseconds period, std::size_t warmup, const Deadline &deadline);

} // namespace ladder
