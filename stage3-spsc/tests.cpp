// SPDX-License-Identifier: MIT
/// @file
/// Stage 3: the ring. Nothing is overwritten before it was read, whatever the consumer says.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "common/memory_order.hpp"
#include "common/tests/guest.hpp"
#include "common/tsc.hpp"

using ladder::Device;
using ladder::Mapping;
using ladder::Simulator;
using namespace ladder::guest;

static_assert(sizeof(hft_slot) == HFT_CACHE_LINE, "a slot has a cache line of its own");
static_assert(alignof(hft_slot) == HFT_CACHE_LINE);
static_assert(offsetof(hft_ring, slots) == page_size, "no slot shares a page with the head");
static_assert(sizeof(hft_ring) == page_size + HFT_RING_SLOTS * HFT_CACHE_LINE);
static_assert(sizeof(hft_ring_tail) == page_size, "the tail has a page of its own");
static_assert(HFT_RING_SLOTS % 2 == 0 && (HFT_RING_SLOTS & (HFT_RING_SLOTS - 1)) == 0, "a power of two");

namespace {

class RingMapping : public DeviceTest {};
class TailMapping : public DeviceTest {};
class Ring : public DeviceTest {};
class Doors : public DeviceTest {};

Mapping<hft_ring> map_ring(const Device &device) {
    return {device, HFT_OFFSET_RING, sizeof(hft_ring), PROT_READ};
}

Mapping<hft_ring_tail> map_tail(const Device &device) {
    return {device, HFT_OFFSET_TAIL, sizeof(hft_ring_tail), PROT_READ | PROT_WRITE};
}

/// The consumer of the ring: the device and both mappings.
struct RingConsumer {
    Device device{O_RDWR | O_NONBLOCK};
    Mapping<hft_ring_tail> tail = map_tail(device);
    Mapping<hft_ring> ring = map_ring(device);

    std::uint64_t head() const { return ladder::load_acquire(ring->head); }
    const hft_slot &slot(std::uint64_t number) const { return ring->slots[number % HFT_RING_SLOTS]; }
    std::uint64_t sequence(std::uint64_t number) const { return ladder::load_acquire(slot(number).sequence); }
    void set_tail(std::uint64_t value) const { ladder::store_release(tail->tail, __u64{value}); }

    /// Expects that slot number @p from holds message @p sequence, and so on, up to slot number @p to.
    void expect_in_order(std::uint64_t from, std::uint64_t to, std::uint64_t first_sequence) const {
        for (std::uint64_t number = from; number != to; ++number) {
            ASSERT_EQ(sequence(number), first_sequence + (number - from)) << "slot number " << number;
        }
    }
};

/// Fills the ring and a few messages more, which are dropped.
void fill_ring() {
    make_messages(HFT_RING_SLOTS + 50, 256);
}

// --- What can be mapped, and how: the kernel's side. ---

TEST_F(RingMapping, IsSharedAndReadOnlyAndWhole) {
    const Device device(O_RDONLY);
    EXPECT_EQ(map(device, sizeof(hft_ring), HFT_OFFSET_RING, PROT_READ), "success");
}

TEST_F(RingMapping, OfAnotherSizeIsInvalid) {
    const Device device;
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_RING, PROT_READ), "EINVAL");
    EXPECT_EQ(map(device, sizeof(hft_ring) - page_size, HFT_OFFSET_RING, PROT_READ), "EINVAL");
    EXPECT_EQ(map(device, sizeof(hft_ring) + page_size, HFT_OFFSET_RING, PROT_READ), "EINVAL");
    EXPECT_EQ(map(device, sizeof(hft_ring), HFT_OFFSET_RING, PROT_READ), "success");
}

TEST_F(RingMapping, AtAnotherOffsetIsInvalid) {
    const Device device;
    EXPECT_EQ(map(device, sizeof(hft_ring), HFT_OFFSET_RING + off_t{page_size}, PROT_READ), "EINVAL");
    EXPECT_EQ(map(device, sizeof(hft_ring), HFT_OFFSET_RING - off_t{page_size}, PROT_READ), "EINVAL");
    EXPECT_EQ(map(device, sizeof(hft_ring), HFT_OFFSET_RING, PROT_READ), "success");
}

