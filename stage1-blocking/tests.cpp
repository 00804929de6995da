// SPDX-License-Identifier: MIT
/// @file
/// Stage 1: the control plane, the packet simulator, and read(). <linux/hft.h> states the contract; each row
/// of it has a test here.

#include <array>
#include <atomic>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/tests/guest.hpp"
#include "common/tests/wake_up.hpp"
#include "common/tsc.hpp"

using ladder::Device;
using ladder::hft_ctl;
using ladder::Simulator;
using namespace ladder::guest;

namespace {

class Setup : public DeviceTest {};
class Privilege : public DeviceTest {};
class Start : public DeviceTest {};
class Stop : public DeviceTest {};
class Packets : public DeviceTest {};
class Read : public DeviceTest {};
class Queue : public DeviceTest {};
class Consumer : public DeviceTest {};

constexpr std::size_t message_size = sizeof(hft_message);

/// Expects the numbers first, first + 1, first + 2, ...
void expect_in_order(const std::vector<hft_message> &messages, std::uint64_t first) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
        ASSERT_EQ(messages[i].sequence, first + i) << "message " << i << " of " << messages.size();
    }
}

/// A page of memory, with nothing mapped after it.
class LastPage {
public:
    LastPage() : memory_(static_cast<char *>(anonymous(2 * page_size))) {
        munmap(memory_ + page_size, page_size);
    }
    ~LastPage() { munmap(memory_, page_size); }
    LastPage(const LastPage &) = delete;
    LastPage &operator=(const LastPage &) = delete;

