// SPDX-License-Identifier: MIT
#include "common/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace ladder {
namespace {

void check(std::size_t count, Quantile q) {
    if (count == 0) {
        throw std::invalid_argument("no samples");
    }
    if (q.denominator == 0 || q.numerator > q.denominator) {
        throw std::invalid_argument("a quantile must be between 0 and 1");
    }
}

/// q * count as a whole number and a remainder (in units of 1 / denominator).
struct Product {
    std::size_t whole;
    std::uint64_t remainder;
};

/// Multiplies without overflow. The direct product count * numerator may need 96 bits. So count is split
/// into full denominators and a rest: the first product is at most count, the second one has two 32-bit
/// factors and fits into 64 bits.
Product multiply(std::size_t count, Quantile q) {
    const std::uint64_t full = count / q.denominator;
    const std::uint64_t rest = count % q.denominator * q.numerator;
    return {full * q.numerator + rest / q.denominator, rest % q.denominator};
}

/// Probabilities of a binomial distribution, up to a common factor: weight[i] belongs to first + i.
struct Weights {
    std::size_t first;
    std::vector<double> weight;
};

/// Weights of Bin(count, q).
///
/// The value next to the mean gets weight 1. Its neighbours follow from the ratio of two successive
/// binomial probabilities, P(k + 1) / P(k) = (count - k) / (k + 1) * q / (1 - q), outward in both directions,
/// until a weight no longer matters. Nothing overflows, no factorial is needed, and the rounding errors stay
/// near 1e-12 for 10,000,000 samples, where about 40,000 weights are kept.
Weights binomial_weights(std::size_t count, Quantile q) {
    // What is left out is far below the smallest alpha / 2 that a double can give (5e-17).
    constexpr double negligible = 1e-30;

    const auto success = static_cast<double>(q.numerator);
    const auto failure = static_cast<double>(q.denominator - q.numerator);
    const std::size_t start = multiply(count, q).whole;

    Weights result{start, {1.0}};
    double weight = 1.0;
    for (std::size_t k = start; k > 0; --k) {
        weight *= static_cast<double>(k) / static_cast<double>(count - k + 1) * (failure / success);
        if (weight < negligible) {
            break;
        }
        result.weight.push_back(weight);
        result.first = k - 1;
    }
    std::reverse(result.weight.begin(), result.weight.end());

    weight = 1.0;
    for (std::size_t k = start; k < count; ++k) {
        weight *= static_cast<double>(count - k) / static_cast<double>(k + 1) * (success / failure);
        if (weight < negligible) {
            break;
        }
        result.weight.push_back(weight);
    }
    return result;
}

/// The nearest-rank median of at least one value.
template <class T>
T middle(std::vector<T> &values) {
    const std::size_t rank = nearest_rank(values.size(), p50);
    const auto position = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
    std::nth_element(values.begin(), position, values.end());
    return *position;
}

} // namespace

std::size_t nearest_rank(std::size_t count, Quantile q) {
    check(count, q);
    const Product product = multiply(count, q);
    const std::size_t rounded_up = product.whole + (product.remainder == 0 ? 0 : 1);
    return std::max<std::size_t>(rounded_up, 1);
}

Cycles percentile(std::span<const Cycles> sorted, Quantile q) {
    return sorted[nearest_rank(sorted.size(), q) - 1];
}

RankInterval rank_interval(std::size_t count, Quantile q, double confidence) {
    check(count, q);
    if (!(confidence > 0.0 && confidence < 1.0)) { // also refuses NaN
        throw std::invalid_argument("a confidence must be between 0 and 1");
    }
    const Weights binomial = binomial_weights(count, q);
    const std::vector<double> &weight = binomial.weight;

    // A tail that equals alpha / 2 exactly must not fail because of a rounding error.
    constexpr double tolerance = 1.0 + 1e-9;
    const double total = std::accumulate(weight.begin(), weight.end(), 0.0);
    const double limit = (1.0 - confidence) / 2.0 * total * tolerance;

    // Both sums start at the far end of their tail, so that the small terms are added first.
    std::size_t low = binomial.first;
    double tail = 0.0;
    for (const double w : weight) {
        tail += w;
        if (tail > limit) {
            break;
        }
        ++low;
    }
    std::size_t high = binomial.first + weight.size();
    tail = 0.0;
    for (auto w = weight.rbegin(); w != weight.rend(); ++w) {
        tail += *w;
        if (tail > limit) {
            break;
        }
        --high;
    }

    RankInterval ranks;
    if (low >= 1) {
        ranks.low = low;
    }
    if (high <= count) {
        ranks.high = high;
    }
    return ranks;
}

Interval percentile_interval(std::span<const Cycles> sorted, Quantile q, double confidence) {
    const RankInterval ranks = rank_interval(sorted.size(), q, confidence);
    Interval interval;
    if (ranks.low) {
        interval.low = sorted[*ranks.low - 1];
    }
    if (ranks.high) {
        interval.high = sorted[*ranks.high - 1];
    }
    return interval;
}

Summary summarize(std::size_t count, const std::function<Cycles(std::size_t rank)> &value_at) {
    if (count == 0) {
        throw std::invalid_argument("no samples");
    }
    const auto percentile_of = [&](Quantile q) { return value_at(nearest_rank(count, q)); };
    const auto interval_of = [&](Quantile q) {
        const RankInterval ranks = rank_interval(count, q);
        Interval interval;
        if (ranks.low) {
            interval.low = value_at(*ranks.low);
        }
        if (ranks.high) {
            interval.high = value_at(*ranks.high);
        }
        return interval;
    };
    return {
        .count = count,
        .min = value_at(1),
        .p50 = percentile_of(p50),
        .p99 = percentile_of(p99),
        .p999 = percentile_of(p999),
        .max = value_at(count),
        .p50_interval = interval_of(p50),
        .p99_interval = interval_of(p99),
        .p999_interval = interval_of(p999),
    };
}

Summary summarize(std::vector<Cycles> samples) {
    std::sort(samples.begin(), samples.end());
    return summarize(samples.size(), [&samples](std::size_t rank) { return samples[rank - 1]; });
}

double median(std::vector<double> values) {
    // NaN is not less than, equal to or greater than anything: sorting it would be undefined.
    if (std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); })) {
        throw std::invalid_argument("a value is not a number");
    }
    return middle(values);
}

Cycles median(std::vector<Cycles> values) {
    return middle(values);
}

} // namespace ladder
