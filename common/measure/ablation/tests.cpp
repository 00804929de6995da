// SPDX-License-Identifier: MIT
/// @file
/// The kernel that takes back one change at a time: its switches, its packed ring, its read() beside a ring.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/measure/ablation/configuration.hpp"
#include "common/measure/ablation/consumer.hpp"
#include "common/measure/ablation/rings.hpp"
#include "common/measure/ablation/simulator.hpp"
#include "common/memory_order.hpp"
#include "common/tests/guest.hpp"

using ladder::Device;
using ladder::hft_ctl;
using ladder::Series;
using ladder::Spin;
using ladder::ablation::Configuration;
using ladder::ablation::PackedRing;
using ladder::ablation::PaddedRing;
using ladder::ablation::Switch;
using namespace ladder::guest;

static_assert(sizeof(hft_start) == HFT_START_SIZE_VER1);
static_assert(offsetof(hft_start, switches) == HFT_START_SIZE_VER0,
              "what an older caller knows stays in place");
static_assert(offsetof(hft_packed, tail) < HFT_CACHE_LINE, "head and tail share a cache line");
static_assert(sizeof(hft_packed) % page_size == 0);

namespace {

class Switches : public DeviceTest {};
class Packed : public DeviceTest {};
class Wake : public DeviceTest {};
class SharedTail : public DeviceTest {};
class Soft : public DeviceTest {};
class Choices : public DeviceTest {};

/// As guest.hpp's make_messages(), with switches.
std::uint64_t make_messages_with(std::uint64_t switches, std::uint64_t count, unsigned int burst = 1,
                                 unsigned int cpu = 0) {
    const std::uint64_t before = Device::produced();
    {
        const ladder::ablation::Simulator simulator(1000, cpu, switches, burst);
        await(std::to_string(count) + " messages", [&] { return Device::produced() >= before + count; });
    }
    return Device::produced() - before;
}

/// What it comes to to start with these switches, slow, in a struct that claims to have @p size bytes.
std::string start(std::uint64_t switches, unsigned int size = sizeof(hft_start)) {
    hft_start request{};
    request.size = size;
    request.period_ns = 1'000'000'000;
    request.burst = 1;
    request.switches = switches;
    const std::string result = outcome(hft_ctl(HFT_CTL_START, reinterpret_cast<std::uintptr_t>(&request)));
    hft_ctl(HFT_CTL_STOP);
    return result;
}

/// How often a CPU has run the soft interrupt of timers.
std::uint64_t soft_timer_interrupts(int cpu) {
    std::ifstream file("/proc/softirqs");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string name;
        words >> name;
        if (name != "HRTIMER:") {
            continue;
        }
        std::uint64_t count = 0;
        for (int column = 0; column <= cpu; ++column) {
            words >> count;
        }
        return count;
    }
    throw std::runtime_error("/proc/softirqs has no line HRTIMER");
}

template <class Ring>
void expect_in_order(const Ring &ring, std::uint64_t from, std::uint64_t to, std::uint64_t first_sequence) {
    for (std::uint64_t number = from; number != to; ++number) {
        ASSERT_EQ(ladder::load_acquire(ring.slot(number).sequence), first_sequence + (number - from))
            << "slot number " << number;
    }
}

template <class Ring>
std::uint64_t head_of(const Ring &ring) {
    return ladder::load_acquire(ring.head());
}

// --- The switches: as strict as the rest of the call. ---

TEST_F(Switches, AreTakenOneByOneAndTogether) {
    EXPECT_EQ(start(0), "success");
    EXPECT_EQ(start(HFT_SWITCH_WAKE), "success");
    EXPECT_EQ(start(HFT_SWITCH_SHARED_TAIL), "success");
    EXPECT_EQ(start(HFT_SWITCH_SOFT), "success");
    EXPECT_EQ(start(HFT_SWITCHES), "success");
}

TEST_F(Switches, OfAnUnknownBitAreInvalid) {
    for (int bit = 0; bit < 64; ++bit) {
        const std::uint64_t one = std::uint64_t{1} << bit;
        EXPECT_EQ(start(one), (one & HFT_SWITCHES) != 0 ? "success" : "EINVAL") << "bit " << bit;
    }
    EXPECT_EQ(start(~std::uint64_t{0}), "EINVAL");
}

TEST_F(Switches, AreNoneForACallerThatDoesNotKnowThem) {
    // The member is not part of what the caller says it has: an unknown bit there is not even looked at.
    EXPECT_EQ(start(~std::uint64_t{0}, HFT_START_SIZE_VER0), "success");
    EXPECT_EQ(start(0, HFT_START_SIZE_VER0 - 1U), "EINVAL");
}

