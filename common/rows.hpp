// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/statistics.hpp"

namespace ladder {

/// In each round the series by name (a stage, a contender); a round may lack some. A series has `series`,
/// `floor_before`, `floor_after`, and for its origin `environment` (the guest's) and `host` (the runner's).
using SeriesByRound = std::vector<std::map<std::string, nlohmann::json>>;

/// The figures for which every row has a value and an interval: "p50", "p99", "p999".
inline constexpr std::array percentiles{"p50", "p99", "p999"};

/// Median, smallest and largest of one figure over the rounds.
struct Spread {
    double median; ///< nearest-rank: one of the rounds' own
    double low;    ///< the smallest
    double high;   ///< the largest
};

/// @throws std::invalid_argument without values, or if one is not a number
Spread spread_of(std::vector<double> values);

/// A figure of each round that has the series @p name.
std::vector<double> collect(const SeriesByRound &rounds, const std::string &name,
                            const std::function<double(const nlohmann::json &)> &figure);

/// To the next 1 / @p scale.
double rounded(double value, double scale = 100);

/// The floor of a series: the mean of what was measured before it and after it.
/// @param series  with `floor_before` and `floor_after`
/// @param figure  "p50", "p99" or "half_rtt_p50"
double floor_of(const nlohmann::json &series, const char *figure);

/// Whether the host changed its speed during a series: half the ping-pong's round trip, measured right
/// before and right after it, differs by more than 1.5 times. What the series itself says plays no part.
bool floor_moved(const nlohmann::json &series);

/// @brief One row of a results table (the book has its keys), without a name.
///
/// A figure is the median over the rounds, its `_ci` the smallest and the largest of them; counts are sums,
/// `max` is the largest. One round alone has its series' own intervals.
/// @param rounds  at least one of them has the series
/// @param name  of the series
/// @param rejected  how many series of that name were rejected and measured again
nlohmann::json make_row(const SeriesByRound &rounds, const std::string &name, std::size_t rejected);

/// @brief What all series have in common. A difference in anything that changes a figure is an error.
/// @param rounds  the series
/// @param varies  keys that may differ: what the series are compared for; they are left out
/// @throws std::runtime_error if two come from different kernels, commits or machines
nlohmann::json make_environment(const SeriesByRound &rounds, const std::set<std::string> &varies = {});

} // namespace ladder
