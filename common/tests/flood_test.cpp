// SPDX-License-Identifier: MIT
#include "common/measure/flood.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

using namespace ladder;

namespace {

constexpr unsigned int capacity = 1024;
const std::vector<std::string> doors{one_read, batched_read, the_ring};

/// Two rounds, two bursts; the ring is ten times as fast as read.
Floods some() {
    Floods floods;
    floods[one_read] = {{1, {{900, 0, 9000}, {1000, 0, 8000}}},
                        {4096, {{2000, 0.9, 5000}, {3000, 0.8, 4000}}}};
    floods[batched_read] = {{1, {{900, 0, 9000}, {1000, 0, 8000}}},
                            {4096, {{9000, 0.5, 900}, {8000, 0.4, 800}}}};
    floods[the_ring] = {{1, {{1000, 0, 90}, {1000, 0, 80}}}, {4096, {{20000, 0.1, 40}, {33000, 0, 30}}}};
    return floods;
}

TEST(Flood, HasARowForEachDoorAndBurst) {
    const nlohmann::json result = flood_result(some(), doors, capacity);
    ASSERT_EQ(result["rows"].size(), 6U);
    const nlohmann::json &row = result["rows"][1];
    EXPECT_EQ(row["door"], "read");
    EXPECT_EQ(row["burst"], 4096);
    EXPECT_EQ(row["rounds"], 2);
    EXPECT_EQ(row["arrived_per_second"], 2000.0); // the lower of two in the middle
    EXPECT_EQ(row["arrived_per_second_ci"], (nlohmann::json{2000.0, 3000.0}));
    EXPECT_EQ(row["lost_share"], 0.8);
    EXPECT_EQ(row["cycles_per_message"], 4000.0);
}

TEST(Flood, SaysWhetherTheGoalsAreReached) {
    Floods floods = some();
    nlohmann::json goals = flood_result(floods, doors, capacity)["goals"];
    EXPECT_EQ(goals[0]["ratio"], 10.0); // of 10 and 11, round by round
    EXPECT_EQ(goals[0]["reached"], true);
    EXPECT_EQ(goals[1]["reached"], true);
    EXPECT_EQ(goals[2]["reached"], true) << "what is lost above the capacity does not count";

    floods[one_read][4096][0].arrived_per_second = 2001;
    floods[the_ring][1][0].lost_share = 0.001;
    goals = flood_result(floods, doors, capacity)["goals"];
    EXPECT_EQ(goals[0]["reached"], false);
    EXPECT_EQ(goals[2]["reached"], false);
    EXPECT_EQ(goals[2]["most_lost_share"], 0.001);
}

TEST(Flood, DoesNotTakeAsManyForMore) {
    Floods floods = some();
    floods[batched_read] = floods[the_ring];
    EXPECT_EQ(flood_result(floods, doors, capacity)["goals"][1]["reached"], false);
}

TEST(Flood, NeedsTheDoorsOfTheGoalsInEveryRound) {
    EXPECT_THROW(flood_result({}, {}, capacity), std::runtime_error);
    Floods floods = some();
    floods[the_ring][1].pop_back();
    EXPECT_THROW(flood_result(floods, doors, capacity), std::runtime_error);
}

TEST(Flood, HasTablesThatFitATerminal) {
    const std::string text = flood_tables(flood_result(some(), doors, capacity));
    EXPECT_NE(text.find("20,000"), std::string::npos) << text;
    EXPECT_NE(text.find("80.000 %"), std::string::npos) << text;
}

} // namespace
