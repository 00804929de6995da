// SPDX-License-Identifier: MIT
#include "common/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace {

using ladder::Cycles;
using ladder::p50;
using ladder::p99;
using ladder::p999;
using ladder::Quantile;
using Samples = std::vector<Cycles>;

constexpr Quantile percent(std::uint32_t value) {
    return {value, 100};
}

/// 1, 2, ..., count: each sample is its own rank.
Samples ranks_up_to(std::size_t count) {
    Samples samples(count);
    std::iota(samples.begin(), samples.end(), Cycles{1});
    return samples;
}

void expect_ranks(std::size_t count, Quantile q, std::optional<std::size_t> low,
                  std::optional<std::size_t> high, double confidence = 0.95) {
    SCOPED_TRACE(testing::Message() << "n = " << count << ", q = " << q.numerator << "/" << q.denominator);
    const ladder::RankInterval ranks = ladder::rank_interval(count, q, confidence);
    EXPECT_EQ(ranks.low, low);
    EXPECT_EQ(ranks.high, high);
}

/// P(Bin(n, q) <= k) by definition, for small n.
double binomial_at_most(int k, int n, double q) {
    double sum = 0.0;
    for (int i = 0; i <= k; ++i) {
        double term = 1.0;
        for (int j = 0; j < i; ++j) {
            term *= static_cast<double>(n - j) / (j + 1);
        }
        sum += term * std::pow(q, i) * std::pow(1.0 - q, n - i);
    }
    return sum;
}

// Overflow.

TEST(NearestRank, DoesNotOverflowForTheLargestCount) {
    constexpr std::size_t largest = std::numeric_limits<std::size_t>::max(); // 2^64 - 1
    constexpr std::uint32_t large = std::numeric_limits<std::uint32_t>::max();
    EXPECT_EQ(ladder::nearest_rank(largest, {1, 1}), largest);
    EXPECT_EQ(ladder::nearest_rank(largest, {large, large}), largest);
    EXPECT_EQ(ladder::nearest_rank(largest, p50), std::size_t{1} << 63);
    EXPECT_EQ(ladder::nearest_rank(largest, p99), 18'262'276'632'972'456'099U);
    EXPECT_EQ(ladder::nearest_rank(largest, p999), 18'428'297'329'635'842'064U);
    // 2^64 - 1 = (2^32 - 1) * (2^32 + 1)
    EXPECT_EQ(ladder::nearest_rank(largest, {large - 1, large}), largest - ((std::size_t{1} << 32) + 1));
    // The rest of the division is as large as it can be: 2^32 - 2.
    EXPECT_EQ(ladder::nearest_rank(large - 1U, {large - 1, large}), large - 1U);
}

TEST(Median, DoesNotOverflowForLargeValues) {
    constexpr Cycles largest = std::numeric_limits<Cycles>::max();
    EXPECT_EQ(ladder::median(Samples{largest, largest - 1, largest, largest - 1}), largest - 1);
    constexpr double huge = std::numeric_limits<double>::max();
    EXPECT_EQ(ladder::median(std::vector<double>{huge, huge}), huge);
}

// Empty and invalid input.

TEST(NearestRank, RefusesInvalidInput) {
    EXPECT_THROW(ladder::nearest_rank(0, p50), std::invalid_argument);
    EXPECT_THROW(ladder::nearest_rank(1, {0, 0}), std::invalid_argument);
    EXPECT_THROW(ladder::nearest_rank(1, {1, 0}), std::invalid_argument);
    EXPECT_THROW(ladder::nearest_rank(1, {101, 100}), std::invalid_argument);
}

TEST(Percentile, RefusesEmptyInput) {
    EXPECT_THROW(ladder::percentile({}, p50), std::invalid_argument);
    EXPECT_THROW(ladder::percentile_interval({}, p50), std::invalid_argument);
    EXPECT_THROW(ladder::rank_interval(0, p50), std::invalid_argument);
}

TEST(Summary, RefusesEmptyInput) {
    try {
        ladder::summarize({});
        FAIL() << "an empty series was summarized";
    } catch (const std::invalid_argument &error) {
        EXPECT_STREQ(error.what(), "no samples");
    }
}

TEST(Median, RefusesEmptyInputAndNan) {
    EXPECT_THROW(ladder::median(std::vector<double>{}), std::invalid_argument);
    EXPECT_THROW(ladder::median(Samples{}), std::invalid_argument);
    EXPECT_THROW(ladder::median(std::vector<double>{1.0, std::nan(""), 2.0}), std::invalid_argument);
}

TEST(RankInterval, RefusesInvalidInput) {
    EXPECT_THROW(ladder::rank_interval(10, {1, 0}), std::invalid_argument);
    EXPECT_THROW(ladder::rank_interval(10, {2, 1}), std::invalid_argument);
    for (const double confidence : {0.0, 1.0, -0.5, 95.0, std::nan("")}) {
        EXPECT_THROW(ladder::rank_interval(10, p50, confidence), std::invalid_argument) << confidence;
    }
}

