// SPDX-License-Identifier: MIT
/// @file
/// Long runs against the kernel of stage 3 (`make soak`): ten million messages, consumers that are late, slow
/// or killed. Each test prints its figures, and each accounts for every message: taken + dropped = produced.
///
/// LADDER_SOAK=short (CI) does a hundredth of the work, and says so.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "common/memory_order.hpp"
#include "common/tests/guest.hpp"
#include "common/tests/wake_up.hpp"

using ladder::Device;
using ladder::Mapping;
using ladder::Simulator;
using namespace ladder::guest;

namespace {

class Soak : public DeviceTest {};

/// How much of a full run is done.
std::uint64_t scaled(std::uint64_t full) {
    const char *const mode = std::getenv("LADDER_SOAK");
    return mode != nullptr && std::string(mode) == "short" ? full / 100 : full;
}

/// The consumer of the ring, which checks every message that it takes.
class RingConsumer {
public:
    /// Takes what is there, @p most messages at most. @returns how many
    std::uint64_t take(std::uint64_t most = UINT64_MAX) {
        std::uint64_t count = 0;
        while (count < most && ladder::load_acquire(ring_->head) != next_) {
            const hft_slot &slot = ring_->slots[next_ % HFT_RING_SLOTS];
            const std::uint64_t sequence = ladder::load_acquire(slot.sequence);
            const std::uint64_t stamp = ladder::load_relaxed(slot.stamp);
            wrong_ += sequence <= last_sequence_ || stamp < last_stamp_;
            last_sequence_ = sequence;
            last_stamp_ = stamp;
            ++next_;
            ++count;
            // Only after the slot was read: from here on the kernel may use it again.
            ladder::store_release(tail_->tail, __u64{next_});
        }
        return count;
    }

    /// Messages taken since the device was opened.
    std::uint64_t taken() const { return next_; }

