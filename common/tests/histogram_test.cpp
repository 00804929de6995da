// SPDX-License-Identifier: MIT
#include "common/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>

namespace {

using ladder::Cycles;
using ladder::Histogram;
using ladder::Quantile;
using Samples = std::vector<Cycles>;

constexpr Cycles largest = std::numeric_limits<Cycles>::max();
constexpr Quantile lowest_quantile{0, 1};
constexpr Quantile highest_quantile{1, 1};

// The functions can run at compile time.
static_assert(Histogram::index_of(largest) == Histogram::bucket_count - 1);
static_assert(Histogram::highest_value(Histogram::bucket_count - 1) == largest);

void record_all(Histogram &histogram, const Samples &samples) {
    for (const Cycles value : samples) {
        histogram.record(value);
    }
}

/// Compares with the exact percentiles: never below, and at most 1/128 above.
void expect_close(Samples samples) {
    Histogram histogram;
    record_all(histogram, samples);
    std::sort(samples.begin(), samples.end());
    EXPECT_EQ(histogram.count(), samples.size());
    EXPECT_EQ(histogram.min(), samples.front());
    EXPECT_EQ(histogram.max(), samples.back());
    for (std::uint32_t thousandths = 0; thousandths <= 1'000; ++thousandths) {
        const Quantile q{thousandths, 1'000};
        const Cycles exact = ladder::percentile(samples, q);
        const Cycles bucketed = histogram.percentile(q);
        ASSERT_GE(bucketed, exact) << thousandths;
        ASSERT_LE(bucketed - exact, exact / 128) << thousandths;
    }
}

// Overflow.

TEST(Histogram, HoldsTheLargestValues) {
    Histogram histogram;
    record_all(histogram, {largest, largest, Cycles{1} << 63});
    EXPECT_EQ(histogram.count(), 3U);
    EXPECT_EQ(histogram.min(), Cycles{1} << 63);
    EXPECT_EQ(histogram.max(), largest);
    EXPECT_EQ(histogram.percentile(lowest_quantile), (Cycles{1} << 63) + (Cycles{1} << 56) - 1);
    EXPECT_EQ(histogram.percentile(ladder::p50), largest);
}

TEST(Histogram, CountsWith64Bits) {
    Histogram histogram;
    histogram.record(3);
    histogram.record(200);
    histogram.record(100);
    for (int i = 0; i < 62; ++i) {
        histogram.merge(histogram); // doubles every count
    }
    const std::uint64_t count = 3 * (std::uint64_t{1} << 62);
    EXPECT_EQ(histogram.count(), count);
    EXPECT_EQ(histogram.percentile({1, 4}), 3U);
    EXPECT_EQ(histogram.percentile(ladder::p50), 100U);
    EXPECT_EQ(histogram.percentile(ladder::p99), 200U);

    EXPECT_THROW(histogram.merge(histogram), std::overflow_error);
    EXPECT_EQ(histogram.count(), count); // unchanged
    EXPECT_EQ(histogram.percentile(ladder::p50), 100U);
}

TEST(Histogram, FillsTheTotalToTheLastCount) {
    Histogram total;
    Histogram power;
    power.record(5);
    for (int i = 0; i < 64; ++i) {
        total.merge(power); // 1 + 2 + 4 + ... = 2^64 - 1
        if (i < 63) {
            power.merge(power);
        }
    }
    EXPECT_EQ(total.count(), largest);
    EXPECT_EQ(total.percentile(highest_quantile), 5U);
    Histogram one;
    one.record(5);
    EXPECT_THROW(total.merge(one), std::overflow_error);
    EXPECT_THROW(one.merge(total), std::overflow_error);
}

// Empty and invalid input.

TEST(Histogram, RefusesToDescribeNoSamples) {
    const Histogram empty;
    EXPECT_EQ(empty.count(), 0U);
    EXPECT_THROW((void)empty.percentile(ladder::p50), std::invalid_argument);
    EXPECT_THROW((void)empty.min(), std::invalid_argument);
    EXPECT_THROW((void)empty.max(), std::invalid_argument);
}

TEST(Histogram, RefusesInvalidQuantilesAndBuckets) {
    Histogram histogram;
    histogram.record(1);
    EXPECT_THROW((void)histogram.percentile({1, 0}), std::invalid_argument);
    EXPECT_THROW((void)histogram.percentile({2, 1}), std::invalid_argument);
    EXPECT_THROW(Histogram::lowest_value(Histogram::bucket_count), std::out_of_range);
    EXPECT_THROW(Histogram::highest_value(Histogram::bucket_count), std::out_of_range);
}

TEST(Histogram, MergesWithEmptyOnes) {
    Histogram empty;
    Histogram one;
    one.record(7);
    one.merge(empty);
    EXPECT_EQ(one.count(), 1U);
    EXPECT_EQ(one.min(), 7U);
    EXPECT_EQ(one.max(), 7U);
    empty.merge(one);
    EXPECT_EQ(empty.count(), 1U);
    EXPECT_EQ(empty.min(), 7U);
    EXPECT_EQ(empty.max(), 7U);
}

// Buckets.

TEST(Histogram, EveryBucketRoundTrips) {
    Cycles expected_lowest = 0;
    for (std::size_t index = 0; index < Histogram::bucket_count; ++index) {
        const Cycles low = Histogram::lowest_value(index);
        const Cycles high = Histogram::highest_value(index);
        ASSERT_EQ(low, expected_lowest) << index; // no gap and no overlap
        ASSERT_LE(low, high) << index;
        ASSERT_EQ(Histogram::index_of(low), index);
        ASSERT_EQ(Histogram::index_of(low + (high - low) / 2), index);
        ASSERT_EQ(Histogram::index_of(high), index);
        ASSERT_LE(high - low, low / 128) << index; // the promised precision
        expected_lowest = high + 1;
    }
    EXPECT_EQ(expected_lowest, 0U); // wrapped around: the last bucket ended at 2^64 - 1
}

TEST(Histogram, BordersOfTheBuckets) {
    EXPECT_EQ(Histogram::index_of(0), 0U);
    EXPECT_EQ(Histogram::index_of(255), 255U);
    EXPECT_EQ(Histogram::index_of(256), 256U);
    EXPECT_EQ(Histogram::index_of(257), 256U);
    EXPECT_EQ(Histogram::index_of(258), 257U);
    EXPECT_EQ(Histogram::index_of(Cycles{1} << 63), 56U * 128 + 128);
    EXPECT_EQ(Histogram::index_of(largest), 7'423U);
}

TEST(Histogram, SingleValuesAreExactBecauseOfTheMaximum) {
    for (const Cycles value : {Cycles{0}, Cycles{255}, Cycles{256}, Cycles{1} << 63, largest}) {
        Histogram histogram;
        histogram.record(value);
        EXPECT_EQ(histogram.min(), value);
        EXPECT_EQ(histogram.max(), value);
        EXPECT_EQ(histogram.percentile(lowest_quantile), value);
        EXPECT_EQ(histogram.percentile(ladder::p50), value);
        EXPECT_EQ(histogram.percentile(highest_quantile), value);
    }
}

TEST(Histogram, RanksOutsideAreErrors) {
    Histogram histogram;
    EXPECT_THROW((void)histogram.value_at(0), std::out_of_range);
    EXPECT_THROW((void)histogram.value_at(1), std::out_of_range);
    EXPECT_THROW((void)histogram.summary(), std::invalid_argument);
    EXPECT_THROW((void)histogram.count_in(Histogram::bucket_count), std::out_of_range);
    histogram.record(7);
    EXPECT_EQ(histogram.value_at(1), 7U);
    EXPECT_THROW((void)histogram.value_at(2), std::out_of_range);
}

TEST(Histogram, RecordsOneValueManyTimes) {
    Histogram histogram;
    histogram.record(9, 0);
    EXPECT_EQ(histogram.count(), 0U);
    histogram.record(9, 1'000'000'000'000);
    EXPECT_EQ(histogram.count(), 1'000'000'000'000U);
    EXPECT_EQ(histogram.percentile(ladder::p999), 9U);
    EXPECT_THROW(histogram.record(1, std::numeric_limits<std::uint64_t>::max()), std::overflow_error);
    EXPECT_EQ(histogram.min(), 9U) << "nothing is changed";
}

TEST(Histogram, BucketsCount) {
    Histogram histogram;
    histogram.record(256);
    histogram.record(257);
    histogram.record(258);
    EXPECT_EQ(histogram.count_in(256), 2U);
    EXPECT_EQ(histogram.count_in(257), 1U);
}

TEST(Histogram, HasAFixedSize) {
    EXPECT_EQ(Histogram::memory_bytes(), 7'424U * 8 + 3 * 8);
}

// Against exact percentiles. The generator gives the same numbers everywhere.

TEST(Histogram, IsCloseForSmallValues) {
    std::mt19937_64 random(1);
    Samples samples(10'000);
    std::generate(samples.begin(), samples.end(), [&] { return random() % 256; });
    expect_close(samples);
}

TEST(Histogram, IsExactBelow256) {
    Histogram histogram;
    for (Cycles value = 0; value < 256; ++value) {
        histogram.record(value);
    }
    for (std::uint32_t rank = 1; rank <= 256; ++rank) {
        EXPECT_EQ(histogram.percentile({rank, 256}), rank - 1U);
    }
}

TEST(Histogram, IsCloseForUniformValues) {
    std::mt19937_64 random(2);
    Samples samples(20'000);
    std::generate(samples.begin(), samples.end(), [&] { return random() % 1'000'000; });
    expect_close(samples);
}

TEST(Histogram, IsCloseForAllMagnitudes) {
    std::mt19937_64 random(3);
    Samples samples(20'000);
    std::generate(samples.begin(), samples.end(), [&] { return random() >> (random() % 64); });
    expect_close(samples);
}

TEST(Histogram, IsCloseForLatenciesWithAFewOutliers) {
    std::mt19937_64 random(4);
    Samples samples(20'000);
    std::generate(samples.begin(), samples.end(), [&] {
        const bool outlier = random() % 500 == 0;
        return outlier ? 1'000'000 + random() % 50'000'000 : 900 + random() % 300 + random() % 300;
    });
    expect_close(samples);
}

TEST(Histogram, MergingEqualsRecordingTogether) {
    std::mt19937_64 random(5);
    Histogram first;
    Histogram second;
    Histogram together;
    for (int i = 0; i < 10'000; ++i) {
        const Cycles value = random() >> (random() % 64);
        (i % 3 == 0 ? first : second).record(value);
        together.record(value);
    }
    first.merge(second);
    EXPECT_EQ(first.count(), together.count());
    EXPECT_EQ(first.min(), together.min());
    EXPECT_EQ(first.max(), together.max());
    for (std::uint32_t thousandths = 0; thousandths <= 1'000; ++thousandths) {
        ASSERT_EQ(first.percentile({thousandths, 1'000}), together.percentile({thousandths, 1'000}));
    }
}

} // namespace
