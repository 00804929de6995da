// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace ladder {

/// Binds the calling thread to one CPU. The thread runs there when the call returns.
///
/// @param cpu  the number that the kernel gives the CPU, from 0
/// @throws std::system_error if the CPU does not exist or must not be used, for example
///         "cannot pin to CPU 7: Invalid argument"
void pin_to_cpu(int cpu);

/// Lets the calling thread run on these CPUs, and no others: undoes pin_to_cpu() with what allowed_cpus()
/// said before.
///
/// @throws std::system_error if none of the CPUs exists, or one must not be used
void allow_cpus(const std::vector<int> &cpus);

/// The CPUs on which the calling thread may run, in ascending order.
///
/// @throws std::system_error if the kernel does not say
std::vector<int> allowed_cpus();

/// The CPU on which the calling thread runs. Without pin_to_cpu() the answer may be outdated at once.
///
/// @throws std::system_error if the kernel does not say
int current_cpu();

} // namespace ladder
