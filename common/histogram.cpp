// SPDX-License-Identifier: MIT
#include "common/histogram.hpp"

#include <algorithm>

namespace ladder {

void Histogram::record(Cycles value, std::uint64_t times) {
    if (times > std::numeric_limits<std::uint64_t>::max() - count_) {
        throw std::overflow_error("the histogram has too many samples");
    }
    if (times > 0) {
        record(value);
        counts_[index_of(value)] += times - 1;
        count_ += times - 1;
    }
}

void Histogram::merge(const Histogram &other) {
    // No bucket holds more than the total, so a total that fits means that all buckets fit.
    if (other.count_ > std::numeric_limits<std::uint64_t>::max() - count_) {
        throw std::overflow_error("the merged histogram has too many samples");
    }
    for (std::size_t i = 0; i < bucket_count; ++i) {
        counts_[i] += other.counts_[i];
    }
    count_ += other.count_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
}

Cycles Histogram::min() const {
    if (count_ == 0) {
        throw std::invalid_argument("no samples");
    }
    return min_;
}

Cycles Histogram::max() const {
    if (count_ == 0) {
        throw std::invalid_argument("no samples");
    }
    return max_;
}

Cycles Histogram::value_at(std::uint64_t rank) const {
    if (rank == 0 || rank > count_) {
        throw std::out_of_range("no sample has this rank");
    }
    std::uint64_t seen = 0;
    std::size_t index = 0;
    for (; index < bucket_count; ++index) {
        seen += counts_[index];
        if (seen >= rank) {
            break;
        }
    }
    return std::min(highest_value(index), max_);
}

Summary Histogram::summary() const {
    Summary all = summarize(count_, [this](std::size_t rank) { return value_at(rank); });
    all.min = min_; // exactly
    return all;
}

} // namespace ladder