    /// Takes the rest after the simulator has stopped, and expects that every message since @p before is
    /// accounted for: taken or counted as dropped, none of them repeated, torn or out of order.
    void expect_all_accounted(std::uint64_t produced_before, std::uint64_t dropped_before) {
        take();
        const std::uint64_t produced = Device::produced() - produced_before;
        const std::uint64_t dropped = Device::dropped() - dropped_before;
        fmt::print("    produced {}, taken {}, dropped {}, wrong {}\n", produced, next_, dropped, wrong_);
        EXPECT_EQ(next_ + dropped, produced);
        EXPECT_EQ(wrong_, 0U);
    }

private:
    Device device_{O_RDWR | O_NONBLOCK};
    Mapping<hft_ring_tail> tail_{device_, HFT_OFFSET_TAIL, sizeof(hft_ring_tail), PROT_READ | PROT_WRITE};
    Mapping<hft_ring> ring_{device_, HFT_OFFSET_RING, sizeof(hft_ring), PROT_READ};
    std::uint64_t next_ = 0;
    std::uint64_t last_sequence_ = Device::produced();
    std::uint64_t last_stamp_ = 0;
    std::uint64_t wrong_ = 0;
};

/// The size of the kernel's memory in KiB: what is neither free nor in use by processes or caches of files.
std::uint64_t kernel_kib() {
    std::ifstream file("/proc/meminfo");
    std::uint64_t used = 0;
    for (std::string name, rest; file >> name;) {
        std::uint64_t kib = 0;
        file >> kib;
        std::getline(file, rest);
        if (name == "MemTotal:") {
            used += kib;
        } else if (name == "MemFree:" || name == "Cached:" || name == "Buffers:" || name == "AnonPages:") {
            used -= kib;
        }
    }
    return used;
}

// --- Ten million messages. ---

TEST_F(Soak, AccountsForTenMillionMessagesAtEveryRate) {
    struct Rate {
        unsigned int period_us;
        unsigned int burst;
    };
    // From one message a tick to as many as the simulator makes, faster than the CPU can: how many of those
    // find the ring full is the host's to say.
    constexpr Rate rates[] = {{50, 1},
                              {50, 16},
                              {100, 128},
                              {1000, 1024},
                              {1000, 2048},
                              {1000, HFT_BURST_MAX},
                              {50, HFT_BURST_MAX}};
    const std::uint64_t wanted = scaled(10'000'000);
    RingConsumer consumer;
    const std::uint64_t produced_before = Device::produced();
    const std::uint64_t dropped_before = Device::dropped();
    for (const Rate &rate : rates) {
        // The slowest two make a small part, or they would take minutes.
        const std::uint64_t part = rate.burst < 100 ? wanted / 100 : wanted / 5;
        const std::uint64_t from = consumer.taken();
        const std::uint64_t dropped_from = Device::dropped();
        const auto begun = std::chrono::steady_clock::now();
        {
            const Simulator simulator(rate.period_us, rate.burst);
            on_cpu(1, [&] {
                const ladder::Deadline deadline(std::chrono::minutes(5));
                ladder::spin_until(
                    [&] {
                        consumer.take();
                        return consumer.taken() >= from + part;
                    },
                    ladder::Spin::plain, deadline, "the messages of one rate");
            });
        }
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
        const auto taken = static_cast<double>(consumer.taken() - from);
        fmt::print("    {} messages every {} us: {:.0f} a second arrived, {} dropped\n", rate.burst,
                   rate.period_us, taken / took.count(), Device::dropped() - dropped_from);
    }
    consumer.expect_all_accounted(produced_before, dropped_before);
    EXPECT_GE(consumer.taken(), wanted);
}

// --- Consumers that are late or slow. ---

TEST_F(Soak, CountsWhatAConsumerMissesThatStopsForASecond) {
    RingConsumer consumer;
    const std::uint64_t produced_before = Device::produced();
    const std::uint64_t dropped_before = Device::dropped();
    {
        const Simulator simulator(1000, 2);
        for (int stop = 0; stop < 3; ++stop) {
            // Its second ends when so many messages were made that the ring has to be full.
            await_messages(2000);
            EXPECT_EQ(consumer.take(), std::uint64_t{HFT_RING_SLOTS});
        }
    }
    EXPECT_GE(Device::dropped() - dropped_before, 3 * (2000U - HFT_RING_SLOTS));
    consumer.expect_all_accounted(produced_before, dropped_before);
}

TEST_F(Soak, CountsWhatAConsumerMissesAtHalfTheRate) {
    constexpr unsigned int burst = 64;
    RingConsumer consumer;
    const std::uint64_t produced_before = Device::produced();
    const std::uint64_t dropped_before = Device::dropped();
    {
        const Simulator simulator(1000, burst);
        std::uint64_t seen = produced_before;
        const std::uint64_t end = produced_before + scaled(1'000'000);
        while (seen < end) {
            await_messages(burst);
            const std::uint64_t now = Device::produced();
            consumer.take((now - seen) / 2); // one for every two that were made
            seen = now;
        }
    }
    EXPECT_GT(Device::dropped(), dropped_before) << "half the rate should not have been enough";
    consumer.expect_all_accounted(produced_before, dropped_before);
}

// --- Consumers that are killed. ---

TEST_F(Soak, SurvivesAThousandKilledConsumers) {
    constexpr std::uint64_t noise_kib = 2048; // a page for each of a thousand would be 4,096
    const std::uint64_t times = std::max<std::uint64_t>(scaled(1000), 20);
    const Shared<std::atomic<std::uint64_t>> consumed;
    const auto kill_one = [&] {
        *consumed = 0;
        Child child([&] {
            RingConsumer consumer;
            for (;;) {
                *consumed += consumer.take();
            }
            return 0;
        });
        await("a message for the child", [&] { return *consumed > 0; });
        child.send(SIGKILL);
        ASSERT_EQ(child.end(), "SIGKILL");
    };
    const Simulator simulator(100, 16);
    for (int warm_up = 0; warm_up < 10; ++warm_up) {
        kill_one();
    }
    const std::uint64_t before = kernel_kib();
    for (std::uint64_t i = 0; i < times; ++i) {
        ASSERT_NO_FATAL_FAILURE(kill_one()) << "consumer " << i;
    }
    const std::uint64_t after = kernel_kib();
    fmt::print("    {} killed; the kernel's memory {} KiB before, {} KiB after\n", times, before, after);
    if (times >= 1000) {
        EXPECT_LE(after, before + noise_kib);
    }

    ladder::hft_ctl(HFT_CTL_STOP);
    RingConsumer next; // starts clean
    const std::uint64_t produced_before = Device::produced();
    const std::uint64_t dropped_before = Device::dropped();
    const std::uint64_t made = make_messages(100);
    EXPECT_EQ(next.take(), made);
    next.expect_all_accounted(produced_before, dropped_before);
}

// --- A wake-up just before the sleep. ---

TEST_F(Soak, NeverMissesAWakeUpJustBeforeTheSleep) {
    const std::uint64_t proofs = scaled(20'000);
    const WakeUps result = sleep_while_messages_come(proofs);
    fmt::print("    {} sleepers woken, {} of them by the only message there was\n", result.woken,
               result.proving);
    EXPECT_EQ(result.woken, result.rounds) << "a sleeper was not woken";
    EXPECT_EQ(result.proving, proofs) << "the host did not let the simulator be stopped in time";
}

} // namespace
