// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace ladder {

/// A number of TSC cycles: a time stamp or the difference of two.
using Cycles = std::uint64_t;

/// A fraction between 0 and 1, kept as two whole numbers.
///
/// Most fractions have no exact `double`, and a rank computed from one can be off by one: 0.55 * 100 gives
/// 55.00000000000001, which rounds up to 56. A rank computed from 55/100 is exact.
struct Quantile {
    std::uint32_t numerator;   ///< at most the denominator
    std::uint32_t denominator; ///< not 0
};

inline constexpr Quantile p50{50, 100};    ///< the median
inline constexpr Quantile p99{99, 100};    ///< 99 of 100 values are at or below it
inline constexpr Quantile p999{999, 1000}; ///< 999 of 1,000 values are at or below it

/// The position of a percentile in a sorted sample, by the nearest-rank method.
///
/// @param count  size of the sample, at least 1; any `std::size_t` works
/// @param q      the quantile, from 0 to 1
/// @return       q * count rounded up, from 1 to `count`; the smallest value has rank 1
/// @throws std::invalid_argument if `count` is 0, or `q` has denominator 0 or is above 1
std::size_t nearest_rank(std::size_t count, Quantile q);

/// The value at nearest_rank(). It is always one of the samples; nothing is interpolated.
///
/// @param sorted  samples in ascending order (not checked), at least one
/// @param q       the quantile, from 0 to 1
/// @throws std::invalid_argument as nearest_rank() does
Cycles percentile(std::span<const Cycles> sorted, Quantile q);

/// Two ranks, counted from 1. A bound that the sample cannot give is empty.
struct RankInterval {
    std::optional<std::size_t> low;  ///< rank of the lower bound
    std::optional<std::size_t> high; ///< rank of the upper bound
};

/// The ranks of the two samples that enclose the true quantile with the given confidence.
///
/// The method assumes nothing about the distribution, only that the samples are independent. Of n samples,
/// the number that lie at or below the true quantile has the binomial distribution Bin(n, q). With
/// alpha = 1 - confidence,
///   - `low` is the largest rank l with P(Bin(n, q) <= l - 1) <= alpha / 2,
///   - `high` is the smallest rank u with P(Bin(n, q) >= u) <= alpha / 2.
///
/// Either bound can be missing: 1,000 samples give no upper bound for P99.9, 3,688 do.
/// Source: W. J. Conover, Practical Nonparametric Statistics, section 3.2; G. J. Hahn and W. Q. Meeker,
/// Statistical Intervals, chapter 5. Time and memory grow with the square root of `count`.
///
/// @param count       size of the sample, at least 1
/// @param q           the quantile, from 0 to 1
/// @param confidence  strictly between 0 and 1
/// @throws std::invalid_argument as nearest_rank() does, or if `confidence` is out of range
RankInterval rank_interval(std::size_t count, Quantile q, double confidence = 0.95);

/// A lower and an upper bound, in cycles. A bound that the sample cannot give is empty.
struct Interval {
    std::optional<Cycles> low;  ///< lower bound
    std::optional<Cycles> high; ///< upper bound
};

/// The samples at the two ranks of rank_interval(): a confidence interval for the true quantile.
///
/// @param sorted      samples in ascending order (not checked), at least one
/// @param q           the quantile, from 0 to 1
/// @param confidence  strictly between 0 and 1
/// @throws std::invalid_argument as rank_interval() does
Interval percentile_interval(std::span<const Cycles> sorted, Quantile q, double confidence = 0.95);

/// What the tutorial reports about one series of samples. The intervals have 95 % confidence.
struct Summary {
    std::size_t count;      ///< how many samples
    Cycles min;             ///< the smallest
    Cycles p50;             ///< the median
    Cycles p99;             ///< 99th percentile
    Cycles p999;            ///< 99.9th percentile
    Cycles max;             ///< the largest
    Interval p50_interval;  ///< where the true median is
    Interval p99_interval;  ///< where the true 99th percentile is
    Interval p999_interval; ///< where the true 99.9th percentile is
};

/// Summarizes a series of samples, in any order.
///
/// @throws std::invalid_argument ("no samples") if there are none
Summary summarize(std::vector<Cycles> samples);

/// Summarizes samples that are kept in another way, for example counted in a histogram.
///
/// @param count     how many samples, at least 1
/// @param value_at  the sample at a rank from 1 (the smallest) to `count` (the largest)
/// @throws std::invalid_argument ("no samples") if there are none
Summary summarize(std::size_t count, const std::function<Cycles(std::size_t rank)> &value_at);

/// The nearest-rank median, for values in any order. For an even number of values it is the lower one of
/// the two in the middle, so it is always one of the values.
///
/// @throws std::invalid_argument if there are no values, or one of them is not a number
double median(std::vector<double> values);

/// @copydoc median(std::vector<double>)
Cycles median(std::vector<Cycles> values);

} // namespace ladder
