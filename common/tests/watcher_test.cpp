// SPDX-License-Identifier: MIT
#include "common/measure/watcher.hpp"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace {

using ladder::Cycles;
using ladder::Gap;
using ladder::tsc_now;
using ladder::Watcher;

/// A watcher that knows what is usual: the message that it waits for is always there.
class WatcherTest : public testing::Test {
protected:
    WatcherTest() {
        slot.sequence = 1;
        for (int reading = 0; reading < 1'000; ++reading) {
            look();
        }
    }
    void look() { watcher.wait(slot, 0, deadline); }
    /// Does not look for a millisecond. @returns when that began
    Cycles look_away() {
        look();
        const Cycles begun = tsc_now();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        ended = tsc_now();
        look();
        return begun;
    }

    hft_slot slot{};
    ladder::Deadline deadline{std::chrono::seconds(20)};
    Watcher watcher{4};
    Cycles ended = 0;
};

TEST_F(WatcherTest, SeesWhenItDidNotLook) {
    EXPECT_GT(watcher.reading(), 0U);
    const std::uint64_t before = watcher.totals().gaps;
    const Cycles begun = look_away();
    EXPECT_GT(watcher.totals().gaps, before);
    watcher.keep_since(begun);
    ASSERT_FALSE(watcher.gaps().empty());
    const Gap &gap = watcher.gaps().back();
    EXPECT_LE(gap.from, begun);
    EXPECT_GE(gap.to, ended);
}

TEST_F(WatcherTest, KeepsOnlyWhatMayHaveKeptAMessageWaiting) {
    look_away();
    watcher.keep_since(tsc_now());
    EXPECT_TRUE(watcher.gaps().empty());
    watcher.keep_since(0);
    EXPECT_TRUE(watcher.gaps().empty()) << "what was of no interest to one message is of none to the next";
    EXPECT_GT(watcher.totals().gaps, 0U);
    EXPECT_EQ(watcher.not_kept(), 0U);
}

TEST_F(WatcherTest, CountsWhatItHasNoRoomFor) {
    for (int gap = 0; gap < 6; ++gap) {
        look_away();
    }
    watcher.keep_since(0);
    EXPECT_EQ(watcher.gaps().size(), 4U);
    EXPECT_EQ(watcher.not_kept(), watcher.totals().gaps - 4);
}

TEST(GapTotals, AddUp) {
    ladder::GapTotals all;
    all.add(Gap{100, 150, false});
    all.add(Gap{200, 207, true});
    ladder::GapTotals twice = all;
    twice.add(all);
    EXPECT_EQ(all.gaps, 2U);
    EXPECT_EQ(all.cycles, 57U);
    EXPECT_EQ(all.interrupted_gaps, 1U);
    EXPECT_EQ(all.interrupted_cycles, 7U);
    EXPECT_EQ(twice.cycles, 114U);
}

} // namespace