    /// The address from which @p size bytes are left.
    char *before_end(std::size_t size) const { return memory_ + page_size - size; }

private:
    static void *anonymous(std::size_t size) {
        return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    char *memory_;
};

// --- Before anything else: nothing is set up yet. ---

TEST(BeforeSetup, StartFindsNoDevice) {
    if (std::filesystem::exists("/sys/class/misc/hft")) {
        GTEST_SKIP() << "the device is set up already in this boot";
    }
    EXPECT_EQ(outcome(hft_ctl(HFT_CTL_START)), "ENODEV");
}

// In a fresh boot this is the first setup.
TEST(FirstSetup, OfTwoCallersAtOnceBothSucceed) {
    std::atomic<int> ready{0};
    const auto set_up_on = [&](int cpu) {
        return on_cpu(cpu, [&] {
            for (++ready; ready < 2;) {
            }
            return outcome(hft_ctl(HFT_CTL_SETUP));
        });
    };
    std::string other;
    std::thread thread([&] { other = set_up_on(1); });
    EXPECT_EQ(set_up_on(0), "success");
    thread.join();
    EXPECT_EQ(other, "success");
}

// Only on a kernel whose setup fails on purpose, with the error in LADDER_SETUP_FAILS: scripts/mutants.sh
// makes one. A page that each of the failures forgot would be 8 MB in all.
TEST(SetupFailure, DISABLED_LeavesNothingBehind) {
    constexpr int times = 2000;
    constexpr std::uint64_t noise_kib = 2048;
    const char *const error = std::getenv("LADDER_SETUP_FAILS");
    ASSERT_NE(error, nullptr) << "set LADDER_SETUP_FAILS to ENOMEM or EBUSY";
    const auto free_kib = [] {
        std::ifstream file("/proc/meminfo");
        for (std::string name, rest; file >> name;) {
            std::uint64_t kib = 0;
            file >> kib;
            std::getline(file, rest);
            if (name == "MemFree:") {
                return kib;
            }
        }
        throw std::runtime_error("/proc/meminfo has no line MemFree");
    };

    ASSERT_EQ(outcome(hft_ctl(HFT_CTL_SETUP)), error);
    const std::uint64_t before = free_kib();
    for (int i = 0; i < times; ++i) {
        ASSERT_EQ(outcome(hft_ctl(HFT_CTL_SETUP)), error);
    }
    EXPECT_GE(free_kib() + noise_kib, before);
    EXPECT_EQ(outcome(hft_ctl(HFT_CTL_START)), "ENODEV");
    EXPECT_EQ(outcome(hft_ctl(HFT_CTL_STOP)), "success");
    EXPECT_FALSE(std::filesystem::exists("/sys/class/misc/hft"));
    EXPECT_FALSE(std::filesystem::exists("/dev/hft"));
}

// --- Mode 555: set up. ---

TEST_F(Setup, RegistersTheDeviceAs10_60) {
    struct stat status {};
    ASSERT_EQ(outcome(stat("/dev/hft", &status)), "success");
    EXPECT_TRUE(S_ISCHR(status.st_mode));
    EXPECT_EQ(major(status.st_rdev), 10U);
    EXPECT_EQ(minor(status.st_rdev), static_cast<unsigned int>(HFT_MINOR));
}

TEST_F(Setup, AgainSucceedsAndChangesNothing) {
    const Device device;
    const std::uint64_t before = Device::produced();
    const std::uint64_t made = make_messages(3);

    ASSERT_EQ(outcome(hft_ctl(HFT_CTL_SETUP, UINTPTR_MAX)), "success");

    EXPECT_EQ(Device::produced(), before + made);
    const std::uint64_t made_after = make_messages(3);
    expect_in_order(read_messages(device, made + made_after), before + 1);
}

// --- Who may do what. ---

TEST_F(Privilege, IsNeededToSetUp) {
    EXPECT_EQ(unprivileged([] { return hft_ctl(HFT_CTL_SETUP); }), "EPERM");
}

TEST_F(Privilege, IsNeededToStart) {
    EXPECT_EQ(unprivileged([] { return hft_ctl(HFT_CTL_START); }), "EPERM");
}

TEST_F(Privilege, IsNeededToStop) {
    const Simulator simulator(1000);
    EXPECT_EQ(unprivileged([] { return hft_ctl(HFT_CTL_STOP); }), "EPERM");
    await_messages(3);
}

// --- Mode 123: start. ---

/// A start that is right. Each test makes one member wrong; slow, in case the kernel takes it nevertheless.
hft_start right_start() {
    return {.size = sizeof(hft_start), .cpu = 0, .period_ns = 1'000'000'000, .burst = 1, .reserved = 0};
}

std::string start(const void *argument) {
    return outcome(hft_ctl(HFT_CTL_START, reinterpret_cast<std::uintptr_t>(argument)));
}

TEST_F(Start, TakesWhatIsRight) {
    const hft_start request = right_start();
    EXPECT_EQ(start(&request), "success");
}

TEST_F(Start, WhileItRunsIsBusy) {
    ASSERT_EQ(start(nullptr), "success");
    EXPECT_EQ(start(nullptr), "EBUSY");
}

TEST_F(Start, OfABadPointerFaults) {
    const LastPage page;
    EXPECT_EQ(start(reinterpret_cast<void *>(1)), "EFAULT");
    EXPECT_EQ(start(page.before_end(0)), "EFAULT") << "not mapped";
    const std::uintptr_t last_page = UINTPTR_MAX - page_size + 1;
    void *const kernels = reinterpret_cast<void *>(last_page); // NOLINT(performance-no-int-to-ptr)
    EXPECT_EQ(start(kernels), "EFAULT") << "the kernel's";
}

TEST_F(Start, OfAStructThatIsNotMappedToItsEndFaults) {
    const LastPage page;
    const hft_start request = right_start();
    std::memcpy(page.before_end(sizeof(request) - 8), &request, sizeof(request) - 8);
    EXPECT_EQ(start(page.before_end(sizeof(request) - 8)), "EFAULT");
}

TEST_F(Start, OfATooSmallStructIsInvalid) {
    hft_start request = right_start();
    for (const unsigned int size : {0U, 20U, HFT_START_SIZE_VER0 - 1U}) {
        request.size = size;
        EXPECT_EQ(start(&request), "EINVAL") << "size " << size;
    }
}

/// What a later version of the struct may look like.
struct LargerStart {
    hft_start known;
    std::array<char, 2 * page_size> unknown;
};

TEST_F(Start, OfAStructLargerThanAPageIsInvalid) {
    LargerStart request{.known = right_start(), .unknown = {}};
    request.known.size = page_size + 1;
    EXPECT_EQ(start(&request), "EINVAL");
}

TEST_F(Start, OfALargerStructWhoseRestIsZeroSucceeds) {
    LargerStart request{.known = right_start(), .unknown = {}};
    request.known.size = page_size;
    EXPECT_EQ(start(&request), "success");
}

TEST_F(Start, OfALargerStructWithAnUnknownMemberIsTooBig) {
    LargerStart request{.known = right_start(), .unknown = {}};
    request.known.size = sizeof(hft_start) + 8;
    request.unknown[7] = 1;
    EXPECT_EQ(start(&request), "E2BIG");
}

TEST_F(Start, WithAPeriodTooShortIsInvalid) {
    hft_start request = right_start();
    request.period_ns = HFT_PERIOD_MIN_NS - 1;
    ASSERT_EQ(start(&request), "EINVAL");
    request.period_ns = 0;
    EXPECT_EQ(start(&request), "EINVAL");
}

TEST_F(Start, WithAPeriodTooLongIsInvalid) {
    hft_start request = right_start();
    request.period_ns = HFT_PERIOD_MAX_NS + 1;
    ASSERT_EQ(start(&request), "EINVAL");
    request.period_ns = UINT64_MAX;
    EXPECT_EQ(start(&request), "EINVAL");
}

TEST_F(Start, WithABurstOfNoneIsInvalid) {
    hft_start request = right_start();
    request.burst = 0;
    EXPECT_EQ(start(&request), "EINVAL");
}

TEST_F(Start, WithABurstTooLongIsInvalid) {
    hft_start request = right_start();
    request.burst = HFT_BURST_MAX + 1;
    ASSERT_EQ(start(&request), "EINVAL");
    request.burst = UINT_MAX;
    EXPECT_EQ(start(&request), "EINVAL");
}

TEST_F(Start, AtEachLimitSucceeds) {
    for (const std::uint64_t period : {HFT_PERIOD_MIN_NS, HFT_PERIOD_MAX_NS}) {
        hft_start request = right_start();
        request.period_ns = period;
        EXPECT_EQ(start(&request), "success") << "period " << period;
        hft_ctl(HFT_CTL_STOP);
    }
    hft_start request = right_start();
    request.burst = HFT_BURST_MAX;
    EXPECT_EQ(start(&request), "success") << "burst " << request.burst;
}

TEST_F(Start, WithAReservedMemberSetIsInvalid) {
    hft_start request = right_start();
    request.reserved = 1;
    EXPECT_EQ(start(&request), "EINVAL");
}

TEST_F(Start, OnACpuThatDoesNotExistIsInvalid) {
    hft_start request = right_start();
    for (const unsigned int cpu : {2U, 8U, static_cast<unsigned int>(INT_MAX), UINT_MAX}) {
        request.cpu = cpu;
        EXPECT_EQ(start(&request), "EINVAL") << "CPU " << cpu;
    }
    request.cpu = 0;
    EXPECT_EQ(start(&request), "success") << "after one that failed";
}

// --- Mode 321: stop. ---

TEST_F(Stop, AgainSucceeds) {
    EXPECT_EQ(outcome(hft_ctl(HFT_CTL_STOP, UINTPTR_MAX)), "success") << "it did not run";
    ASSERT_EQ(start(nullptr), "success");
    EXPECT_EQ(outcome(hft_ctl(HFT_CTL_STOP)), "success");
    EXPECT_EQ(outcome(hft_ctl(HFT_CTL_STOP)), "success");
}

TEST_F(Stop, MakesNoMessageAnyMore) {
    make_messages(3);
    const std::uint64_t produced = Device::produced();
    // The timers of one CPU expire in order: after this sleep on CPU 0, a tick of 1 ms would have come there.
    on_cpu(0, [] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); });
    EXPECT_EQ(Device::produced(), produced);
}

