// SPDX-License-Identifier: MIT
#pragma once

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
/// It reads the clock once in `looks_per_reading` looks, and with the look that finds a message. In each look
/// would disturb what it watches: an emulator takes a lock to read the clock, and the producer, whose stamp
/// and whose timer read it, too, has to wait for that lock.
class Watcher {
public:
    /// Looks from one reading of the clock to the next, while nothing comes.
    static constexpr int looks_per_reading = 32;
    /// A gap so many times as long as from one reading to the next means that the consumer was not running.
    static constexpr Cycles not_running = 10;

    /// Measures how long it takes from one reading to the next while nothing comes.
    /// @param slot  where the first message will be  @param last  the number of the message before
    /// @param most  how many gaps to keep
    Watcher(const hft_slot &slot, std::uint64_t last, std::size_t most) {
        // Now: a growing vector copies, and the consumer would not look meanwhile.
        gaps_.resize(most);
        gaps_.clear();
        constexpr std::size_t readings = 1'000;
        std::vector<Cycles> lengths(readings);
        mark_.set();
        looked_ = __rdtsc();
        for (Cycles &length : lengths) {
            for (int look = 0; look < looks_per_reading; ++look) {
                found(slot, last);
            }
            const Cycles now = __rdtsc();
            length = now - looked_;
            looked_ = now;
        }
        reading_ = median(std::move(lengths));
        mark_.set();
        looked_ = begun_ = __rdtsc();
    }

    /// The median time from one reading of the clock to the next.
    Cycles reading() const { return reading_; }
    /// When the consumer did not look, in the order of time.
    const std::vector<Gap> &gaps() const { return gaps_; }
    /// Gaps for which there was no room.
    std::uint64_t not_kept() const { return not_kept_; }
    /// How long it has been watching.
    Cycles watched() const { return looked_ - begun_; }

    /// Waits for a message with a number above @p last. @returns when it was seen
    /// @throws DeadlinePassed if none comes
    Cycles wait(const hft_slot &slot, std::uint64_t last, const Deadline &deadline) {
        int looks = 0;
        spin_until(
            [&] {
                const bool there = found(slot, last);
                if (!there && ++looks < looks_per_reading) {
                    return false;
                }
                looks = 0;
                const Cycles now = there ? tsc_now() : __rdtsc();
                if (now - looked_ > not_running * reading_) {
                    keep({looked_, now, mark_.gone()});
                    mark_.set();
                }
                looked_ = now;
                return there;
            },
            Spin::plain, deadline, "a message in the ring");
        return looked_;
    }

private:
    static bool found(const hft_slot &slot, std::uint64_t last) { return load_acquire(slot.sequence) > last; }

    void keep(const Gap &gap) {
        if (gaps_.size() < gaps_.capacity()) {
            gaps_.push_back(gap);
        } else {
            ++not_kept_;
        }
    }

    InterruptMark mark_;
    std::vector<Gap> gaps_;
    std::uint64_t not_kept_ = 0;
    Cycles begun_ = 0;
    Cycles looked_ = 0;
    Cycles reading_ = 0;
};

} // namespace ladder
