// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/histogram.hpp"
#include "common/memory_order.hpp"
#include "common/statistics.hpp"

namespace ladder {

/// One message that arrived.
struct Sample {
    std::uint64_t sequence; ///< the producer's number of the message
    Cycles sent;            ///< TSC when it was made
    Cycles latency;         ///< TSC cycles from there to the consumer
};

/// The messages of one measurement, and everything that went wrong with them. Nothing is thrown away in
/// silence: what is not a sample is in one of the counts.
class Series {
public:
    /// @param name     what was measured
    /// @param samples  how many to keep, at least 1
    /// @param warmup   how many to count, but not to keep, before the first
    /// @param raw      keep each sample, however many they are
    /// @throws std::invalid_argument if @p samples is 0
    Series(std::string name, std::size_t samples, std::size_t warmup, bool raw = false);

    /// Up to so many samples are kept one by one; a longer series counts them in a Histogram, unless it is
    /// told to keep them: its memory does not grow with its length.
    static constexpr std::size_t most_raw = 10'000;

    /// The number of the last message before the series: the next one is not a gap.
    void start_after(std::uint64_t sequence) { last_ = sequence; }

    /// Takes the message @p sequence, stamped @p sent by the producer and @p received by the consumer.
    /// A gap before it adds to missing(); a number that is not greater than the last one adds to
    /// repeated(), a consumer stamp before the producer's to stamp_errors(), and neither is a sample.
    void record(std::uint64_t sequence, Cycles sent, Cycles received) {
        if (sequence <= last_) {
            ++repeated_;
            return;
        }
        missing_ += sequence - last_ - 1;
        last_ = sequence;
        if (received < sent) {
            ++stamp_errors_;
        } else if (warmed_up_ < warmup_) {
            ++warmed_up_;
        } else if (!complete()) {
            if (histogram_) {
                histogram_->record(received - sent);
            } else {
                samples_.push_back({sequence, sent, received - sent});
            }
            store_relaxed(count_, count_ + 1);
        }
    }

    /// Adds one to torn().
    void count_torn() { ++torn_; }
    /// Adds to dropped(). @param messages  how many
    void count_dropped(std::uint64_t messages) { dropped_ += messages; }

    /// Whether all samples are there.
    bool complete() const { return count_ == wanted_; }

    /// How many samples there are. Another thread may ask while messages arrive.
    std::size_t count() const { return load_relaxed(count_); }
    /// How many samples complete the series.
    std::size_t wanted() const { return wanted_; }

    /// What was measured.
    const std::string &name() const { return name_; }
    /// How many messages come before the first sample.
    std::size_t warmup() const { return warmup_; }
    /// The number of the last message taken.
    std::uint64_t last() const { return last_; }
    /// The samples, in the order in which they came; none if they are counted in a histogram.
    const std::vector<Sample> &samples() const { return samples_; }
    /// Whether each sample is kept, so that the summary is exact.
    bool exact() const { return histogram_ == nullptr; }
    /// How far above the exact figure one of the summary may be, as a share of it: 0, or the histogram's.
    double relative_error() const { return exact() ? 0 : Histogram::relative_error; }
    /// The memory that the samples take. It was allocated before the first one, and does not grow.
    std::size_t memory_bytes() const {
        return exact() ? samples_.capacity() * sizeof(Sample) : Histogram::memory_bytes();
    }

    /// Numbers that were skipped between two messages: dropped by the kernel, or lost.
    std::uint64_t missing() const { return missing_; }
    /// Messages that the kernel says it dropped because no place was free.
    std::uint64_t dropped() const { return dropped_; }
    /// Missing, and not said to be dropped: a mailbox forgot them.
    std::uint64_t lost() const { return missing_ > dropped_ ? missing_ - dropped_ : 0; }
    /// Messages whose number was not greater than the last one's.
    std::uint64_t repeated() const { return repeated_; }
    /// Reads that saw half of one message and half of the next.
    std::uint64_t torn() const { return torn_; }
    /// Messages that seem to have arrived before they were sent.
    std::uint64_t stamp_errors() const { return stamp_errors_; }

    /// Percentiles of the latencies. @throws std::invalid_argument without a sample
    Summary summary() const;

    /// Writes what is kept, and removes what an earlier series left there: `sequence,sent,latency` lines to
    /// samples.csv, or `lowest,highest,count` lines, one for each bucket that is not empty, to histogram.csv.
    /// @param folder  has to exist
    /// @returns the file @throws std::system_error if it cannot be written
    std::filesystem::path write_csv(const std::filesystem::path &folder) const;

private:
    std::string name_;
    std::size_t wanted_;
    std::size_t warmup_;
    std::size_t warmed_up_ = 0;
    std::uint64_t last_ = 0;
    std::uint64_t missing_ = 0;
    std::uint64_t dropped_ = 0;
    std::uint64_t repeated_ = 0;
    std::uint64_t torn_ = 0;
    std::uint64_t stamp_errors_ = 0;
    std::size_t count_ = 0;
    std::vector<Sample> samples_;
    std::unique_ptr<Histogram> histogram_; // either this or samples_
};

} // namespace ladder