// Published values.

TEST(Percentile, GivesThePublishedNearestRankValues) {
    const Samples five{15, 20, 35, 40, 50};
    EXPECT_EQ(ladder::percentile(five, percent(5)), 15U);
    EXPECT_EQ(ladder::percentile(five, percent(30)), 20U);
    EXPECT_EQ(ladder::percentile(five, percent(40)), 20U);
    EXPECT_EQ(ladder::percentile(five, percent(50)), 35U);
    EXPECT_EQ(ladder::percentile(five, percent(100)), 50U);

    const Samples ten{3, 6, 7, 8, 8, 10, 13, 15, 16, 20};
    EXPECT_EQ(ladder::percentile(ten, percent(25)), 7U);
    EXPECT_EQ(ladder::percentile(ten, percent(50)), 8U);
    EXPECT_EQ(ladder::percentile(ten, percent(75)), 15U);
    EXPECT_EQ(ladder::percentile(ten, percent(100)), 20U);
}

TEST(RankInterval, GivesThePublishedRanksForTheMedian) {
    expect_ranks(10, p50, 2, 9);
    expect_ranks(20, p50, 6, 15);
    expect_ranks(25, p50, 8, 18);
    expect_ranks(50, p50, 18, 33);
    expect_ranks(100, p50, 40, 61);
}