TEST_F(RingMapping, ThatIsPrivateIsInvalid) {
    const Device device;
    EXPECT_EQ(map(device, sizeof(hft_ring), HFT_OFFSET_RING, PROT_READ, MAP_PRIVATE), "EINVAL");
    EXPECT_EQ(map(device, sizeof(hft_ring), HFT_OFFSET_RING, PROT_READ, MAP_SHARED), "success");
}

TEST_F(RingMapping, ThatIsWritableIsNotPermitted) {
    const Device device;
    EXPECT_EQ(map(device, sizeof(hft_ring), HFT_OFFSET_RING, PROT_READ | PROT_WRITE), "EPERM");
}

TEST_F(RingMapping, ThatIsExecutableIsNotPermitted) {
    const Device device;
    EXPECT_EQ(map(device, sizeof(hft_ring), HFT_OFFSET_RING, PROT_READ | PROT_EXEC), "EPERM");
}

TEST_F(RingMapping, CannotBeMadeWritableLater) {
    const Device device;
    const auto ring = map_ring(device);
    EXPECT_EQ(outcome(mprotect(ring.get(), sizeof(hft_ring), PROT_READ | PROT_WRITE)), "EACCES");
}

TEST_F(RingMapping, CannotBeMadeExecutableLater) {
    const Device device;
    const auto ring = map_ring(device);
    EXPECT_EQ(outcome(mprotect(ring.get(), sizeof(hft_ring), PROT_READ | PROT_EXEC)), "EACCES");
}

TEST_F(RingMapping, CannotGrow) {
    const Device device;
    const auto ring = map_ring(device);
    EXPECT_EQ(grow(ring.get(), sizeof(hft_ring)), "EFAULT");
}

TEST_F(RingMapping, KillsTheConsumerThatWritesToIt) {
    const auto write_to = [](bool slot) {
        return in_child([&] {
            const RingConsumer consumer;
            ladder::store_release(slot ? consumer.ring->slots[0].stamp : consumer.ring->head, __u64{1});
            return 0;
        });
    };
    EXPECT_EQ(write_to(false), "SIGSEGV");
    EXPECT_EQ(write_to(true), "SIGSEGV");
}

TEST_F(RingMapping, IsNotCopiedByFork) {
    const RingConsumer consumer;
    EXPECT_EQ(consumer.head(), 0U); // the parent has it
    EXPECT_EQ(in_child([&] { return static_cast<int>(consumer.head()); }), "SIGSEGV");
}

// --- The consumer's side. ---

TEST_F(TailMapping, IsSharedAndWritable) {
    const Device device;
    const auto tail = map_tail(device);
    ladder::store_release(tail->tail, __u64{7});
    EXPECT_EQ(ladder::load_acquire(tail->tail), 7U);
}

TEST_F(TailMapping, OfAnotherSizeIsInvalid) {
    const Device device;
    EXPECT_EQ(map(device, 2 * page_size, HFT_OFFSET_TAIL, PROT_READ | PROT_WRITE), "EINVAL");
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_TAIL, PROT_READ | PROT_WRITE), "success");
}

TEST_F(TailMapping, AtAnotherOffsetIsInvalid) {
    const Device device;
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_TAIL + off_t{page_size}, PROT_READ | PROT_WRITE), "EINVAL");
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_TAIL, PROT_READ | PROT_WRITE), "success");
}

TEST_F(TailMapping, ThatIsPrivateIsInvalid) {
    const Device device;
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_TAIL, PROT_READ | PROT_WRITE, MAP_PRIVATE), "EINVAL");
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_TAIL, PROT_READ | PROT_WRITE, MAP_SHARED), "success");
}

TEST_F(TailMapping, ThatIsWritableOfAReadOnlyDescriptorIsDenied) {
    const Device device(O_RDONLY);
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_TAIL, PROT_READ | PROT_WRITE), "EACCES");
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_TAIL, PROT_READ), "success");
}

