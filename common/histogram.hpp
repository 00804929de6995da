// SPDX-License-Identifier: MIT
#pragma once

#include "common/statistics.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace ladder {

/// Counts samples in a fixed amount of memory (about 58 KiB, inside the object).
///
/// Every 64-bit value has a bucket. Values below 256 have one bucket each. Above, each power of two is
/// divided into 128 buckets of equal width, so a bucket is never wider than 1/128 of its lowest value.
/// This division is the idea of HdrHistogram (Gil Tene); the code is new.
///
/// An object is not protected against use from several threads. Give each thread its own and merge() them.
class Histogram {
public:
    /// Number of buckets: 256 exact ones, and 128 for each power of two from 2^8 to 2^63.
    static constexpr std::size_t bucket_count = 256 + 56 * 128;

    /// A percentile is at most so much above the exact one, as a share of it, and never below it.
    static constexpr double relative_error = 1.0 / 128;

    /// The bucket of a value, from 0 to bucket_count - 1.
    static constexpr std::size_t index_of(Cycles value) noexcept {
        if (value < 256) {
            return static_cast<std::size_t>(value);
        }
        // Keep the eight leading bits: they are a number from 128 to 255.
        const int shift = static_cast<int>(std::bit_width(value)) - 8;
        return static_cast<std::size_t>(shift) * 128 + static_cast<std::size_t>(value >> shift);
    }

    /// The lowest value of a bucket.
    ///
    /// @throws std::out_of_range if `index` is not below bucket_count
    static constexpr Cycles lowest_value(std::size_t index) {
        const int shift = shift_of(index);
        return (index - static_cast<std::size_t>(shift) * 128) << shift;
    }

    /// The highest value of a bucket.
    ///
    /// @throws std::out_of_range if `index` is not below bucket_count
    static constexpr Cycles highest_value(std::size_t index) {
        return lowest_value(index) + ((Cycles{1} << shift_of(index)) - 1);
    }

    /// The memory that one object takes. It never grows.
    static constexpr std::size_t memory_bytes() noexcept { return sizeof(Histogram); }

    /// Adds one sample, in constant time. It neither allocates nor throws.
    void record(Cycles value) noexcept {
        ++counts_[index_of(value)];
        ++count_;
        min_ = value < min_ ? value : min_;
        max_ = value > max_ ? value : max_;
    }

    /// Adds a sample many times. @param times  0 adds nothing
    ///
    /// @throws std::overflow_error if the sum of the counts does not fit into 64 bits; nothing is changed
    /// then
    void record(Cycles value, std::uint64_t times);

    /// Adds all samples of another histogram. The other one may be empty, or this one.
    ///
    /// @throws std::overflow_error if the sum of the counts does not fit into 64 bits; nothing is changed
    /// then
    void merge(const Histogram &other);

    /// The number of samples.
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

    /// The smallest sample, exactly.
    ///
    /// @throws std::invalid_argument ("no samples") if the histogram is empty
    [[nodiscard]] Cycles min() const;

    /// The largest sample, exactly.
    ///
    /// @throws std::invalid_argument ("no samples") if the histogram is empty
    [[nodiscard]] Cycles max() const;

    /// How many samples a bucket has.
    ///
    /// @throws std::out_of_range if `index` is not below bucket_count
    [[nodiscard]] std::uint64_t count_in(std::size_t index) const { return counts_.at(index); }

    /// The sample at a rank from 1 to count(), rounded up to the highest value of its bucket, but at most
    /// max(); the smallest one is exact.
    ///
    /// The result is never below the exact sample, and at most relative_error of it above.
    ///
    /// @throws std::out_of_range if there is no such rank
    [[nodiscard]] Cycles value_at(std::uint64_t rank) const;

    /// The nearest-rank percentile: value_at() of its rank.
    ///
    /// @throws std::invalid_argument if the histogram is empty, or as nearest_rank() does
    [[nodiscard]] Cycles percentile(Quantile q) const { return value_at(nearest_rank(count_, q)); }

    /// Percentiles and their intervals, each as exact as value_at().
    ///
    /// @throws std::invalid_argument ("no samples") if the histogram is empty
    [[nodiscard]] Summary summary() const;

private:
    /// The width of a bucket is 2 to the power of this.
    static constexpr int shift_of(std::size_t index) {
        if (index >= bucket_count) {
            throw std::out_of_range("no such histogram bucket");
        }
        return index < 256 ? 0 : static_cast<int>(index / 128) - 1;
    }

    std::array<std::uint64_t, bucket_count> counts_{};
    std::uint64_t count_ = 0;
    Cycles min_ = std::numeric_limits<Cycles>::max();
    Cycles max_ = 0;
};

} // namespace ladder