// Computed once with 60-digit decimal arithmetic, by the definition and independently of this code.
TEST(RankInterval, IsExactForLargeSamples) {
    expect_ranks(1'000, p50, 469, 532);
    expect_ranks(1'000, p99, 983, 997);
    expect_ranks(10'000, p999, 9'983, 9'997);
    expect_ranks(100'000, p99, 98'938, 99'062);
    expect_ranks(1'000'000, p50, 499'020, 500'981);
    expect_ranks(1'000'000, p999, 998'938, 999'062);
    expect_ranks(10'000'000, p50, 4'996'901, 5'003'100);
    expect_ranks(10'000'000, p99, 9'899'383, 9'900'617);
    expect_ranks(10'000'000, p999, 9'989'804, 9'990'196);
    expect_ranks(1'000, p99, 985, 996, 0.90);
    expect_ranks(1'000, p99, 978, 999, 0.999);
    expect_ranks(1'000'000, p999, 998'894, 999'103, 0.999);
}

// The definition.

TEST(NearestRank, RoundsUpAndIsAtLeastOne) {
    EXPECT_EQ(ladder::nearest_rank(5, percent(0)), 1U);
    EXPECT_EQ(ladder::nearest_rank(1, p999), 1U);
    EXPECT_EQ(ladder::nearest_rank(1'000, p999), 999U);
    EXPECT_EQ(ladder::nearest_rank(100, percent(55)), 55U); // 0.55 * 100 in double arithmetic gives 56
    EXPECT_EQ(ladder::nearest_rank(1'001, p999), 1'000U);
    EXPECT_EQ(ladder::nearest_rank(100, p99), 99U);
    EXPECT_EQ(ladder::nearest_rank(101, p99), 100U);
}

TEST(RankInterval, LeavesOutTheBoundsThatTheSampleCannotGive) {
    expect_ranks(1, p50, std::nullopt, std::nullopt);
    expect_ranks(5, p50, std::nullopt, std::nullopt); // 1/2^5 = 3.1 % is more than 2.5 %
    expect_ranks(6, p50, 1, 6);                       // 1/2^6 = 1.6 %
    expect_ranks(367, p99, 359, std::nullopt);
    expect_ranks(368, p99, 360, 368); // 0.99^368 = 2.48 %
    expect_ranks(1'000, p999, 997, std::nullopt);
    expect_ranks(3'687, p999, 3'679, std::nullopt);
    expect_ranks(3'688, p999, 3'680, 3'688); // 0.999^3688 = 2.497 %
    expect_ranks(1, p999, 1, std::nullopt);  // one sample lies below P99.9 in all but 0.1 % of cases
}

TEST(RankInterval, HandlesTheEndsOfTheDistribution) {
    expect_ranks(7, percent(0), std::nullopt, 1);
    expect_ranks(7, percent(100), 7, std::nullopt);
}

TEST(RankInterval, AcceptsATailThatEqualsTheLimit) {
    expect_ranks(2, p50, 1, 2, 0.5);
    expect_ranks(1, percent(10), std::nullopt, 1, 0.8); // P(Bin(1, 0.1) >= 1) = 0.1 = (1 - 0.8) / 2
}

TEST(RankInterval, AgreesWithTheDefinitionForSmallSamples) {
    for (int n = 1; n <= 60; ++n) {
        for (const std::uint32_t hundredths : {1U, 10U, 37U, 50U, 75U, 90U, 99U}) {
            const double q = hundredths / 100.0;
            int low = 0;
            while (binomial_at_most(low, n, q) <= 0.025) {
                ++low;
            }
            int high = n + 1;
            while (1.0 - binomial_at_most(high - 2, n, q) <= 0.025) {
                --high;
            }
            using Rank = std::optional<std::size_t>;
            expect_ranks(static_cast<std::size_t>(n), percent(hundredths),
                         low >= 1 ? Rank(static_cast<std::size_t>(low)) : Rank(),
                         high <= n ? Rank(static_cast<std::size_t>(high)) : Rank());
        }
    }
}

TEST(RankInterval, EnclosesThePercentileAndWidensWithConfidence) {
    for (const std::size_t count :
         {std::size_t{1}, std::size_t{7}, std::size_t{1'000}, std::size_t{65'537}}) {
        for (const Quantile q : {percent(0), percent(1), p50, p99, p999, percent(100)}) {
            const std::size_t rank = ladder::nearest_rank(count, q);
            std::size_t last_low = rank;
            std::size_t last_high = rank;
            for (const double confidence : {0.01, 0.5, 0.9, 0.95, 0.99, 0.999999, 0.999999999999}) {
                const auto ranks = ladder::rank_interval(count, q, confidence);
                const std::size_t low = ranks.low.value_or(0);
                const std::size_t high = ranks.high.value_or(count + 1);
                EXPECT_LE(low, last_low) << count << " " << q.numerator << " " << confidence;
                EXPECT_GE(high, last_high) << count << " " << q.numerator << " " << confidence;
                last_low = low;
                last_high = high;
            }
        }
    }
}

TEST(PercentileInterval, GivesTheSamplesAtTheRanks) {
    const Samples samples{100, 101, 102, 103, 104, 105, 106, 107, 108, 999};
    const ladder::Interval interval = ladder::percentile_interval(samples, p50); // ranks 2 and 9
    EXPECT_EQ(interval.low, Cycles{101});
    EXPECT_EQ(interval.high, Cycles{108});
    const ladder::Interval wide = ladder::percentile_interval(samples, p50, 0.999);
    EXPECT_EQ(wide.low, std::nullopt);
    EXPECT_EQ(wide.high, std::nullopt);
}

TEST(Summary, SortsAndReportsEveryField) {
    Samples samples = ranks_up_to(1'000);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        std::swap(samples[i], samples[i * 7919 % samples.size()]); // any fixed disorder
    }
    const ladder::Summary summary = ladder::summarize(samples);
    EXPECT_EQ(summary.count, 1'000U);
    EXPECT_EQ(summary.min, 1U);
    EXPECT_EQ(summary.p50, 500U);
    EXPECT_EQ(summary.p99, 990U);
    EXPECT_EQ(summary.p999, 999U);
    EXPECT_EQ(summary.max, 1'000U);
    EXPECT_EQ(summary.p50_interval.low, Cycles{469});
    EXPECT_EQ(summary.p50_interval.high, Cycles{532});
    EXPECT_EQ(summary.p99_interval.low, Cycles{983});
    EXPECT_EQ(summary.p99_interval.high, Cycles{997});
    EXPECT_EQ(summary.p999_interval.low, Cycles{997});
    EXPECT_EQ(summary.p999_interval.high, std::nullopt);
}

TEST(Summary, OfOneSampleHasNoInterval) {
    const ladder::Summary summary = ladder::summarize({42});
    EXPECT_EQ(summary.count, 1U);
    EXPECT_EQ(summary.min, 42U);
    EXPECT_EQ(summary.p50, 42U);
    EXPECT_EQ(summary.p999, 42U);
    EXPECT_EQ(summary.max, 42U);
    EXPECT_EQ(summary.p50_interval.low, std::nullopt);
    EXPECT_EQ(summary.p50_interval.high, std::nullopt);
    EXPECT_EQ(summary.p999_interval.high, std::nullopt);
}

TEST(Median, IsTheLowerMiddleOfAnyOrder) {
    EXPECT_EQ(ladder::median(Samples{9}), 9U);
    EXPECT_EQ(ladder::median(Samples{9, 1}), 1U);
    EXPECT_EQ(ladder::median(Samples{9, 1, 5}), 5U);
    EXPECT_EQ(ladder::median(Samples{9, 1, 7, 3}), 3U);
    EXPECT_EQ(ladder::median(std::vector<double>{2.5, -1.0, 0.5}), 0.5);
    EXPECT_EQ(ladder::median(std::vector<double>{4.0, 1.0, 3.0, 2.0}), 2.0);
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(ladder::median(std::vector<double>{infinity, -infinity, 7.0}), 7.0);
}

} // namespace