TEST_F(Stop, LeavesWhatIsInTheQueue) {
    const Device device;
    const std::uint64_t before = Device::produced();
    const std::uint64_t made = make_messages(3);
    expect_in_order(read_messages(device, made), before + 1);
}

// --- The packet simulator. ---

// Each tick interrupts the CPU that makes the messages, so it has at least as many interrupts.
TEST_F(Packets, AreMadeOnCpu0ForACallerOnCpu1) {
    const std::uint64_t before = Device::produced();
    const std::uint64_t before_0 = timer_interrupts(0);
    const std::uint64_t before_1 = timer_interrupts(1);
    ASSERT_EQ(on_cpu(1, [] { return start(nullptr); }), "success");
    await_messages(300);
    hft_ctl(HFT_CTL_STOP);
    const std::uint64_t made = Device::produced() - before;
    // One interrupt can make up for a tick that came late: half is far from both.
    EXPECT_GT(timer_interrupts(0) - before_0, made / 2);
    EXPECT_LT(timer_interrupts(1) - before_1, made / 2) << "the consumer's CPU, which must stay quiet";
}

TEST_F(Packets, AreMadeOnCpu1ForACallerOnCpu0) {
    const std::uint64_t before = Device::produced();
    const std::uint64_t before_1 = timer_interrupts(1);
    {
        const Simulator simulator(500, 1, 1);
        await_messages(300);
    }
    EXPECT_GT(timer_interrupts(1) - before_1, (Device::produced() - before) / 2);
}

