// SPDX-License-Identifier: MIT
/// @file
/// The kernel that only measures (common/measure/instruments.patch): its hops and its further doors.

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include "common/measure/instruments.hpp"
#include "common/measure/interrupt_mark.hpp"
#include "common/tests/guest.hpp"
#include "common/tsc.hpp"

using ladder::Device;
using ladder::Hops;
using ladder::Mapping;
using ladder::Simulator;
using namespace ladder::guest;

static_assert(sizeof(hft_hop) == HFT_CACHE_LINE, "a message's moments have a cache line of their own");
static_assert((HFT_HOPS & (HFT_HOPS - 1)) == 0, "a power of two");

namespace {

class Hop : public DeviceTest {};
class Mark : public DeviceTest {};
class Poll : public DeviceTest {};
class Eventfd : public DeviceTest {};
class Signal : public DeviceTest {};
class Ioctl : public DeviceTest {};

/// What an ioctl() comes to.
template <class Argument>
std::string control(const Device &device, unsigned long command, Argument argument) {
    return outcome(ioctl(device.descriptor(), command, argument)); // NOLINT(*-vararg)
}

/// The events that poll() reports at once.
short events_of(int descriptor) {
    pollfd wanted{.fd = descriptor, .events = POLLIN, .revents = 0};
    poll(&wanted, 1, 0);
    return wanted.revents;
}

/// Closes at the end of the scope.
struct Descriptor {
    int number;
    explicit Descriptor(int opened) : number(opened) {}
    ~Descriptor() { close(number); }
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
};

/// How often an eventfd was signalled since it was last asked; 0 if it would block.
std::uint64_t signalled(const Descriptor &event) {
    std::uint64_t count = 0;
    return read(event.number, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

void read_all(const Device &device) {
    hft_message message{};
    while (read(device.descriptor(), &message, sizeof(message)) == sizeof(message)) {
    }
}

// --- ioctl(). ---

TEST_F(Ioctl, OfAnotherCommandIsRefused) {
    const Device device;
    EXPECT_EQ(control(device, 0, 0), "ENOTTY");
    EXPECT_EQ(control(device, HFT_IOC_HOPS + 1, 0), "ENOTTY");
}

TEST_F(Ioctl, TakesOnlyOnAndOffForHops) {
    const Device device;
    EXPECT_EQ(control(device, HFT_IOC_HOPS, 1), "success");
    EXPECT_EQ(control(device, HFT_IOC_HOPS, 0), "success");
    EXPECT_EQ(control(device, HFT_IOC_HOPS, 2), "EINVAL");
    EXPECT_EQ(control(device, HFT_IOC_HOPS, -1), "EINVAL");
}

// --- Hops. ---

TEST_F(Hop, MappingIsSharedReadOnlyAndWhole) {
    const Device device;
    constexpr off_t offset = HFT_OFFSET_HOPS;
    EXPECT_EQ(map(device, sizeof(hft_hops), offset, PROT_READ), "success");
    EXPECT_EQ(map(device, sizeof(hft_hops), offset, PROT_READ | PROT_WRITE), "EPERM");
    EXPECT_EQ(map(device, sizeof(hft_hops), offset, PROT_READ, MAP_PRIVATE), "EINVAL");
    EXPECT_EQ(map(device, page_size, offset, PROT_READ), "EINVAL");
    EXPECT_EQ(map(device, sizeof(hft_hops) + page_size, offset, PROT_READ), "EINVAL");
    EXPECT_EQ(map(device, sizeof(hft_hops), offset + off_t{page_size}, PROT_READ), "EINVAL");
    const Mapping<const hft_hops> hops(device, offset, sizeof(hft_hops), PROT_READ);
    EXPECT_EQ(outcome(mprotect(const_cast<hft_hops *>(hops.get()), sizeof(hft_hops), PROT_READ | PROT_WRITE)),
              "EACCES");
}

TEST_F(Hop, MappingOpensNoDoor) {
    const Device device(O_RDWR | O_NONBLOCK);
    const Hops hops(device);
    const std::uint64_t before = Device::produced();
    make_messages(3);
    EXPECT_EQ(read_messages(device, 1).front().sequence, before + 1);
}

TEST_F(Hop, IsWrittenDownOnlyWhenAskedFor) {
    const Device device(O_RDWR | O_NONBLOCK);
    const Hops hops(device);
    const std::uint64_t before = Device::produced();
    make_messages(3);
    EXPECT_FALSE(hops.of(before + 1).has_value());
    hops.write_down(true);
    const std::uint64_t between = Device::produced();
    make_messages(3);
    EXPECT_TRUE(hops.of(between + 1).has_value());
    hops.write_down(false);
    const std::uint64_t after = Device::produced();
    make_messages(3);
    EXPECT_FALSE(hops.of(after + 1).has_value());
}

TEST_F(Hop, OfAMessageThatWokeAReaderAreInOrder) {
    const Device device;
    const Hops hops(device);
    hops.write_down(true);
    int slept = 0;
    on_cpu(0, [&] { // the simulator's own: one counter
        const Simulator simulator(1000);
        for (int taken = 0; taken < 20; ++taken) {
            hft_message message{};
            ASSERT_EQ(read(device.descriptor(), &message, sizeof(message)), ssize_t{sizeof(message)});
            const ladder::Cycles received = ladder::tsc_now();
            hops.write_down(true); // the reader's moments are written when it comes again
            const auto hop = hops.of(message.sequence);
            ASSERT_TRUE(hop.has_value());
            EXPECT_EQ(hop->stamped, message.stamp);
            EXPECT_LE(hop->interrupt, hop->stamped);
            EXPECT_LE(hop->stamped, hop->handed_over);
            EXPECT_LE(hop->copied, received);
            if (hop->running != 0) {
                ++slept;
                EXPECT_LE(hop->handed_over, hop->running);
                EXPECT_LE(hop->running, hop->copied);
            }
        }
    });
    EXPECT_GT(slept, 0);
}

TEST_F(Hop, OfAMessageThatWaitedSaysThatNobodySlept) {
    const Device device(O_RDWR | O_NONBLOCK);
    const Hops hops(device);
    hops.write_down(true);
    make_messages(3);
    const hft_message message = read_messages(device, 1).front();
    EXPECT_EQ(hops.of(message.sequence)->copied, 0U);
    hops.write_down(true);
    const auto hop = hops.of(message.sequence);
    ASSERT_TRUE(hop.has_value());
    EXPECT_EQ(hop->running, 0U);
    EXPECT_GE(hop->copied, hop->handed_over);
}

TEST_F(Hop, OfEachOfSeveralMessagesInOneReadAreThere) {
    const Device device(O_RDWR | O_NONBLOCK);
    const Hops hops(device);
    hops.write_down(true);
    make_messages(5);
    const std::vector<hft_message> messages = read_messages(device, 5);
    hops.write_down(true);
    ladder::Cycles last = 0;
    for (const hft_message &message : messages) {
        const auto hop = hops.of(message.sequence);
        ASSERT_TRUE(hop.has_value());
        EXPECT_GT(hop->copied, last);
        last = hop->copied;
    }
}

TEST_F(Hop, OfTheRingSaysWhenTheSlotWasStored) {
    const Device device;
    const Hops hops(device);
    const Mapping<const hft_ring> ring(device, HFT_OFFSET_RING, sizeof(hft_ring), PROT_READ);
    hops.write_down(true);
    const std::uint64_t before = Device::produced();
    make_messages(3);
    const auto hop = hops.of(before + 1);
    ASSERT_TRUE(hop.has_value());
    EXPECT_EQ(hop->stamped, ladder::load_acquire(ring->slots[0].stamp));
    EXPECT_GE(hop->handed_over, hop->stamped);
    EXPECT_EQ(hop->copied, 0U);
}

TEST_F(Hop, OfALongAgoMessageIsAnotherOnes) {
    const Device device;
    const Hops hops(device);
    hops.write_down(true);
    const std::uint64_t before = Device::produced();
    make_messages(HFT_HOPS + 10, 256);
    EXPECT_FALSE(hops.of(before + 1).has_value());
    EXPECT_TRUE(hops.of(Device::produced()).has_value());
}

TEST_F(Hop, IsForgottenAndOffForANewConsumer) {
    std::uint64_t last = 0;
    {
        const Device device;
        Hops(device).write_down(true);
        make_messages(3);
        last = Device::produced();
    }
    const Device device;
    const Hops hops(device);
    EXPECT_FALSE(hops.of(last).has_value());
    make_messages(3);
    EXPECT_FALSE(hops.of(Device::produced()).has_value());
}

// --- The mark by which a program sees that it was interrupted. ---

TEST_F(Mark, IsGoneAfterAnInterrupt) {
    const Simulator simulator(1000); // interrupts on CPU 0
    on_cpu(0, [] {
        const ladder::InterruptMark mark;
        mark.set();
        const std::uint64_t before = timer_interrupts(0);
        await("an interrupt", [&] { return timer_interrupts(0) > before; });
        EXPECT_TRUE(mark.gone());
        mark.set();
    });
}

TEST_F(Mark, StaysThroughSystemCalls) {
    on_cpu(1, [] {
        const ladder::InterruptMark mark;
        await("a moment without an interrupt", [&] {
            const std::uint64_t before = timer_interrupts(1);
            mark.set();
            for (int call = 0; call < 100; ++call) {
                getppid();
            }
            const bool gone = mark.gone();
            return !gone && timer_interrupts(1) == before;
        });
    });
}

// --- poll() and epoll. ---

TEST_F(Poll, IsReadableWhileThereIsAMessage) {
    const Device device(O_RDWR | O_NONBLOCK);
    EXPECT_EQ(events_of(device.descriptor()), 0);
    make_messages(3);
    EXPECT_EQ(events_of(device.descriptor()), POLLIN);
    read_all(device);
    EXPECT_EQ(events_of(device.descriptor()), 0);
}

TEST_F(Poll, WakesUp) {
    const Device device(O_RDWR | O_NONBLOCK);
    const Simulator simulator(1000);
    for (int round = 0; round < 20; ++round) {
        pollfd wanted{.fd = device.descriptor(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(poll(&wanted, 1, 10'000), 1);
        read_all(device);
    }
}

TEST_F(Poll, WakesUpThoughMessagesAreToldOfByEventfd) {
    const Device device(O_RDWR | O_NONBLOCK);
    const Descriptor event(eventfd(0, EFD_NONBLOCK));
    ASSERT_EQ(control(device, HFT_IOC_EVENTFD, event.number), "success");
    const Simulator simulator(1000);
    for (int round = 0; round < 20; ++round) {
        pollfd wanted{.fd = device.descriptor(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(poll(&wanted, 1, 10'000), 1);
        read_all(device);
    }
}

TEST_F(Poll, WorksThroughEpollEdgeTriggered) {
    const Device device(O_RDWR | O_NONBLOCK);
    const Descriptor epoll(epoll_create1(0));
    epoll_event wanted{.events = EPOLLIN | EPOLLET, .data = {.u64 = 7}};
    ASSERT_EQ(epoll_ctl(epoll.number, EPOLL_CTL_ADD, device.descriptor(), &wanted), 0);
    const Simulator simulator(1000);
    for (int round = 0; round < 20; ++round) {
        epoll_event seen{};
        ASSERT_EQ(epoll_wait(epoll.number, &seen, 1, 10'000), 1);
        EXPECT_EQ(seen.data.u64, 7U);
        read_all(device);
    }
}

// --- eventfd. ---

TEST_F(Eventfd, CountsEachMessage) {
    const Device device(O_RDWR | O_NONBLOCK);
    const Descriptor event(eventfd(0, EFD_NONBLOCK));
    ASSERT_EQ(control(device, HFT_IOC_EVENTFD, event.number), "success");
    const std::uint64_t before = Device::produced();
    const std::uint64_t made = make_messages(5);
    EXPECT_EQ(signalled(event), made);
    EXPECT_EQ(read_messages(device, made).front().sequence, before + 1);
}

TEST_F(Eventfd, IsTakenBackByMinusOne) {
    const Device device(O_RDWR | O_NONBLOCK);
    const Descriptor event(eventfd(0, EFD_NONBLOCK));
    ASSERT_EQ(control(device, HFT_IOC_EVENTFD, event.number), "success");
    ASSERT_EQ(control(device, HFT_IOC_EVENTFD, -1), "success");
    const std::uint64_t made = make_messages(5);
    EXPECT_EQ(signalled(event), 0U);
    EXPECT_EQ(read_messages(device, made).size(), made);
}

TEST_F(Eventfd, CanBeReplaced) {
    const Device device;
    const Descriptor first(eventfd(0, EFD_NONBLOCK));
    const Descriptor second(eventfd(0, EFD_NONBLOCK));
    ASSERT_EQ(control(device, HFT_IOC_EVENTFD, first.number), "success");
    ASSERT_EQ(control(device, HFT_IOC_EVENTFD, second.number), "success");
    const std::uint64_t made = make_messages(5);
    EXPECT_EQ(signalled(first), 0U);
    EXPECT_EQ(signalled(second), made);
}

TEST_F(Eventfd, IsRefusedIfItIsNone) {
    const Device device;
    const Descriptor event(eventfd(0, EFD_NONBLOCK));
    ASSERT_EQ(control(device, HFT_IOC_EVENTFD, event.number), "success");
    EXPECT_EQ(control(device, HFT_IOC_EVENTFD, device.descriptor()), "EINVAL");
    EXPECT_EQ(control(device, HFT_IOC_EVENTFD, 1000), "EBADF");
    EXPECT_EQ(control(device, HFT_IOC_EVENTFD, -2), "EBADF");
    const std::uint64_t made = make_messages(5);
    EXPECT_EQ(signalled(event), made) << "a refusal should change nothing";
}

TEST_F(Eventfd, MayBeClosedWhileMessagesCome) {
    const Device device(O_RDWR | O_NONBLOCK);
    const Simulator simulator(50);
    for (int round = 0; round < 200; ++round) {
        const Descriptor event(eventfd(0, EFD_NONBLOCK));
        ASSERT_EQ(control(device, HFT_IOC_EVENTFD, event.number), "success");
    }
}

TEST_F(Eventfd, IsLetGoWithTheDevice) {
    const Descriptor event(eventfd(0, EFD_NONBLOCK));
    {
        const Device device;
        ASSERT_EQ(control(device, HFT_IOC_EVENTFD, event.number), "success");
    }
    const Device device;
    make_messages(5);
    EXPECT_EQ(signalled(event), 0U);
}

TEST_F(Eventfd, GivesWayToAMappedDoor) {
    const Device device;
    const Descriptor event(eventfd(0, EFD_NONBLOCK));
    ASSERT_EQ(control(device, HFT_IOC_EVENTFD, event.number), "success");
    const Mapping<const hft_ring> ring(device, HFT_OFFSET_RING, sizeof(hft_ring), PROT_READ);
    ASSERT_EQ(control(device, HFT_IOC_EVENTFD, -1), "success");
    const std::uint64_t made = make_messages(5);
    EXPECT_EQ(signalled(event), 0U);
    EXPECT_EQ(ladder::load_acquire(ring->head), made);
}

// --- A signal. ---

/// SIGIO blocked and in a descriptor, until the end of the scope.
class SignalDescriptor {
public:
    SignalDescriptor() {
        sigset_t io;
        sigemptyset(&io);
        sigaddset(&io, SIGIO);
        pthread_sigmask(SIG_BLOCK, &io, &before_);
        descriptor_ = signalfd(-1, &io, SFD_NONBLOCK);
    }
    ~SignalDescriptor() {
        pending(); // it would end the process
        close(descriptor_);
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    SignalDescriptor(const SignalDescriptor &) = delete;
    SignalDescriptor &operator=(const SignalDescriptor &) = delete;

    /// Takes the pending SIGIO. @returns whether there was one
    bool pending() const {
        signalfd_siginfo info{};
        return read(descriptor_, &info, sizeof(info)) == sizeof(info);
    }

private:
    sigset_t before_{};
    int descriptor_;
};

void ask_for_signals(const Device &device, bool on) {
    // NOLINTBEGIN(*-vararg)
    ASSERT_EQ(fcntl(device.descriptor(), F_SETOWN, getpid()), 0);
    ASSERT_EQ(fcntl(device.descriptor(), F_SETFL, O_NONBLOCK | (on ? O_ASYNC : 0)), 0);
    // NOLINTEND(*-vararg)
}

TEST_F(Signal, ComesForAMessage) {
    const SignalDescriptor signals;
    const Device device(O_RDWR | O_NONBLOCK);
    ask_for_signals(device, true);
    EXPECT_FALSE(signals.pending());
    const std::uint64_t before = Device::produced();
    make_messages(5);
    EXPECT_TRUE(signals.pending());
    EXPECT_EQ(read_messages(device, 1).front().sequence, before + 1);
}

TEST_F(Signal, ComesNoMoreOnceItIsTakenBack) {
    const SignalDescriptor signals;
    const Device device(O_RDWR | O_NONBLOCK);
    ask_for_signals(device, true);
    ask_for_signals(device, false);
    const std::uint64_t made = make_messages(5);
    EXPECT_FALSE(signals.pending());
    EXPECT_EQ(read_messages(device, made).size(), made);
}

TEST_F(Signal, ComesNoMoreAfterTheDeviceWasClosed) {
    const SignalDescriptor signals;
    {
        const Device device(O_RDWR | O_NONBLOCK);
        ask_for_signals(device, true);
    }
    const Device device;
    make_messages(5);
    EXPECT_FALSE(signals.pending());
}

TEST_F(Signal, GivesWayToAMappedDoor) {
    const SignalDescriptor signals;
    const Device device(O_RDWR | O_NONBLOCK);
    ask_for_signals(device, true);
    const Mapping<const hft_ring> ring(device, HFT_OFFSET_RING, sizeof(hft_ring), PROT_READ);
    ask_for_signals(device, false);
    const std::uint64_t made = make_messages(5);
    EXPECT_FALSE(signals.pending());
    EXPECT_EQ(ladder::load_acquire(ring->head), made);
}

} // namespace
