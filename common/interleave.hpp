// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/deadline.hpp"
#include "common/floor.hpp"
#include "common/series.hpp"

namespace ladder {

/// One of several ways that are compared.
struct Contender {
    std::string name; ///< unique, for example "ring by slot"
    /// Fills the series, and adds figures of its own (for example "cpu_share") if it has any. It runs in the
    /// main thread; what it does to that thread's affinity is undone.
    std::function<void(Series &series, std::map<std::string, double> &figures)> measure;
};

/// How often and how much is measured.
struct Rounds {
    int rounds = 5;             ///< at least 1
    std::size_t samples = 1000; ///< per series, at least 1
    std::size_t warmup = 0;     ///< messages before the first sample of a series
    unsigned period_us = 1000;  ///< microseconds from one message of the floor to the next
    int producer_cpu = 0;       ///< of the floor
    int consumer_cpu = 1;       ///< of the floor
    int most_repeats = 5;       ///< how many series may be measured again, in all
};

/// Measures the floor. The tests put another in its place.
using MeasureFloor = std::function<Floor()>;

/// @brief Measures all contenders in turn, round by round, with the floor between any two series.
///
/// A series during which the floor moved (floor_moved()) is kept, counted and measured again, up to
/// Rounds::most_repeats in all; after that it stays as it is. Progress and time left go to standard error,
/// between two series.
/// @returns `environment`, `contenders` (the names in order), `rounds` (for each name `series`, `figures`,
///          `floor_before`, `floor_after`) and `rejected` (a list of the same, with `name`)
/// @throws std::invalid_argument for no contender, a name twice, no round or no sample; and what the
/// contenders throw
nlohmann::json interleave(const std::vector<Contender> &contenders, const Rounds &rounds,
                          const Deadline &deadline);

/// The same with a floor of the caller's, and without an environment.
nlohmann::json interleave(const std::vector<Contender> &contenders, const Rounds &rounds,
                          const MeasureFloor &floor);

} // namespace ladder