// A late tick is left out, so there can be fewer messages than one a period, and never more.
TEST_F(Packets, ComeNotFasterThanOneAMillisecondByDefault) {
    const auto begun = std::chrono::steady_clock::now();
    ASSERT_EQ(start(nullptr), "success");
    await_messages(100);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(100));
}

TEST_F(Packets, ComeNotFasterThanThePeriodAskedFor) {
    const auto begun = std::chrono::steady_clock::now();
    const Simulator simulator(20'000);
    await_messages(10);
    EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(10 * 20));
}

TEST_F(Packets, ComeInWholeBursts) {
    constexpr unsigned int burst = 7;
    const std::uint64_t made = make_messages(1, burst);
    EXPECT_GE(made, burst);
    EXPECT_EQ(made % burst, 0U);
}

// More than a CPU can make: it is not theirs alone all the same, and they can be stopped from it.
TEST_F(Packets, LeaveTimeOnTheirCpuHoweverManyAreAskedFor) {
    const Simulator simulator(HFT_PERIOD_MIN_NS / 1000, HFT_BURST_MAX, 0);
    on_cpu(0, [] { await_messages(std::uint64_t{100} * HFT_BURST_MAX); });
    EXPECT_EQ(on_cpu(0, [] { return outcome(hft_ctl(HFT_CTL_STOP)); }), "success");
}

// Every message is counted while the other CPU looks: the counts are written whole, and only grow.
TEST_F(Packets, AreCountedUnderTheEyesOfTheOtherCpu) {
    constexpr std::uint64_t messages = 50'000;
    const Simulator simulator(100, 64);
    on_cpu(1, [] {
        const ladder::Deadline deadline(patience);
        const std::uint64_t first = Device::produced();
        for (std::uint64_t last = first; last < first + messages;) {
            deadline.check("the last message to count");
            const std::uint64_t now = Device::produced();
            ASSERT_GE(now, last);
            last = now;
        }
    });
}

TEST_F(Packets, GoOnCountingOverStopAndStart) {
    const Device device;
    const std::uint64_t before = Device::produced();
    std::uint64_t made = make_messages(5);
    made += make_messages(5);
    expect_in_order(read_messages(device, made), before + 1);
}

TEST_F(Packets, GoOnCountingOverCloseAndOpen) {
    {
        const Device device;
        make_messages(5);
    }
    const std::uint64_t before = Device::produced();
    const Device device;
    const std::uint64_t made = make_messages(5);
    expect_in_order(read_messages(device, made), before + 1);
}

TEST_F(Packets, AreStampedWhenTheyAreMade) {
    const Device device;
    std::uint64_t last = ladder::tsc_now();
    const std::uint64_t made = make_messages(20, 5);
    const std::uint64_t after = ladder::tsc_now();
    for (const hft_message &message : read_messages(device, made)) {
        ASSERT_GE(message.stamp, last) << "message " << message.sequence;
        last = message.stamp;
    }
    EXPECT_LE(last, after);
}

// --- The first door: read(). ---