TEST_F(TailMapping, ThatIsExecutableIsNotPermitted) {
    const Device device;
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_TAIL, PROT_READ | PROT_WRITE | PROT_EXEC), "EPERM");
}

TEST_F(TailMapping, CannotBeMadeExecutableLater) {
    const Device device;
    const auto tail = map_tail(device);
    EXPECT_EQ(outcome(mprotect(tail.get(), page_size, PROT_READ | PROT_EXEC)), "EACCES");
}

TEST_F(TailMapping, CannotGrow) {
    const Device device;
    const auto tail = map_tail(device);
    EXPECT_EQ(grow(tail.get(), page_size), "EFAULT");
}

TEST_F(TailMapping, IsNotCopiedByFork) {
    const Device device;
    const auto tail = map_tail(device);
    EXPECT_EQ(in_child([&] { return static_cast<int>(ladder::load_acquire(tail->tail)); }), "SIGSEGV");
}

TEST_F(TailMapping, AloneLeavesTheMessagesToRead) {
    const Device device(O_RDWR | O_NONBLOCK);
    const auto tail = map_tail(device);
    const std::uint64_t before = Device::produced();
    make_messages(3);
    EXPECT_EQ(read_messages(device, 1).front().sequence, before + 1);
}

// --- The messages. ---

TEST_F(Ring, HasEachSlotInACacheLineOfItsOwn) {
    const RingConsumer consumer;
    for (const hft_slot &slot : consumer.ring->slots) {
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(&slot) % HFT_CACHE_LINE, 0U);
    }
}

TEST_F(Ring, IsEmptyForANewConsumer) {
    {
        const RingConsumer consumer;
        make_messages(7);
        consumer.set_tail(3);
    }
    const RingConsumer consumer;
    EXPECT_EQ(consumer.head(), 0U);
    EXPECT_EQ(ladder::load_acquire(consumer.tail->tail), 0U);
    for (std::uint64_t number = 0; number < HFT_RING_SLOTS; ++number) {
        ASSERT_EQ(consumer.sequence(number), 0U) << "slot " << number;
        ASSERT_EQ(ladder::load_acquire(consumer.slot(number).stamp), 0U) << "slot " << number;
    }
}

TEST_F(Ring, StartsAtSlotZeroForANewConsumer) {
    {
        const RingConsumer consumer;
        make_messages(7);
    }
    const RingConsumer consumer;
    const std::uint64_t before = Device::produced();
    make_messages(1);
    EXPECT_EQ(consumer.sequence(0), before + 1);
}

TEST_F(Ring, HoldsTheMessagesInOrder) {
    const RingConsumer consumer;
    const std::uint64_t before = Device::produced();
    const std::uint64_t made = make_messages(20);
    consumer.expect_in_order(0, made, before + 1);
    EXPECT_EQ(consumer.sequence(made), 0U) << "the slot after the last";
}

TEST_F(Ring, HasAHeadThatAgreesWithTheSlots) {
    const RingConsumer consumer;
    EXPECT_EQ(consumer.head(), 0U);
    const std::uint64_t made = make_messages(20);
    EXPECT_EQ(consumer.head(), made);
}

TEST_F(Ring, HoldsTheStampOfEachMessage) {
    const RingConsumer consumer;
    std::uint64_t last = ladder::tsc_now();
    const std::uint64_t made = make_messages(20);
    for (std::uint64_t number = 0; number < made; ++number) {
        const std::uint64_t stamp = ladder::load_acquire(consumer.slot(number).stamp);
        ASSERT_GE(stamp, last) << "slot " << number;
        last = stamp;
    }
    EXPECT_LE(last, ladder::tsc_now());
}

