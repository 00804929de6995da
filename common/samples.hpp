// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <ostream>

#include "common/histogram.hpp"

namespace ladder {

/// Counts the latencies that Series::write_csv() left in a folder: samples.csv or histogram.csv.
/// @throws std::runtime_error that names the file and the line if it is damaged, or the folder if it has
/// neither
Histogram read_samples(const std::filesystem::path &folder);

/// The cumulative distribution as a line that can be drawn: `cycles share` pairs, two for each bucket that is
/// not empty, the share of samples below it and up to its end. The last share below 1 is the last one: on an
/// axis that stretches the tail, 1 is infinitely far away.
void write_cdf(std::ostream &out, const Histogram &histogram);

} // namespace ladder
