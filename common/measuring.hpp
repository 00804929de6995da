// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "common/deadline.hpp"
#include "common/statistics.hpp"

namespace ladder {

/// Enough paced messages for a P99 of the floor, however long the series beside it is.
inline constexpr std::size_t most_floor_messages = 1000;

/// The median cost of one `pause`, in TSC cycles.
Cycles cost_of_pause();

/// How to poll where a `pause` costs so much: without it in an emulator, or in a guest that leaves.
Spin spin_for(Cycles pause);

/// "plain" or "pause", as on the command line.
std::string to_string(Spin spin);

/// Interrupts a system call of the main thread that still blocks a second after the deadline: it fails with
/// EINTR.
/// @param allowed  the whole time that the deadline gives, from now on
void interrupt_after(std::chrono::seconds allowed);

/// A page fault in the middle of a series is a cost of the system, not of the door: keeps all pages in
/// memory, or warns on standard error. @param who  the program's name, for the warning
void lock_memory(const std::string &who);

} // namespace ladder