// A consumer on CPU 1 takes the message as soon as its slot's number, or the head, says that it is there. In
// the second lap of the ring: then a slot that is published too early shows an old stamp, not a new one.
template <class IsThere>
void poll_for_whole_messages(IsThere is_there) {
    const RingConsumer consumer;
    fill_ring();
    std::uint64_t next = consumer.head();
    ASSERT_EQ(next, std::uint64_t{HFT_RING_SLOTS});
    std::uint64_t last_sequence = consumer.sequence(next - 1);
    std::uint64_t last_stamp = ladder::load_acquire(consumer.slot(next - 1).stamp);
    consumer.set_tail(next);

    int wrong = 0;
    const Simulator simulator(1000);
    on_cpu(1, [&] {
        const ladder::Deadline deadline(patience);
        for (int taken = 0; taken < 200; ++taken, ++next) {
            ladder::spin_until([&] { return is_there(consumer, next, last_sequence); }, ladder::Spin::plain,
                               deadline, "a message in the ring");
            const std::uint64_t sequence = consumer.sequence(next);
            const std::uint64_t stamp = ladder::load_acquire(consumer.slot(next).stamp);
            wrong += sequence <= last_sequence || stamp <= last_stamp;
            last_sequence = sequence;
            last_stamp = stamp;
            consumer.set_tail(next + 1);
        }
    });
    EXPECT_EQ(wrong, 0);
}

TEST_F(Ring, ShowsAWholeMessageOnceItsSlotHasTheNumber) {
    poll_for_whole_messages([](const RingConsumer &consumer, std::uint64_t next, std::uint64_t last) {
        return consumer.sequence(next) > last;
    });
}

TEST_F(Ring, ShowsAWholeMessageOnceTheHeadHasPassedIt) {
    poll_for_whole_messages([](const RingConsumer &consumer, std::uint64_t next, std::uint64_t) {
        return consumer.head() > next;
    });
}

// --- A consumer that is slow, or wrong. ---

TEST_F(Ring, KeepsTheOldestMessagesAndCountsTheRest) {
    const RingConsumer consumer;
    const std::uint64_t before = Device::produced();
    const std::uint64_t dropped_before = Device::dropped();
    const std::uint64_t made = make_messages(HFT_RING_SLOTS + 50, 256); // the consumer sleeps
    const std::uint64_t dropped = Device::dropped() - dropped_before;
    EXPECT_EQ(dropped, made - HFT_RING_SLOTS);
    consumer.expect_in_order(0, HFT_RING_SLOTS, before + 1);

    // It has caught up: the gap is what was dropped.
    consumer.set_tail(HFT_RING_SLOTS);
    const std::uint64_t made_after = make_messages(20);
    consumer.expect_in_order(HFT_RING_SLOTS, HFT_RING_SLOTS + made_after,
                             before + HFT_RING_SLOTS + dropped + 1);
}

TEST_F(Ring, ReusesExactlyTheSlotsThatTheTailHasPassed) {
    const RingConsumer consumer;
    fill_ring();
    for (const std::uint64_t freed : {1U, 2U, 5U}) {
        const std::uint64_t head = consumer.head();
        const std::uint64_t dropped = Device::dropped();
        consumer.set_tail(head - HFT_RING_SLOTS + freed);
        const std::uint64_t made = make_messages(20);
        EXPECT_EQ(consumer.head(), head + freed);
        EXPECT_EQ(Device::dropped() - dropped, made - freed);
    }
}

/// Tails that no consumer can have when the producer is at @p head.
std::array<std::uint64_t, 7> wild_tails(std::uint64_t head) {
    return {
        head + 1,                    // just ahead of the head
        head + HFT_RING_SLOTS,       // a lap ahead of it
        head - HFT_RING_SLOTS - 1,   // just before the oldest slot
        head - 2 * HFT_RING_SLOTS,   // a lap before it
        head + (UINT64_MAX / 2 + 1), // as far as can be
        UINT64_MAX / 2 + 1,
        UINT64_MAX,
    };
}

