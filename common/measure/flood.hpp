// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The figures of `make throughput`: what arrives when it pours.

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace ladder {

/// What came of one burst size through one door, in one round.
struct Flood {
    double arrived_per_second; ///< messages
    double lost_share;         ///< of all messages that were made, 0 to 1
    double cycles_per_message; ///< CPU time of the consumer, without the time in which it looked in vain
};

/// All of them: by door and burst, one entry a round.
using Floods = std::map<std::string, std::map<unsigned int, std::vector<Flood>>>;

/// The names of the doors that the goals are about.
inline constexpr const char *one_read = "read";
inline constexpr const char *batched_read = "batched read";
inline constexpr const char *the_ring = "ring by slot";

/// @brief Makes the result: `rows` (a door and a burst each, medians over the rounds, with the least and the
/// greatest in `_ci`), `goals` and `finding`.
/// @param doors     in the order of the rows
/// @param capacity  messages that the ring holds
/// @throws std::runtime_error if a door of the goals is not there, or rounds are missing
nlohmann::json flood_result(const Floods &floods, const std::vector<std::string> &doors,
                            unsigned int capacity);

/// The result as tables for a terminal.
std::string flood_tables(const nlohmann::json &result);

} // namespace ladder
