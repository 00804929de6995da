// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/deadline.hpp"
#include "common/device.hpp"
#include "common/measure/hops.hpp"
#include "common/measure/interrupt_mark.hpp"
#include "common/memory_order.hpp"
#include "common/tsc.hpp"

namespace ladder {

/// Looks at the ring, and writes down when it did not look.
///
/// There are many gaps, most of them short and while no message was on its way: those are only counted.
///
/// It reads the clock once in `looks_per_reading` looks, and with the look that finds a message. In each look
/// would disturb what it watches: an emulator takes a lock to read the clock, and the producer, whose stamp
/// and whose timer read it, too, has to wait for that lock.
class Watcher {
public:
    /// Looks from one reading of the clock to the next, while nothing comes.
    static constexpr int looks_per_reading = 32;
    /// A gap so many times as long as from one reading to the next means that the consumer was not running.
    static constexpr Cycles not_running = 4;

    /// @param most  how many gaps to keep: some for each message
    explicit Watcher(std::size_t most) {
        // Now: a growing vector copies, and the consumer would not look meanwhile.
        gaps_.resize(most);
        gaps_.clear();
        mark_.set();
    }

    /// The median time from one reading of the clock to the next while nothing comes. The first readings of
    /// all tell it, in the very loop that is watched: another one would be faster or slower. Until then, no
    /// gap is seen. @throws std::invalid_argument if there was no reading yet
    Cycles reading() const { return median(std::vector(first_.begin(), first_.begin() + readings_)); }
    /// When the consumer did not look while a message was on its way, in the order of time.
    const std::vector<Gap> &gaps() const { return gaps_; }
    /// All gaps.
    const GapTotals &totals() const { return totals_; }
    /// Gaps on the way of a message for which there was no room.
    std::uint64_t not_kept() const { return not_kept_; }
    /// How long it has been watching.
    Cycles watched() const { return looked_ - begun_; }

    /// Keeps the gaps that may have kept a message waiting. To be called for each message, after wait().
    /// @param stamped  when it was made; no later message was made before
    void keep_since(Cycles stamped) {
        const std::uint64_t oldest = totals_.gaps > recent_.size() ? totals_.gaps - recent_.size() : 0;
        std::uint64_t first = totals_.gaps;
        while (first > std::max(oldest, settled_) && recent_[(first - 1) % recent_.size()].to > stamped) {
            --first;
        }
        if (first == oldest && oldest > settled_) { // they came too fast: older ones are gone
            not_kept_ += oldest - settled_;
        }
        for (; first < totals_.gaps; ++first) {
            if (gaps_.size() < gaps_.capacity()) {
                gaps_.push_back(recent_[first % recent_.size()]);
            } else {
                ++not_kept_;
            }
        }
        settled_ = totals_.gaps;
    }

    /// Waits for a message with a number above @p last. @returns when it was seen
    /// @throws DeadlinePassed if none comes
    Cycles wait(const hft_slot &slot, std::uint64_t last, const Deadline &deadline) {
        int looks = 0;
        if (begun_ == 0) { // what happens between two calls is time without a look
            looked_ = begun_ = __rdtsc();
        }
        spin_until(
            [&] {
                const bool there = load_acquire(slot.sequence) > last;
                if (!there && ++looks < looks_per_reading) {
                    return false;
                }
                looks = 0;
                const Cycles now = there ? tsc_now() : __rdtsc();
                if (readings_ < first_.size()) {
                    calibrate(now - looked_);
                } else if (now - looked_ > gap_) {
                    // No more than this: what it takes is time without a look, too.
                    const Gap gap{looked_, now, mark_.gone()};
                    recent_[totals_.gaps % recent_.size()] = gap;
                    totals_.add(gap);
                    if (gap.interrupted) {
                        mark_.set();
                    }
                }
                looked_ = now;
                return there;
            },
            Spin::plain, deadline, "a message in the ring");
        return looked_;
    }

private:
    void calibrate(Cycles length) {
        first_[readings_++] = length;
        if (readings_ == first_.size()) {
            gap_ = not_running * reading();
            mark_.set();
        }
    }

    InterruptMark mark_;
    std::array<Gap, 1024> recent_{}; // the newest, by number
    GapTotals totals_;
    std::uint64_t settled_ = 0; // all gaps before this number are kept or of no interest
    std::vector<Gap> gaps_;
    std::uint64_t not_kept_ = 0;
    std::array<Cycles, 1000> first_{};
    std::size_t readings_ = 0; // of these; not counted any more when they are complete
    Cycles gap_ = 0;           // what is longer is a gap; known when they are complete
    Cycles begun_ = 0;
    Cycles looked_ = 0;
};

} // namespace ladder