TEST_F(Read, WaitsForTheNextMessageAndNoLonger) {
    const Device device;
    const std::uint64_t before = Device::produced();
    const Simulator simulator(200'000); // read() is asleep long before its first message
    std::array<hft_message, 4> messages{};
    ASSERT_EQ(read(device.descriptor(), messages.data(), sizeof(messages)), ssize_t{message_size});
    EXPECT_EQ(messages[0].sequence, before + 1);
}

TEST_F(Read, ReturnsAsManyWholeMessagesAsThereAreAndAsFit) {
    const Device device;
    const std::uint64_t made = make_messages(10);
    std::array<hft_message, HFT_QUEUE_MESSAGES + 1> messages{};
    ASSERT_EQ(read(device.descriptor(), messages.data(), 3 * message_size + 7), ssize_t{3 * message_size});
    EXPECT_EQ(read(device.descriptor(), messages.data(), sizeof(messages)),
              static_cast<ssize_t>((made - 3) * message_size));
}

TEST_F(Read, OfAnEmptyQueueWithoutWaitingSaysTryAgain) {
    const Device device(O_RDWR | O_NONBLOCK);
    hft_message message{};
    EXPECT_EQ(outcome(read(device.descriptor(), &message, message_size)), "EAGAIN");
}

TEST_F(Read, OfLessThanAMessageIsInvalid) {
    const Device device(O_RDWR | O_NONBLOCK);
    hft_message message{};
    EXPECT_EQ(outcome(read(device.descriptor(), &message, message_size - 1)), "EINVAL");
    EXPECT_EQ(outcome(read(device.descriptor(), &message, 0)), "EINVAL");
}

TEST_F(Read, IntoABadBufferFaultsAndLosesNothing) {
    const Device device;
    const std::uint64_t before = Device::produced();
    const std::uint64_t made = make_messages(3);
    const LastPage page;
    EXPECT_EQ(outcome(read(device.descriptor(), page.before_end(0), message_size)), "EFAULT");
    EXPECT_EQ(outcome(read(device.descriptor(), page.before_end(8), message_size)), "EFAULT");
    expect_in_order(read_messages(device, made), before + 1);
}

TEST_F(Read, IntoABufferThatGoesBadReturnsWhatFitAndLosesNothing) {
    const Device device;
    const std::uint64_t before = Device::produced();
    const std::uint64_t made = make_messages(3);
    const LastPage page;
    ASSERT_EQ(read(device.descriptor(), page.before_end(message_size + 8), 2 * message_size),
              ssize_t{message_size});
    expect_in_order(read_messages(device, made - 1), before + 2);
}

TEST_F(Read, IsInterruptedByASignal) {
    const Device device;
    const Simulator simulator(3'000'000); // a message ends a wait that no signal does
    const Alarm alarm(std::chrono::milliseconds(10));
    hft_message message{};
    EXPECT_EQ(outcome(read(device.descriptor(), &message, message_size)), "EINTR");
}

TEST_F(Read, NeverMissesAWakeUpJustBeforeItSleeps) {
    constexpr std::uint64_t proofs = 500;
    const WakeUps result = sleep_while_messages_come(proofs);
    EXPECT_EQ(result.woken, result.rounds) << "a sleeper was not woken";
    EXPECT_EQ(result.proving, proofs) << "the host did not let the simulator be stopped in time";
}

// --- What is lost, and how one knows. ---

TEST_F(Queue, KeepsTheOldestMessagesAndCountsTheRest) {
    const Device device;
    const std::uint64_t before = Device::produced();
    const std::uint64_t dropped_before = Device::dropped();
    const std::uint64_t made = make_messages(HFT_QUEUE_MESSAGES + 100, 50); // the consumer sleeps
    const std::uint64_t dropped = Device::dropped() - dropped_before;

    EXPECT_EQ(dropped, made - HFT_QUEUE_MESSAGES);
    expect_in_order(read_messages(device, HFT_QUEUE_MESSAGES), before + 1);

    const std::uint64_t made_after = make_messages(3);
    expect_in_order(read_messages(device, made_after), before + HFT_QUEUE_MESSAGES + dropped + 1);
}

TEST_F(Queue, WithoutAConsumerDropsAndCountsEveryMessage) {
    { const Device consumer_that_goes; }
    const std::uint64_t dropped = Device::dropped();
    const std::uint64_t made = make_messages(20);
    EXPECT_EQ(Device::dropped() - dropped, made);
}

// --- The single consumer. ---

TEST_F(Consumer, CanBeFollowedByANextOne) {
    EXPECT_EQ(open_once_more(), "success");
    EXPECT_EQ(open_once_more(), "success");
}

TEST_F(Consumer, KeepsOthersOutUntilItsLastDescriptorIsClosed) {
    auto device = std::make_unique<Device>();
    const int copy = dup(device->descriptor());
    EXPECT_EQ(open_once_more(), "EBUSY");
    device.reset();
    EXPECT_EQ(open_once_more(), "EBUSY");
    close(copy);
    EXPECT_EQ(open_once_more(), "success");
}

TEST_F(Consumer, StartsWithAnEmptyQueue) {
    {
        const Device device;
        make_messages(5);
    }
    const Device device;
    const std::uint64_t before = Device::produced();
    const std::uint64_t made = make_messages(1);
    expect_in_order(read_messages(device, made), before + 1);
}

TEST_F(Consumer, LeavesTheSimulatorRunningWhenItCloses) {
    const Simulator simulator(1000);
    { const Device consumer_that_goes; }
    await_messages(3);
}

TEST_F(Consumer, KilledWhileMessagesFlowLeavesACleanStart) {
    const Shared<std::atomic<bool>> opened;
    {
        const Simulator simulator(1000);
        Child consumer([&] {
            const Device device;
            *opened = true;
            for (;;) {
                pause();
            }
            return 0;
        });
        await("the child's open()", [&] { return opened->load(); });
        await_messages(10);
        consumer.send(SIGKILL);
        ASSERT_EQ(consumer.end(), "SIGKILL");
    }

    const Device device;
    const std::uint64_t before = Device::produced();
    const std::uint64_t made = make_messages(3);
    expect_in_order(read_messages(device, made), before + 1);
}

// Parent and child read at once, on two CPUs, until the queue is empty; some rounds of it.
TEST_F(Consumer, SharesWithItsChildEachMessageExactlyOnce) {
    constexpr int rounds = 20;
    constexpr unsigned int per_round = 200;
    struct Tally {
        std::atomic<int> round;       // the parent says: this many rounds have messages
        std::atomic<int> rounds_done; // the child's
        std::array<std::atomic<int>, rounds * 2 * HFT_QUEUE_MESSAGES> times_taken;
    };
    const Shared<Tally> tally;
    const Device device(O_RDWR | O_NONBLOCK);
    const std::uint64_t first = Device::produced() + 1;
    const std::uint64_t dropped = Device::dropped();
    const auto take_all = [&] {
        hft_message message{};
        // One more message than there can be would be a message taken twice: enough is enough.
        for (unsigned int i = 0; i <= HFT_QUEUE_MESSAGES; ++i) {
            if (read(device.descriptor(), &message, message_size) != ssize_t{message_size}) {
                break;
            }
            const std::uint64_t index = message.sequence - first;
            if (index < tally->times_taken.size()) {
                ++tally->times_taken[index];
            }
        }
    };

    Child child([&] {
        const Alarm alarm(patience);
        ladder::pin_to_cpu(1);
        for (int round = 1; round <= rounds; ++round) {
            while (tally->round < round) {
            }
            take_all();
            tally->rounds_done = round;
        }
        return 0;
    });
    std::uint64_t made = 0;
    for (int round = 1; round <= rounds; ++round) {
        made +=
            make_messages(per_round, per_round, 20'000); // one burst: two would be more than the queue holds
        tally->round = round;
        take_all();
        await("the child's round", [&] { return tally->rounds_done == round; });
    }
    EXPECT_EQ(child.end(), "exit 0");

    // A host that stalls can let one more burst come than the queue holds: then it is dropped, and counted.
    ASSERT_LE(made, tally->times_taken.size());
    std::uint64_t taken = 0;
    for (std::uint64_t i = 0; i < made; ++i) {
        ASSERT_LE(tally->times_taken[i], 1) << "message " << first + i;
        taken += static_cast<std::uint64_t>(tally->times_taken[i]);
    }
    EXPECT_EQ(taken + (Device::dropped() - dropped), made);
}

} // namespace
