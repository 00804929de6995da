// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What has to hold once the calls are over: the device is as good as new, and nothing was lost on the way.

#include <cstdint>
#include <vector>

#include "common/fuzz/outcomes.hpp"

namespace ladder::fuzz {

/// What a leak would change. Taken while no worker runs.
struct Memory {
    std::uint64_t free_kib = 0;      ///< /proc/meminfo, with the caches dropped
    std::uint64_t unreclaim_kib = 0; ///< the slabs that cannot be given back
    long driver_pages = -1;          ///< pages that the driver allocated; -1 if the kernel does not know
    std::uint64_t mapped = 0;        ///< how often a process maps one of the pages of the device
};

/// Mounts what the checks look at, and keeps the kernel from logging each SIGSEGV.
void prepare_checks();

/// The last close() waits for an RCU grace period, tens of milliseconds; or, when these are short, one or
/// two.
void shorten_grace_periods(bool shorten);

/// How things are now. @param stage  what the kernel has
Memory measure_memory(int stage);

/// Compares: nothing may have become less from @p before to @p after, but for the noise of a running system.
std::vector<Check> check_memory(const Memory &before, const Memory &after);

/// Each door that the stage has still brings messages; nothing runs on; the kernel has not complained.
std::vector<Check> check_device(int stage);

/// What kmemleak found. Takes seconds: it is sure only of what is some seconds old.
Check check_kmemleak();

} // namespace ladder::fuzz
