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

constexpr Usual usual{.latency = 1000, .store = 100};
constexpr Cycles stamped = 1'000'000;

/// The cause of a message whose store took @p store, and that was seen @p wait after it.
Cause cause(Cycles store, Cycles wait, const std::vector<Gap> &gaps) {
    return cause_of({stamped, stamped + store, stamped + store + wait}, usual, gaps);
}

TEST(Cause, IsTheProducerIfTheStoreTookMostOfIt) {
    EXPECT_EQ(cause(50'000, 900, {}), Cause::producer);
    EXPECT_EQ(cause(50'000, 900, {{stamped - 10'000, stamped + 50'900, true}}), Cause::producer);
}

TEST(Cause, IsTheConsumerIfItDidNotLook) {
    const Gap gap{stamped - 10'000, stamped + 50'100, true};
    EXPECT_EQ(cause(100, 50'000, {gap}), Cause::interrupt);
    EXPECT_EQ(cause(100, 50'000, {{gap.from, gap.to, false}}), Cause::standstill);
}

TEST(Cause, IsUnknownIfTheConsumerLookedAllTheTime) {
    EXPECT_EQ(cause(100, 50'000, {}), Cause::unexplained);
    EXPECT_EQ(cause(100, 50'000, {{0, 1'000, true}, {stamped + 60'000, stamped + 70'000, true}}),
              Cause::unexplained);
}

TEST(Cause, IsUnknownIfNothingAccountsForHalf) {
    EXPECT_EQ(cause(15'000, 50'000, {{stamped + 30'000, stamped + 50'000, true}}), Cause::unexplained);
}

TEST(Cause, IsUnknownOfAMessageThatWasNotLate) {
    EXPECT_EQ(cause(100, 900, {{stamped, stamped + 1'000, true}}), Cause::unexplained);
}

TEST(Cause, CountsOnlyTheGapAfterTheStore) {
    EXPECT_EQ(cause(100, 50'000, {{0, stamped + 10'000, false}}), Cause::unexplained);
}

TEST(Cause, IsTheGapThatTheMessagesBeforeItHadWaitedFor) {
    // The gap has ended; this one was seen after the others that came during it.
    EXPECT_EQ(cause(100, 50'000, {{stamped, stamped + 40'000, false}}), Cause::standstill);
}

TEST(Cause, AddsUpGapsAndTakesTheKindThatTookLonger) {
    const std::vector<Gap> gaps{{stamped + 1'000, stamped + 16'000, true},
                                {stamped + 20'000, stamped + 32'000, false},
                                {stamped + 40'000, stamped + 48'000, false}};
    EXPECT_EQ(cause(100, 50'000, gaps), Cause::standstill);
    EXPECT_EQ(cause(100, 50'000, {gaps[0], {stamped + 30'000, stamped + 42'000, false}}), Cause::interrupt);
}

} // namespace
