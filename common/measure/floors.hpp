// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/floor.hpp"
#include "common/measure/program.hpp"
#include "common/result.hpp"
#include "common/rows.hpp"

namespace ladder {

/// The floor between any two series. A series during which it moved (floor_moved()) is rejected, kept,
/// counted and measured again, in all as often as there are rounds; after that it stays.
class Floors {
public:
    /// Measures the one before the first series.
    /// @param messages  of each; @param deadline  the end of every wait; it has to outlive this
    Floors(const Settings &settings, std::size_t messages, const Deadline &deadline)
        : settings_(settings), messages_(messages), deadline_(deadline), repeats_(settings.rounds),
          all_(nlohmann::json::array({now()})) {}

    /// Measures the one after a series. @returns whether to measure that series again
    bool rejects(const std::string &name, nlohmann::json what_it_said) {
        const nlohmann::json before = all_.back();
        all_.push_back(now());
        moved_ = floor_moved({{"floor_before", before}, {"floor_after", all_.back()}});
        if (!moved_ || repeats_ == 0) {
            return false;
        }
        --repeats_;
        rejected_.push_back({{"name", name},
                             {"floor_before", before},
                             {"floor_after", all_.back()},
                             {"series", std::move(what_it_said)}});
        return true;
    }

    /// Whether it moved during the last series.
    bool moved() const { return moved_; }
    /// Each, in the order of time.
    const nlohmann::json &all() const { return all_; }
    /// The series that were measured again, and what they said.
    const nlohmann::json &rejected() const { return rejected_; }

private:
    nlohmann::json now() const {
        return to_json(measure_floor(settings_.producer_cpu, settings_.consumer_cpu, messages_,
                                     std::chrono::microseconds(settings_.period_us), 0, deadline_));
    }

    const Settings &settings_;
    std::size_t messages_;
    const Deadline &deadline_;
    int repeats_;
    bool moved_ = false;
    nlohmann::json all_;
    nlohmann::json rejected_ = nlohmann::json::array();
};

} // namespace ladder
