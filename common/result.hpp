// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "common/floor.hpp"
#include "common/series.hpp"
#include "common/statistics.hpp"

namespace ladder {

/// A pair `[low, high]` in cycles; `null` is a bound that the sample cannot give.
nlohmann::json to_json(const Interval &interval);

/// Counts, percentiles and their intervals, as the book describes them (results.md).
/// @throws std::invalid_argument without a sample
nlohmann::json to_json(const Series &series);

/// `p50`, `p99` and `half_rtt_p50`, in cycles.
nlohmann::json to_json(const Floor &floor);

/// @throws std::runtime_error that names the file if it is missing or damaged
nlohmann::json read_json(const std::filesystem::path &file);

/// @throws std::system_error that names the file if it cannot be written
void write_json(const std::filesystem::path &file, const nlohmann::json &value);

} // namespace ladder
