// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// Where the cycles of a message go, and why the late ones are late: the arithmetic of `make budget`.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/statistics.hpp"

namespace ladder {

/// One part of a message's way, or the whole of it, over many messages. In cycles, with a sign: two CPUs take
/// part, and the one that receives may be faster than the one that writes down that it has sent.
struct Part {
    std::string name;  ///< what happens in it
    std::int64_t mean; ///< over the same messages as every other part
    std::int64_t p50;  ///< median; medians do not add up
};

/// Adds up where the cycles go between the moments of messages.
class Budget {
public:
    /// @param parts  the names of the parts of the way, in order
    /// @throws std::invalid_argument if there are none
    explicit Budget(std::vector<std::string> parts);

    /// Takes a message. @param moments  TSC at its moments in order, one more than there are parts
    /// @throws std::invalid_argument for another number of moments
    void add(std::span<const Cycles> moments);

    /// How many messages were added.
    std::size_t messages() const { return whole_.size(); }

    /// The parts, in order. Their means, in whole cycles, add up exactly to the mean of whole(): each is the
    /// difference of two mean moments, which are rounded before they are subtracted.
    /// @throws std::invalid_argument ("no messages")
    std::vector<Part> parts() const;

    /// From the first moment to the last. @throws std::invalid_argument ("no messages")
    Part whole() const;

private:
    std::int64_t mean_moment(std::size_t moment) const;

    std::vector<std::string> names_;
    std::vector<std::vector<std::int64_t>> lengths_; ///< of each part, by message
    std::vector<std::int64_t> whole_;                ///< of each message
};

/// The nearest-rank median of values in any order. @throws std::invalid_argument ("no messages")
std::int64_t signed_median(std::vector<std::int64_t> values);

/// A time during which the consumer did not look.
struct Gap {
    Cycles from;      ///< its last look before
    Cycles to;        ///< its first look after
    bool interrupted; ///< an interrupt came to the consumer's CPU
};

/// How many gaps there were, and how long they were in all.
struct GapTotals {
    std::uint64_t gaps = 0;             ///< all
    Cycles cycles = 0;                  ///< their lengths
    std::uint64_t interrupted_gaps = 0; ///< of these: with an interrupt
    Cycles interrupted_cycles = 0;      ///< their lengths

    /// Counts a gap.
    void add(const Gap &gap);
    /// Counts all of the others.
    void add(const GapTotals &others);
};

/// What is known of a message that arrived while the consumer wrote down its gaps.
struct Arrival {
    Cycles stamped; ///< the producer made it
    Cycles stored;  ///< the producer had stored it
    Cycles seen;    ///< the consumer had seen it
};

/// What is usual, in the same series, in cycles.
struct Usual {
    Cycles latency; ///< median from the stamp to the moment it was seen
    Cycles store;   ///< median from the stamp to the store
};

/// Why a message was late.
enum class Cause {
    producer,    ///< the producer was slow between stamp and store
    interrupt,   ///< the consumer was not running: an interrupt came to its CPU
    standstill,  ///< the consumer was not running, and no interrupt came: its CPU was taken away from below
    unexplained, ///< nothing that was measured says why
};

/// @brief Why a message was late.
///
/// A cause has to account for at least half of the lateness, which is what the latency has above the usual.
/// @param gaps  in the order of time, without overlap; at least those between its stamp and its arrival
Cause cause_of(const Arrival &arrival, const Usual &usual, std::span<const Gap> gaps);

/// A cause in words, for tables.
const char *to_string(Cause cause);

} // namespace ladder
