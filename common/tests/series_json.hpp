// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "common/statistics.hpp"

namespace ladder {

/// A series as a client and the runner leave it.
inline nlohmann::json series(const std::string &stage, ladder::Cycles median, double rtt_before = 100,
                             double rtt_after = 100) {
    return {
        {"stage", stage},
        {"series",
         {{"samples", 1000},
          {"warmup", 0},
          {"lost", 1},
          {"dropped", 2},
          {"repeated", 0},
          {"torn", 3},
          {"stamp_errors", 0},
          {"p50", median},
          {"p99", median * 2},
          {"p999", median * 3},
          {"max", median * 4},
          {"p50_ci", {median - 1, median + 1}},
          {"p99_ci", {median, median * 3}},
          {"p999_ci", {median, nullptr}}}},
        {"neighbours", nlohmann::json::array()},
        {"floor_before", {{"p50", 10}, {"p99", 20}, {"half_rtt_p50", rtt_before}}},
        {"floor_after", {{"p50", 30}, {"p99", 40}, {"half_rtt_p50", rtt_after}}},
        {"environment",
         {{"kernel", "6.1"},
          {"clocksource", "tsc"},
          {"guest_cpu", "q"},
          {"tsc_khz", 1'000'000},
          {"period_us", 1000},
          {"spin", "plain"},
          {"mitigations", "none needed"}}},
        {"host",
         {{"accel", "tcg"},
          {"qemu", "7"},
          {"host_cpu", "h"},
          {"cmdline", "c"},
          {"hz", 250},
          {"preempt", "none"},
          {"commit", "abc"},
          {"dirty", false},
          {"pinned", true},
          {"time", "now"}}},
    };
}

} // namespace ladder
