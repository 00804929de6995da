// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "common/statistics.hpp"

namespace ladder {

/// What it costs to record samples, the client's own part of each message.
struct RecordingCost {
    double first; ///< TSC cycles per sample at the beginning of a series
    double last;  ///< TSC cycles per sample at its end: not more, however long the series is
};

/// @brief Fills a series of the same size as the one that was measured, and times Series::record().
///
/// In blocks of up to 1,000 samples, so that a stamp is not the cost of what it stamps; each figure is the
/// median of up to ten blocks.
/// @param samples  as of the series that was measured, at least 1
/// @param raw      as of that series
RecordingCost cost_of_recording(std::size_t samples, bool raw);

} // namespace ladder
