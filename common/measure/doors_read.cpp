// SPDX-License-Identifier: MIT
/// @file
/// Doors that end in read(): the message waits in the kernel's queue, and what differs is how the consumer
/// learns that there is one.

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include "common/measure/door.hpp"
#include "common/measure/sleeping.hpp"
#include "common/tsc.hpp"

namespace ladder {
namespace {

/// read() that blocks: one message a call, or as many as there are.
class BlockingDoor : public DeviceDoor {
public:
    BlockingDoor(const Place &place, std::size_t most) : DeviceDoor(place), most_(most) {}

    Taken take(std::span<hft_message> room) override {
        const auto some = room.first(std::min(most_, room.size()));
        ssize_t size = -1;
        until_done(place().deadline, "read()", [&] {
            size = read(device().descriptor(), some.data(), some.size_bytes());
            return size >= 0;
        });
        return {messages_in(size), tsc_now(), 0};
    }

private:
    std::size_t most_;
};

/// read() of a device that does not block, again and again.
class SpinningDoor : public DeviceDoor {
public:
    explicit SpinningDoor(const Place &place) : DeviceDoor(place, O_RDWR | O_NONBLOCK) {}

    Taken take(std::span<hft_message> room) override {
        ssize_t size = -1;
        Taken taken = spin_for_messages(place(), [&] {
            size = read_some(device(), room);
            return size >= 0;
        });
        taken.count = messages_in(size);
        return taken;
    }
};

/// Something says that there is a message; then read() takes what there is.
class ToldDoor : public DeviceDoor {
public:
    explicit ToldDoor(const Place &place) : DeviceDoor(place, O_RDWR | O_NONBLOCK) {}

    Taken take(std::span<hft_message> room) override {
        ssize_t size = read_ahead_ ? read_some(device(), room) : -1;
        while (size < 0) { // told of a message that was taken with the one before it
            wait();
            size = read_some(device(), room);
        }
        const Cycles received = tsc_now();
        // If there was no room for more, there may be more, of which nothing will tell.
        read_ahead_ = messages_in(size) == room.size();
        return {messages_in(size), received, 0};
    }

protected:
    /// Sleeps until it is told. @throws DeadlinePassed, std::system_error
    virtual void wait() = 0;

private:
    bool read_ahead_ = false;
};

class PollDoor : public ToldDoor {
public:
    explicit PollDoor(const Place &place) : ToldDoor(place) {}

protected:
    void wait() override {
        pollfd wanted{.fd = device().descriptor(), .events = POLLIN, .revents = 0};
        until_done(place().deadline, "poll()", [&] { return poll(&wanted, 1, -1) >= 0; });
    }
};

class EpollDoor : public ToldDoor {
public:
    explicit EpollDoor(const Place &place) : ToldDoor(place) {
        epoll_event wanted{.events = EPOLLIN, .data = {}};
        check(epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, device().descriptor(), &wanted), "epoll_ctl()");
    }

protected:
    void wait() override {
        epoll_event seen{};
        until_done(place().deadline, "epoll_wait()",
                   [&] { return epoll_wait(epoll_.number(), &seen, 1, -1) >= 0; });
    }

private:
    Descriptor epoll_{epoll_create1(EPOLL_CLOEXEC), "epoll"};
};

class EventfdDoor : public ToldDoor {
public:
    explicit EventfdDoor(const Place &place) : ToldDoor(place) {
        check(ioctl(device().descriptor(), HFT_IOC_EVENTFD, event_.number()),
              "HFT_IOC_EVENTFD"); // NOLINT(*-vararg)
    }

protected:
    void wait() override {
        std::uint64_t count = 0;
        until_done(place().deadline, "read() of an eventfd",
                   [&] { return read(event_.number(), &count, sizeof(count)) == sizeof(count); });
    }

private:
    Descriptor event_{eventfd(0, EFD_CLOEXEC), "eventfd"};
};

/// SIGIO, blocked and read from a descriptor.
class SignalDoor : public ToldDoor {
public:
    explicit SignalDoor(const Place &place) : ToldDoor(place) {
        // NOLINTBEGIN(*-vararg)
        check(fcntl(device().descriptor(), F_SETOWN, getpid()), "F_SETOWN");
        check(fcntl(device().descriptor(), F_SETFL, O_RDWR | O_NONBLOCK | O_ASYNC), "O_ASYNC");
        // NOLINTEND(*-vararg)
    }
    ~SignalDoor() override {
        // What is still pending would end the process once SIGIO is not blocked any more.
        fcntl(device().descriptor(), F_SETFL, O_RDWR | O_NONBLOCK); // NOLINT(*-vararg)
        signalfd_siginfo info{};
        pollfd pending{.fd = signals_.number(), .events = POLLIN, .revents = 0};
        while (poll(&pending, 1, 0) == 1 && read(signals_.number(), &info, sizeof(info)) == sizeof(info)) {
        }
    }

protected:
    void wait() override {
        signalfd_siginfo info{};
        until_done(place().deadline, "read() of a signalfd",
                   [&] { return read(signals_.number(), &info, sizeof(info)) == sizeof(info); });
    }

private:
    BlockedSignal blocked_{SIGIO};
    Descriptor signals_{signalfd(-1, &blocked_.set(), SFD_CLOEXEC), "signalfd"};
};

} // namespace

std::vector<DoorKind> read_doors() {
    const auto blocking = [](std::size_t most) {
        return [most](const Place &place) { return std::make_unique<BlockingDoor>(place, most); };
    };
    return {
        {"read", false, blocking(1), ""},
        {"read, batched", false, blocking(HFT_QUEUE_MESSAGES), ""},
        door_kind<SpinningDoor>("read, spinning", true),
        door_kind<PollDoor>("poll", false),
        door_kind<EpollDoor>("epoll", false),
        door_kind<EventfdDoor>("eventfd", false),
        door_kind<SignalDoor>("signalfd", false),
    };
}

} // namespace ladder
