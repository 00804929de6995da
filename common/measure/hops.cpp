// SPDX-License-Identifier: MIT
#include "common/measure/hops.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace ladder {
namespace {

/// From @p from to @p to, with a sign.
std::int64_t difference(Cycles from, Cycles to) {
    return static_cast<std::int64_t>(to - from);
}

/// Above @p usual, or 0.
Cycles excess(Cycles value, Cycles usual) {
    return value > usual ? value - usual : 0;
}

} // namespace

std::int64_t signed_median(std::vector<std::int64_t> values) {
    if (values.empty()) {
        throw std::invalid_argument("no messages");
    }
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(nearest_rank(values.size(), p50) - 1);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

Budget::Budget(std::vector<std::string> parts) : names_(std::move(parts)), lengths_(names_.size()) {
    if (names_.empty()) {
        throw std::invalid_argument("a budget needs at least one part");
    }
}

void Budget::add(std::span<const Cycles> moments) {
    if (moments.size() != names_.size() + 1) {
        throw std::invalid_argument("a message needs one moment more than there are parts");
    }
    for (std::size_t part = 0; part < names_.size(); ++part) {
        lengths_[part].push_back(difference(moments[part], moments[part + 1]));
    }
    whole_.push_back(difference(moments.front(), moments.back()));
}

/// The mean of a moment after the first one, rounded to whole cycles.
std::int64_t Budget::mean_moment(std::size_t moment) const {
    std::int64_t sum = 0;
    for (std::size_t part = 0; part < moment; ++part) {
        sum = std::accumulate(lengths_[part].begin(), lengths_[part].end(), sum);
    }
    const auto count = static_cast<std::int64_t>(messages());
    const std::int64_t half = sum < 0 ? -count / 2 : count / 2;
    return (sum + half) / count;
}

std::vector<Part> Budget::parts() const {
    std::vector<Part> parts;
    for (std::size_t part = 0; part < names_.size(); ++part) {
        const std::int64_t median = signed_median(lengths_[part]);
        parts.push_back({names_[part], mean_moment(part + 1) - mean_moment(part), median});
    }
    return parts;
}

Part Budget::whole() const {
    const std::int64_t median = signed_median(whole_);
    return {"whole", mean_moment(names_.size()), median};
}

void GapTotals::add(const Gap &gap) {
    const Cycles length = gap.to - gap.from;
    add(GapTotals{1, length, gap.interrupted ? 1U : 0U, gap.interrupted ? length : 0});
}

void GapTotals::add(const GapTotals &others) {
    gaps += others.gaps;
    cycles += others.cycles;
    interrupted_gaps += others.interrupted_gaps;
    interrupted_cycles += others.interrupted_cycles;
}

Cause cause_of(const Arrival &arrival, const Usual &usual, std::span<const Gap> gaps) {
    const Cycles late = excess(excess(arrival.seen, arrival.stamped), usual.latency);
    if (late == 0) {
        return Cause::unexplained;
    }
    if (2 * excess(excess(arrival.stored, arrival.stamped), usual.store) >= late) {
        return Cause::producer;
    }
    // Only what of the gaps came after the store kept the message waiting. One that waited behind others may
    // have been stored before a gap that ended long before it was seen.
    Cycles interrupted = 0;
    Cycles still = 0;
    const auto first = std::partition_point(gaps.begin(), gaps.end(),
                                            [&](const Gap &gap) { return gap.to <= arrival.stored; });
    for (auto gap = first; gap != gaps.end() && gap->from < arrival.seen; ++gap) {
        const Cycles waited = std::min(gap->to, arrival.seen) - std::max(gap->from, arrival.stored);
        (gap->interrupted ? interrupted : still) += waited;
    }
    if (2 * (interrupted + still) < late) {
        return Cause::unexplained;
    }
    return interrupted > still ? Cause::interrupt : Cause::standstill;
}

const char *to_string(Cause cause) {
    switch (cause) {
    case Cause::producer:
        return "the producer was slow between stamp and store";
    case Cause::interrupt:
        return "an interrupt came to the consumer's CPU";
    case Cause::standstill:
        return "the consumer's CPU stood still, without an interrupt";
    case Cause::unexplained:
        return "unexplained";
    }
    return "unexplained";
}

} // namespace ladder
