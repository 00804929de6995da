// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/rows.hpp"
#include "common/statistics.hpp"

namespace ladder {

/// The original's three percentiles of a stage, in TSC cycles.
struct Reference {
    Cycles p50;  ///< median
    Cycles p99;  ///< 99th percentile
    Cycles p999; ///< 99.9th percentile
};

/// Reads the original's table: `method,stage,p50,p99,p99.9,...`, lines with `#` are comments.
/// @returns the figures by stage name
/// @throws std::runtime_error that names the file and the line
std::map<std::string, Reference> read_reference(const std::filesystem::path &csv);

/// One series with where it came from: a client's result.json and the runner's host.json as `host`.
/// @throws std::runtime_error that names the file if one is missing or damaged
nlohmann::json read_series(const std::filesystem::path &folder);

/// @brief Makes the results table (its schema is in the book) of the rounds' series.
/// @param rounds  in each round the series by stage name; a round may lack stages
/// @param rejected  how many series of a stage were rejected and measured again
/// @param reference  the original's figures, by stage
///
/// A figure is the median over the rounds, its `_ci` the smallest and the largest of them; counts are sums,
/// `max` is the largest; a ratio is the median of the rounds' own ratios.
/// @throws std::runtime_error if there is no series, or if two come from different kernels, commits or
/// machines
nlohmann::json make_table(const SeriesByRound &rounds, const std::map<std::string, std::size_t> &rejected,
                          const std::map<std::string, Reference> &reference);

/// The part of a table with percentiles, intervals and times, as Markdown. A row is named by `stage` or
/// `name`.
/// @param out  where to
/// @param table  with `environment` and `rows`
/// @param widths  of the four columns: name, P50, P99, P99.9
void print_latencies(std::ostream &out, const nlohmann::json &table, const std::vector<int> &widths);

/// The table as Markdown that also reads well on a terminal of 110 columns.
std::string to_markdown(const nlohmann::json &table);

} // namespace ladder
