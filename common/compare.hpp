// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace ladder {

/// With fewer rounds, "all of them on one side of 1" happens by chance too often: 1 time in 8 with four, 1
/// time in 16 with five.
inline constexpr std::size_t least_rounds_for_effect = 5;

/// How results are compared.
struct Comparison {
    std::string title;            ///< of the table, for readers
    std::string baseline;         ///< the name to which the others are compared; empty: the first
    bool to_floor = false;        ///< divide by the series' own floor first: for series of different boots
    std::set<std::string> varies; ///< keys of the environment that may differ: what is compared
};

/// What interleave() returned, with the runner's host.json of the same folder as `host`.
/// @throws std::runtime_error that names the file if one is missing or damaged, or is no comparison
nlohmann::json read_comparison(const std::filesystem::path &file);

/// @brief Makes a row for each name, in the order in which the names come first.
/// @param results  what read_comparison() returned; the n-th series of a name, over all of them, is in round
/// n
/// @param how  title, baseline, and what may differ
///
/// A row is make_row()'s, with `name`, `figures` (medians over the rounds) and `figures_ci` (the smallest and
/// largest), `ratio` (to the baseline: the median of the rounds' own ratios, with `_ci`; `null` if the
/// baseline is 0) and `effect`: for each percentile true if the ratio's interval excludes 1, false if not,
/// `null` with less than least_rounds_for_effect rounds. `finding` says in one sentence what the rows say of
/// P50.
/// @throws std::runtime_error without results or rounds, if the baseline is not there, a name lacks rounds
/// that the baseline has, or the series come from different systems
nlohmann::json compare(const std::vector<nlohmann::json> &results, const Comparison &how);

/// The rows as Markdown that also reads well on a terminal of 110 columns.
std::string comparison_to_markdown(const nlohmann::json &comparison);

} // namespace ladder