TEST_F(Ring, LosesNothingButMessagesToAWildTail) {
    const RingConsumer consumer;
    const hft_ring &ring = *consumer.ring;
    std::uint64_t tail = 0;
    for (std::size_t i = 0; i < wild_tails(0).size(); ++i) {
        fill_ring(); // only then does the producer look at the tail
        ASSERT_EQ(consumer.head(), tail + HFT_RING_SLOTS);
        std::vector<char> ring_before(sizeof(ring));
        std::memcpy(ring_before.data(), &ring, sizeof(ring));
        const std::uint64_t dropped = Device::dropped();

        consumer.set_tail(wild_tails(consumer.head())[i]);
        const std::uint64_t made = make_messages(20);
        // Every byte, the padding too: NOLINTNEXTLINE(bugprone-suspicious-memory-comparison)
        EXPECT_EQ(std::memcmp(&ring, ring_before.data(), sizeof(ring)), 0)
            << "written to, with wild tail " << i;
        EXPECT_EQ(Device::dropped() - dropped, made) << "with wild tail " << i;

        // Right again: the messages flow.
        tail = consumer.head();
        consumer.set_tail(tail);
        const std::uint64_t before = Device::produced();
        const std::uint64_t made_after = make_messages(20);
        consumer.expect_in_order(tail, tail + made_after, before + 1);
    }
}

TEST_F(Ring, AccountsForEveryMessageOverManyLaps) {
    const RingConsumer consumer;
    const std::uint64_t before = Device::produced();
    const std::uint64_t dropped_before = Device::dropped();
    std::uint64_t next = 0;
    std::uint64_t last = before;
    std::uint64_t out_of_order = 0;
    const auto take_all = [&] {
        while (next != consumer.head()) {
            const std::uint64_t sequence = consumer.sequence(next);
            out_of_order += sequence <= last;
            last = sequence;
            consumer.set_tail(++next);
        }
    };
    {
        // Now and then more at once than the ring has slots.
        const Simulator simulator(1000, HFT_RING_SLOTS + 100);
        on_cpu(1, [&] {
            const ladder::Deadline deadline(patience);
            ladder::spin_until(
                [&] {
                    take_all();
                    return next > 50 * HFT_RING_SLOTS;
                },
                ladder::Spin::plain, deadline, "fifty laps");
        });
    }
    take_all();
    EXPECT_EQ(out_of_order, 0U);
    EXPECT_EQ(next + (Device::dropped() - dropped_before), Device::produced() - before);
}

TEST_F(Ring, OfAKilledConsumerIsCleanForTheNextOne) {
    const Shared<std::atomic<bool>> consuming;
    {
        const Simulator simulator(1000);
        Child child([&] {
            const RingConsumer consumer;
            for (std::uint64_t next = 0;;) {
                if (consumer.head() != next) {
                    consumer.set_tail(++next);
                    *consuming = true;
                }
            }
            return 0;
        });
        await("the child's first message", [&] { return consuming->load(); });
        child.send(SIGKILL);
        ASSERT_EQ(child.end(), "SIGKILL");
    }
    const RingConsumer consumer;
    EXPECT_EQ(consumer.head(), 0U);
    const std::uint64_t before = Device::produced();
    const std::uint64_t made = make_messages(5);
    consumer.expect_in_order(0, made, before + 1);
}

// --- Which door the messages take. ---

TEST_F(Doors, RingOnceMappedLeavesNothingForRead) {
    const RingConsumer consumer;
    make_messages(5);
    hft_message message{};
    EXPECT_EQ(outcome(read(consumer.device.descriptor(), &message, sizeof(message))), "EAGAIN");
}

TEST_F(Doors, RingOfAConsumerThatWentCountsEveryMessageAsDropped) {
    { const RingConsumer consumer_that_goes; }
    const std::uint64_t dropped = Device::dropped();
    const std::uint64_t made = make_messages(5);
    EXPECT_EQ(Device::dropped() - dropped, made);
}

TEST_F(Doors, ReadStillWorks) {
    { const RingConsumer consumer_that_goes; }
    const Device device(O_RDWR | O_NONBLOCK);
    const std::uint64_t before = Device::produced();
    make_messages(3);
    EXPECT_EQ(read_messages(device, 1).front().sequence, before + 1);
}

TEST_F(Doors, MailboxStillWorks) {
    { const RingConsumer consumer_that_goes; }
    const Device device;
    const Mapping<hft_mailbox> mailbox(device, HFT_OFFSET_MAILBOX, page_size, PROT_READ);
    make_messages(3);
    EXPECT_EQ(ladder::load_acquire(mailbox->sequence_end), Device::produced());
}

} // namespace