TEST_F(Switches, EndWithTheRun) {
    const Device device;
    make_messages_with(HFT_SWITCH_SOFT, 5);
    const std::uint64_t before = soft_timer_interrupts(0);
    make_messages_with(0, 50);
    EXPECT_LT(soft_timer_interrupts(0) - before, 50U);
}

// --- The packed ring: the same messages, and a consumer that can write everything. ---

TEST_F(Packed, MappingIsSharedAndWhole) {
    const Device device;
    constexpr int both = PROT_READ | PROT_WRITE;
    EXPECT_EQ(map(device, sizeof(hft_packed), HFT_OFFSET_PACKED, both), "success");
    EXPECT_EQ(map(device, sizeof(hft_packed) - page_size, HFT_OFFSET_PACKED, both), "EINVAL");
    EXPECT_EQ(map(device, sizeof(hft_packed) + page_size, HFT_OFFSET_PACKED, both), "EINVAL");
    EXPECT_EQ(map(device, sizeof(hft_packed), HFT_OFFSET_PACKED + off_t{page_size}, both), "EINVAL");
    EXPECT_EQ(map(device, sizeof(hft_packed), HFT_OFFSET_PACKED, both, MAP_PRIVATE), "EINVAL");
    EXPECT_EQ(map(device, sizeof(hft_packed), HFT_OFFSET_PACKED, PROT_READ | PROT_EXEC), "EPERM");
}

TEST_F(Packed, HoldsTheMessagesInOrder) {
    const Device device;
    const PackedRing ring(device);
    const std::uint64_t before = Device::produced();
    const std::uint64_t made = make_messages(20);
    EXPECT_EQ(head_of(ring), made);
    expect_in_order(ring, 0, made, before + 1);
    EXPECT_EQ(ladder::load_acquire(ring.slot(made).sequence), 0U) << "the slot after the last";
}

TEST_F(Packed, KeepsTheOldestMessagesAndCountsTheRest) {
    const Device device;
    const PackedRing ring(device);
    const std::uint64_t before = Device::produced();
    const std::uint64_t dropped = Device::dropped();
    const std::uint64_t made = make_messages(HFT_RING_SLOTS + 50, 256);
    EXPECT_EQ(head_of(ring), std::uint64_t{HFT_RING_SLOTS});
    EXPECT_EQ(Device::dropped() - dropped, made - HFT_RING_SLOTS);
    expect_in_order(ring, 0, HFT_RING_SLOTS, before + 1);
}

TEST_F(Packed, IsEmptyForANewConsumer) {
    {
        const Device device;
        const PackedRing ring(device);
        make_messages(7);
        ladder::store_release(ring.tail(), __u64{3});
    }
    const Device device;
    const PackedRing ring(device);
    EXPECT_EQ(head_of(ring), 0U);
    EXPECT_EQ(ladder::load_acquire(ring.tail()), 0U);
    expect_in_order(ring, 0, 0, 0);
    EXPECT_EQ(ladder::load_acquire(ring.slot(0).sequence), 0U);
}

TEST_F(Packed, LeavesThePaddedRingAlone) {
    const Device device;
    const PaddedRing padded(device);
    const PackedRing packed(device); // mapped last: its door is the open one
    const std::uint64_t made = make_messages(5);
    EXPECT_EQ(head_of(padded), 0U);
    EXPECT_EQ(head_of(packed), made);
}

TEST_F(Packed, LosesNothingButMessagesToAWildConsumer) {
    const Device device;
    const ladder::Mapping<hft_packed> packed(device, HFT_OFFSET_PACKED, sizeof(hft_packed),
                                             PROT_READ | PROT_WRITE);
    for (const std::uint64_t wild :
         {~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{HFT_RING_SLOTS + 1}}) {
        packed->head = wild;
        packed->tail = wild;
        for (hft_packed_slot &slot : packed->slots) {
            slot.sequence = wild;
        }
        make_messages_with(HFT_SWITCH_SHARED_TAIL, 5);
    }
    // Whatever is in its memory, the producer has gone on at its own head; with a right tail, all fit again.
    packed->tail = 0;
    const std::uint64_t dropped = Device::dropped();
    make_messages_with(HFT_SWITCH_SHARED_TAIL, 5);
    EXPECT_EQ(Device::dropped(), dropped);
    const std::uint64_t head = ladder::load_acquire(packed->head);
    ASSERT_LE(head, 100U);
    EXPECT_EQ(ladder::load_acquire(packed->slots[head - 1].sequence), Device::produced());
}

