// SPDX-License-Identifier: MIT
/// @file
/// Stage 0: a system call of our own, and a guest in which time and the second CPU are fit to measure with.

#include <atomic>
#include <climits>
#include <cstdint>
#include <string>
#include <thread>

#include "common/tests/guest.hpp"

using ladder::hft_ctl;
using namespace ladder::guest;

namespace {

TEST(Syscall, PingReturnsZero) {
    EXPECT_EQ(hft_ctl(HFT_CTL_PING), 0);
}

TEST(Syscall, PingIgnoresItsArgument) {
    EXPECT_EQ(hft_ctl(HFT_CTL_PING, 1), 0);
    EXPECT_EQ(hft_ctl(HFT_CTL_PING, HFT_CTL_PING), 0);
    EXPECT_EQ(hft_ctl(HFT_CTL_PING, UINTPTR_MAX), 0);
}

TEST(Syscall, PingNeedsNoPrivilege) {
    EXPECT_EQ(unprivileged([] { return hft_ctl(HFT_CTL_PING); }), "success");
}

TEST(Syscall, UnknownModesAreInvalid) {
    for (const unsigned int mode : {0U, 1U, 776U, 778U, UINT_MAX}) {
        EXPECT_EQ(outcome(hft_ctl(mode)), "EINVAL") << "mode " << mode;
        EXPECT_EQ(unprivileged([&] { return hft_ctl(mode); }), "EINVAL") << "mode " << mode;
    }
}

TEST(Syscall, AllBitsOfTheModeCount) {
    EXPECT_EQ(outcome(hft_ctl(HFT_CTL_PING | 1U << 31)), "EINVAL");
    EXPECT_EQ(outcome(hft_ctl(HFT_CTL_PING | 1U << 16)), "EINVAL");
}

// The kernel takes "tsc-early" first and changes to "tsc" when it knows the frequency well, about a second
// after it started. With another one, nohz_full never stops a tick.
TEST(Guest, ClockBecomesTheTsc) {
    await("clocksource tsc", [] {
        return first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource") == "tsc";
    });
}

TEST(Guest, Cpu1IsIsolated) {
    EXPECT_EQ(first_line("/sys/devices/system/cpu/online"), "0-1");
    EXPECT_EQ(first_line("/sys/devices/system/cpu/isolated"), "1");
    EXPECT_EQ(first_line("/sys/devices/system/cpu/nohz_full"), "1");
}

// With a tick, CPU 1 would be interrupted 250 times a second (CONFIG_HZ). A tenth of that is far from both: a
// CPU without one is interrupted once or twice. The first second may still have one, so wait for a good one.
TEST(Guest, Cpu1HasNoTickWhileOneThreadPollsThere) {
    constexpr std::uint64_t most_in_a_second = 25;
    std::atomic<bool> enough{false};
    std::uint64_t polls = 0;
    std::thread polling([&] {
        ladder::pin_to_cpu(1);
        while (!enough) {
            ++polls;
        }
    });

    std::uint64_t interrupts = 0;
    const ladder::Deadline deadline(2 * patience);
    do {
        const std::uint64_t before = timer_interrupts(1);
        std::this_thread::sleep_for(std::chrono::seconds(1)); // the window of observation
        interrupts = timer_interrupts(1) - before;
    } while (interrupts >= most_in_a_second && !deadline.passed());

    enough = true;
    polling.join();
    EXPECT_LT(interrupts, most_in_a_second) << "timer interrupts of CPU 1 in a second";
    EXPECT_GT(polls, 0U);
}

} // namespace
