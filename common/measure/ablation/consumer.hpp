// SPDX-License-Identifier: MIT
#pragma once

#include "common/deadline.hpp"
#include "common/measure/ablation/configuration.hpp"
#include "common/run.hpp"
#include "common/series.hpp"

namespace ladder::ablation {

/// @brief Opens the device, starts the simulator and takes messages until the series is complete.
///
/// The calling thread's affinity changes if the configuration pins it.
/// @param how       every choice
/// @param options   period, the producer's and the consumer's CPU
/// @param deadline  the end of every wait; a read() that still sleeps then has to be interrupted by a signal
/// @param series    takes the messages, and what the kernel dropped
/// @throws DeadlinePassed, std::system_error
void measure(const Configuration &how, const Options &options, const Deadline &deadline, Series &series);

} // namespace ladder::ablation