// --- read() beside a ring: it waits, and takes nothing. ---

template <class Ring>
void expect_that_read_counts() {
    const Device device(O_RDWR | O_NONBLOCK);
    const Ring ring(device);
    std::uint64_t waiting = 0;
    const std::uint64_t made = make_messages_with(HFT_SWITCH_WAKE, 5);
    EXPECT_EQ(read(device.descriptor(), &waiting, sizeof(waiting)), ssize_t{sizeof(waiting)});
    EXPECT_EQ(waiting, made);
    ladder::store_release(ring.tail(), __u64{2});
    EXPECT_EQ(read(device.descriptor(), &waiting, sizeof(waiting)), ssize_t{sizeof(waiting)});
    EXPECT_EQ(waiting, made - 2);
    ladder::store_release(ring.tail(), __u64{made});
    EXPECT_EQ(outcome(read(device.descriptor(), &waiting, sizeof(waiting))), "EAGAIN");
}

TEST_F(Wake, ReadCountsWhatWaitsInThePaddedRing) {
    expect_that_read_counts<PaddedRing>();
}

TEST_F(Wake, ReadCountsWhatWaitsInThePackedRing) {
    expect_that_read_counts<PackedRing>();
}

template <class Ring>
void expect_that_read_wakes_up(std::uint64_t switches) {
    const Device device;
    const Ring ring(device);
    const ladder::ablation::Simulator simulator(1000, 0, switches);
    for (std::uint64_t taken = 0; taken < 100; ++taken) {
        std::uint64_t waiting = 0;
        ASSERT_EQ(read(device.descriptor(), &waiting, sizeof(waiting)), ssize_t{sizeof(waiting)});
        ASSERT_GT(waiting, 0U);
        ASSERT_GT(head_of(ring), taken);
        ladder::store_release(ring.tail(), __u64{taken + 1});
    }
}

TEST_F(Wake, ReadSleepsUntilThePaddedRingHasAMessage) {
    expect_that_read_wakes_up<PaddedRing>(HFT_SWITCH_WAKE);
}

TEST_F(Wake, ReadSleepsUntilThePackedRingHasAMessage) {
    expect_that_read_wakes_up<PackedRing>(HFT_SWITCH_WAKE);
}

TEST_F(Wake, ReadIsWokenFromASoftInterrupt) {
    expect_that_read_wakes_up<PaddedRing>(HFT_SWITCH_WAKE | HFT_SWITCH_SOFT);
}

TEST_F(Wake, ReadIntoABadBufferTakesNothing) {
    const Device device(O_RDWR | O_NONBLOCK);
    const PaddedRing ring(device);
    std::uint64_t waiting = 0;
    const std::uint64_t made = make_messages_with(HFT_SWITCH_WAKE, 5);
    EXPECT_EQ(outcome(read(device.descriptor(), &waiting, sizeof(waiting) - 1)), "EINVAL");
    EXPECT_EQ(outcome(read(device.descriptor(), reinterpret_cast<void *>(8), sizeof(waiting))), "EFAULT");
    EXPECT_EQ(read(device.descriptor(), &waiting, sizeof(waiting)), ssize_t{sizeof(waiting)});
    EXPECT_EQ(waiting, made);
}

TEST_F(Wake, ReadIsInterrupted) {
    const Device device;
    const PaddedRing ring(device);
    make_messages_with(HFT_SWITCH_WAKE, 1);
    ladder::store_release(ring.tail(), __u64{head_of(ring)});
    const Alarm alarm(std::chrono::milliseconds(50));
    std::uint64_t waiting = 0;
    EXPECT_EQ(outcome(read(device.descriptor(), &waiting, sizeof(waiting))), "EINTR");
}

TEST_F(Wake, ReadWithoutItIsStageThrees) {
    const Device device(O_RDWR | O_NONBLOCK);
    const PaddedRing ring(device);
    make_messages(5);
    hft_message message{};
    EXPECT_EQ(outcome(read(device.descriptor(), &message, sizeof(message))), "EAGAIN");
}

TEST_F(Wake, LeavesTheQueueOfReadAlone) {
    const Device device;
    const std::uint64_t before = Device::produced();
    make_messages_with(HFT_SWITCHES, 5);
    EXPECT_EQ(read_messages(device, 1).front().sequence, before + 1);
}

// --- Which tail the producer believes. ---

