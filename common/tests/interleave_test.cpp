// SPDX-License-Identifier: MIT
#include "common/interleave.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/affinity.hpp"

namespace {

using ladder::Contender;
using ladder::Floor;
using ladder::Series;
using nlohmann::json;
using Figures = std::map<std::string, double>;

const ladder::Rounds two_rounds{.rounds = 2, .samples = 3, .most_repeats = 2};

Contender contender(const std::string &name, ladder::Cycles latency) {
    return {name, [latency](Series &series, Figures &figures) {
                for (std::uint64_t sequence = 1; !series.complete(); ++sequence) {
                    series.record(sequence, 0, latency);
                }
                figures["twice"] = static_cast<double>(2 * latency);
            }};
}

Floor quiet() {
    return {.p50 = 10, .p99 = 20, .half_round_trip_p50 = 100};
}

/// Floors one after the other, the last one for ever.
class Floors {
public:
    explicit Floors(std::vector<ladder::Cycles> half_round_trips) : half_(std::move(half_round_trips)) {}
    Floor operator()() {
        const ladder::Cycles half = half_[std::min(next_, half_.size() - 1)];
        ++next_;
        return {.p50 = 10, .p99 = 20, .half_round_trip_p50 = half};
    }

private:
    std::vector<ladder::Cycles> half_;
    std::size_t next_ = 0;
};

} // namespace

TEST(Interleave, NothingToMeasureIsAnError) {
    EXPECT_THROW(ladder::interleave({}, two_rounds, quiet), std::invalid_argument);
    EXPECT_THROW(ladder::interleave({contender("a", 1)}, {.rounds = 0}, quiet), std::invalid_argument);
    EXPECT_THROW(ladder::interleave({contender("a", 1)}, {.samples = 0}, quiet), std::invalid_argument);
    EXPECT_THROW(ladder::interleave({contender("a", 1), contender("a", 2)}, two_rounds, quiet),
                 std::invalid_argument);
}

TEST(Interleave, MeasuresInTurn) {
    std::string order;
    const auto noting = [&order](const std::string &name) {
        return Contender{name, [&order, name](Series &series, Figures &) {
                             order += name;
                             for (std::uint64_t i = 1; !series.complete(); ++i) {
                                 series.record(i, 0, 1);
                             }
                         }};
    };
    const json result = ladder::interleave({noting("b"), noting("a")}, two_rounds, quiet);
    EXPECT_EQ(order, "baba");
    EXPECT_EQ(result["contenders"], json({"b", "a"}));
}

TEST(Interleave, KeepsSeriesFiguresAndFloors) {
    const json result =
        ladder::interleave({contender("a", 7), contender("b", 9)}, two_rounds, Floors({100, 110, 120}));
    ASSERT_EQ(result["rounds"].size(), 2U);
    const json &b = result["rounds"][0]["b"];
    EXPECT_EQ(b["series"]["samples"], 3);
    EXPECT_EQ(b["series"]["p50"], 9);
    EXPECT_EQ(b["figures"]["twice"], 18.0);
    // What is after one series is before the next.
    EXPECT_EQ(result["rounds"][0]["a"]["floor_after"]["half_rtt_p50"], 110);
    EXPECT_EQ(b["floor_before"]["half_rtt_p50"], 110);
    EXPECT_EQ(b["floor_after"]["half_rtt_p50"], 120);
    EXPECT_EQ(result["rejected"], json::array());
}

TEST(Interleave, SeriesWhoseFloorMovedIsKeptAndMeasuredAgain) {
    const json result = ladder::interleave({contender("a", 7)}, two_rounds, Floors({100, 200, 200, 200}));
    ASSERT_EQ(result["rejected"].size(), 1U);
    EXPECT_EQ(result["rejected"][0]["name"], "a");
    EXPECT_EQ(result["rejected"][0]["floor_after"]["half_rtt_p50"], 200);
    EXPECT_EQ(result["rounds"].size(), 2U);
    EXPECT_EQ(result["rounds"][0]["a"]["floor_before"]["half_rtt_p50"], 200);
}

TEST(Interleave, RepeatsEnd) {
    // The floor never holds still: two repeats, then every series stays.
    const json result =
        ladder::interleave({contender("a", 7)}, two_rounds, Floors({100, 200, 100, 200, 100, 200}));
    EXPECT_EQ(result["rejected"].size(), 2U);
    EXPECT_EQ(result["rounds"].size(), 2U);
}

TEST(Interleave, NextContenderBeginsWithTheSameCpus) {
    const std::vector<int> before = ladder::allowed_cpus();
    Contender pinned = contender("pinned", 1);
    const auto fill = pinned.measure;
    pinned.measure = [&](Series &series, Figures &figures) {
        ladder::pin_to_cpu(before.back());
        fill(series, figures);
    };
    ladder::interleave({pinned}, two_rounds, quiet);
    EXPECT_EQ(ladder::allowed_cpus(), before);
}

TEST(Interleave, ErrorOfAContenderIsPassedOn) {
    const Contender broken{"broken", [](Series &, Figures &) { throw std::runtime_error("no device"); }};
    EXPECT_THROW(ladder::interleave({broken}, two_rounds, quiet), std::runtime_error);
}
