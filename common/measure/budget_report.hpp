// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What `make budget` collects, and how it says what it found.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/measure/hops.hpp"

namespace ladder {

/// One figure of each round.
struct OverRounds {
    std::vector<double> values; ///< by round

    /// Their median. @throws std::invalid_argument if there are none
    nlohmann::json figure() const;
    /// The least and the greatest of them. @throws std::invalid_argument if there are none
    nlohmann::json interval() const;
};

/// Everything that is known of one way of the messages, over all rounds.
struct Way {
    std::string name;                         ///< as its stage
    Budget before;                            ///< what comes before the stamp
    Budget budget;                            ///< from the stamp on
    std::vector<Cycles> with{};               ///< latencies with the moments written down
    std::vector<Cycles> without{};            ///< latencies without
    OverRounds ratio_p50{}, ratio_mean{};     ///< with to without
    OverRounds difference_p50{};              ///< with minus without
    std::uint64_t incomplete = 0;             ///< a moment is missing: nobody slept, for example
    std::uint64_t lost = 0, stamp_errors = 0; ///< messages
    std::uint64_t floor_moved = 0;            ///< series during which it did and that stayed
    std::uint64_t rejected = 0;               ///< series that were measured again

    /// What the last series said: its P50 with the moments to that without.
    nlohmann::json last() const;
};

/// The late messages of the ring, over all rounds.
struct Tail {
    std::map<Cause, std::vector<Cycles>> late{}; ///< latencies, by cause
    OverRounds latency_p50{}, p99{};             ///< of all messages
    OverRounds store_p50{};                      ///< from the stamp to the store
    OverRounds reading_p50{};                    ///< from one reading of the clock to the next
    std::uint64_t gap_readings = 0;              ///< from how many of these on a time is a gap
    GapTotals totals{};                          ///< between two readings: the consumer was not running
    std::uint64_t gaps_not_kept = 0; ///< for which there was no room: what they caused is unexplained
    Cycles watched_cycles = 0;       ///< how long the consumer looked in all
    std::uint64_t floor_moved = 0;   ///< series during which it did and that stayed
    std::uint64_t rejected = 0;      ///< series that were measured again

    /// What the last series said: its P50 and P99.
    nlohmann::json last() const;
};

/// The mean. @throws std::invalid_argument if there are no values
double mean(const std::vector<Cycles> &values);

/// A row of the result. @throws std::runtime_error if there are too few messages to say anything
nlohmann::json to_json(const Way &way, int rounds);

/// The late messages and their causes.
nlohmann::json to_json(const Tail &tail, int rounds);

/// What was found, in one sentence made of the figures. @param result  with its rows and its tail
std::string budget_finding(const nlohmann::json &result);

/// The result as tables for a terminal.
std::string budget_tables(const nlohmann::json &result);

} // namespace ladder