/// How many messages fit behind a tail that is wrong from the start.
std::uint64_t taken_despite_a_wild_tail(std::uint64_t switches) {
    const Device device;
    const PaddedRing ring(device);
    ladder::store_release(ring.tail(), __u64{5 * HFT_RING_SLOTS});
    make_messages_with(switches, HFT_RING_SLOTS + 50, 256);
    return head_of(ring);
}

TEST_F(SharedTail, IsReadForEveryMessage) {
    EXPECT_EQ(taken_despite_a_wild_tail(HFT_SWITCH_SHARED_TAIL), 0U);
}

TEST_F(SharedTail, IsOtherwiseReadOnlyWhenTheRingSeemsFull) {
    EXPECT_EQ(taken_despite_a_wild_tail(0), std::uint64_t{HFT_RING_SLOTS});
}

// --- The tick in a soft interrupt. ---

TEST_F(Soft, TickRunsInASoftInterruptOfItsCpu) {
    for (const unsigned int cpu : {0U, 1U}) {
        const std::uint64_t before = soft_timer_interrupts(static_cast<int>(cpu));
        const std::uint64_t made = make_messages_with(HFT_SWITCH_SOFT, 50, 1, cpu);
        EXPECT_GE(soft_timer_interrupts(static_cast<int>(cpu)) - before, made) << "CPU " << cpu;
    }
}

TEST_F(Soft, LosesNothingOnTheWayToRead) {
    const Device device;
    const std::uint64_t before = Device::produced();
    const std::uint64_t made = make_messages_with(HFT_SWITCH_SOFT, 100, 10);
    const std::vector<hft_message> messages = read_messages(device, made);
    for (std::size_t i = 0; i < messages.size(); ++i) {
        ASSERT_EQ(messages[i].sequence, before + 1 + i);
    }
}

TEST_F(Soft, TakesMessagesOutWhileTheTickPutsThemIn) {
    // Reader and tick on one CPU, as fast as it goes: the lock of the queue is held by one when the other
    // comes.
    on_cpu(0, [] {
        const Device device;
        const ladder::ablation::Simulator simulator(50, 0, HFT_SWITCH_SOFT);
        std::uint64_t last = 0;
        for (int taken = 0; taken < 2000; ++taken) {
            hft_message message{};
            ASSERT_EQ(read(device.descriptor(), &message, sizeof(message)), ssize_t{sizeof(message)});
            ASSERT_GT(message.sequence, last);
            last = message.sequence;
        }
    });
}

TEST_F(Soft, ConsumersComeAndGoWhileItRuns) {
    const ladder::ablation::Simulator simulator(50, 0, HFT_SWITCH_SOFT);
    for (int times = 0; times < 50; ++times) {
        const Device device;
        const PackedRing ring(device);
        await("a message", [&] { return head_of(ring) > 0; });
        ASSERT_GT(ladder::load_acquire(ring.slot(0).sequence), 0U);
    }
}

// --- Every choice of the client, alone and all together: each delivers every message. ---

void expect_that_it_delivers(const std::string &name, const Configuration &how) {
    const std::vector<int> cpus = ladder::allowed_cpus();
    const ladder::Deadline deadline(patience);
    Series series(name, 50, 0);
    ladder::ablation::measure(how, {}, deadline, series);
    ladder::allow_cpus(cpus);
    EXPECT_TRUE(series.complete()) << name;
    EXPECT_EQ(series.lost() + series.dropped() + series.repeated() + series.stamp_errors(), 0U) << name;
}

TEST_F(Choices, EachAloneFromTheBestDeliversEveryMessage) {
    const Configuration best = ladder::ablation::best(Spin::plain);
    expect_that_it_delivers("best", best);
    for (const Switch &one : ladder::ablation::all_switches()) {
        expect_that_it_delivers(describe_change(best, one), changed(best, one));
    }
}

TEST_F(Choices, EachAloneFromTheNaiveDeliversEveryMessage) {
    const Configuration naive = ladder::ablation::naive(Spin::plain);
    expect_that_it_delivers("naive", naive);
    for (const Switch &one : ladder::ablation::all_switches()) {
        expect_that_it_delivers(describe_change(naive, one), changed(naive, one));
    }
}

TEST_F(Choices, EndWithTheDeadline) {
    for (const Configuration &how :
         {ladder::ablation::best(Spin::plain), ladder::ablation::naive(Spin::plain)}) {
        Series series("too long", 100'000, 0);
        const ladder::Deadline deadline(std::chrono::milliseconds(50));
        EXPECT_THROW(ladder::ablation::measure(how, {}, deadline, series), ladder::DeadlinePassed);
    }
}

} // namespace
