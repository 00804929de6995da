// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/statistics.hpp"

namespace ladder {

/// One line of a table in Markdown whose columns also stand below each other on a terminal: the first one to
/// the left, the others to the right. It takes 4 characters besides the first width, and 3 besides each
/// other.
/// @param out  where to
/// @param cells  as many as there are columns
/// @param widths  of the columns, in characters
void markdown_line(std::ostream &out, const std::vector<std::string> &cells, const std::vector<int> &widths);

/// The head of such a table, and the line below it. @copydetails markdown_line
void markdown_head(std::ostream &out, const std::vector<std::string> &cells, const std::vector<int> &widths);

/// 570492 as "570,492".
std::string grouped(Cycles value);

/// Cycles as "123 ns", "12 us" or "12 ms".
/// @param cycles  to convert
/// @param khz  the rate of the counter; 0 gives "?"
std::string as_time(Cycles cycles, std::uint64_t khz);

/// A ratio as "0.25x" or "69.7x"; a very small one is "<0.01x".
std::string times(double ratio);

/// The pair `PERCENTILE_ci` of a row as "[1,234, 5,678]"; a bound that is `null` is "unbounded".
std::string interval(const nlohmann::json &row, const std::string &percentile);

/// One paragraph: where the rows of a table come from.
/// @param environment  of the table; a key that is not there is said to differ
/// @param row  one of its rows, for rounds, samples and warm-up
std::string provenance(const nlohmann::json &environment, const nlohmann::json &row);

} // namespace ladder
