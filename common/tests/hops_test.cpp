// SPDX-License-Identifier: MIT
#include "common/measure/hops.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

using namespace ladder;

namespace {

std::int64_t sum_of_means(const Budget &budget) {
    std::int64_t sum = 0;
    for (const Part &part : budget.parts()) {
        sum += part.mean;
    }
    return sum;
}

void add(Budget &budget, std::vector<Cycles> moments) {
    budget.add(moments);
}

TEST(Budget, WithoutMessagesHasNoFigures) {
    const Budget budget({"one"});
    EXPECT_EQ(budget.messages(), 0U);
    EXPECT_THROW(budget.parts(), std::invalid_argument);
    EXPECT_THROW(budget.whole(), std::invalid_argument);
}

TEST(Budget, NeedsPartsAndAsManyMomentsAndOne) {
    EXPECT_THROW(Budget({}), std::invalid_argument);
    Budget budget({"one", "two"});
    EXPECT_THROW(add(budget, {1, 2}), std::invalid_argument);
    EXPECT_THROW(add(budget, {1, 2, 3, 4}), std::invalid_argument);
    EXPECT_EQ(budget.messages(), 0U);
}

TEST(Budget, HasTheMeanAndTheMedianOfEachPart) {
    Budget budget({"one", "two"});
    add(budget, {100, 110, 130});
    add(budget, {200, 210, 230});
    add(budget, {300, 340, 342});
    const std::vector<Part> parts = budget.parts();
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(parts[0].name, "one");
    EXPECT_EQ(parts[0].mean, 20);
    EXPECT_EQ(parts[0].p50, 10);
    EXPECT_EQ(parts[1].mean, 14);
    EXPECT_EQ(parts[1].p50, 20);
    EXPECT_EQ(budget.whole().mean, 34);
    EXPECT_EQ(budget.whole().p50, 30);
}

TEST(Budget, AddsUpExactlyThoughMeansAreRounded) {
    // A third of a cycle in each of three parts: rounded one by one, they would make 0 of 1.
    Budget budget({"one", "two", "three"});
    add(budget, {0, 1, 2, 3});
    add(budget, {10, 10, 10, 10});
    add(budget, {20, 20, 20, 20});
    EXPECT_EQ(budget.whole().mean, 1);
    EXPECT_EQ(sum_of_means(budget), 1);
}

TEST(Budget, TakesAStepBackBetweenTwoCpus) {
    Budget budget({"one", "two"});
    add(budget, {100, 150, 140});
    add(budget, {100, 151, 140});
    EXPECT_EQ(budget.parts()[1].p50, -11);
    EXPECT_EQ(budget.whole().mean, 40);
    EXPECT_EQ(sum_of_means(budget), 40);
}

TEST(Budget, TakesACounterThatWrapsAround) {
    Budget budget({"one"});
    add(budget, {std::numeric_limits<Cycles>::max() - 4, 5});
    EXPECT_EQ(budget.whole().mean, 10);
}

TEST(SignedMedian, IsOneOfTheValues) {
    EXPECT_THROW(signed_median({}), std::invalid_argument);
    EXPECT_EQ(signed_median({7}), 7);
    EXPECT_EQ(signed_median({4, -3, 9, 1}), 1);
}

constexpr Usual usual{.latency = 1000, .store = 100, .look = 50};

/// A message whose store took @p store, seen @p wait after it, @p gap after the look before.
Arrival arrival(Cycles store, Cycles wait, Cycles gap, bool interrupted = false) {
    constexpr Cycles stamped = 1'000'000;
    const Cycles seen = stamped + store + wait;
    return {stamped, stamped + store, seen - gap, seen, interrupted};
}

TEST(Cause, IsTheProducerIfTheStoreTookMostOfIt) {
    EXPECT_EQ(cause_of(arrival(50'000, 900, 50), usual), Cause::producer);
    EXPECT_EQ(cause_of(arrival(50'000, 900, 60'000, true), usual), Cause::producer);
}

TEST(Cause, IsTheConsumerIfItDidNotLook) {
    EXPECT_EQ(cause_of(arrival(100, 50'000, 60'000, true), usual), Cause::interrupt);
    EXPECT_EQ(cause_of(arrival(100, 50'000, 60'000, false), usual), Cause::standstill);
}

TEST(Cause, IsUnknownIfTheConsumerLookedAllTheTime) {
    EXPECT_EQ(cause_of(arrival(100, 50'000, 50), usual), Cause::unexplained);
    EXPECT_EQ(cause_of(arrival(100, 50'000, not_running * usual.look, true), usual), Cause::unexplained);
}

TEST(Cause, IsUnknownIfNothingAccountsForHalf) {
    EXPECT_EQ(cause_of(arrival(15'000, 50'000, 20'000), usual), Cause::unexplained);
}

TEST(Cause, IsUnknownOfAMessageThatWasNotLate) {
    EXPECT_EQ(cause_of(arrival(100, 900, 2'000), usual), Cause::unexplained);
}

TEST(Cause, CountsOnlyTheGapAfterTheStore) {
    // A gap that was nearly over when the message was stored.
    EXPECT_EQ(cause_of(arrival(9'000, 3'000, 100'000), {1000, 8'000, 50}), Cause::unexplained);
}

} // namespace
