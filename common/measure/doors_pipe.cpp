// SPDX-License-Identifier: MIT
/// @file
/// A door that is nobody's driver: a pipe from a process that plays the packet simulator, one write a
/// message.

#include <csignal>
#include <cstdlib>
#include <ctime>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/affinity.hpp"
#include "common/measure/door.hpp"
#include "common/measure/sleeping.hpp"
#include "common/tsc.hpp"

namespace ladder {
namespace {

/// Sleeps, stamps, writes; until it is killed, or the reader has gone.
[[noreturn]] void write_messages(int descriptor, unsigned int period_us, unsigned int burst) {
    timespec moment{};
    clock_gettime(CLOCK_MONOTONIC, &moment);
    for (hft_message message{};;) {
        moment.tv_nsec += static_cast<long>(period_us % 1'000'000) * 1000;
        moment.tv_sec += period_us / 1'000'000 + moment.tv_nsec / 1'000'000'000;
        moment.tv_nsec %= 1'000'000'000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, nullptr);
        for (unsigned int i = 0; i < burst; ++i) {
            ++message.sequence;
            message.stamp = tsc_now();
            if (write(descriptor, &message, sizeof(message)) != sizeof(message)) {
                _exit(0);
            }
        }
    }
}

class PipeDoor : public Door {
public:
    explicit PipeDoor(const Place &place) : place_(place) { check(pipe(ends_), "pipe()"); }
    ~PipeDoor() override {
        for (const int end : ends_) {
            close(end);
        }
        if (writer_ > 0) {
            kill(writer_, SIGKILL);
            waitpid(writer_, nullptr, 0);
        }
    }

    void start(unsigned int period_us, unsigned int burst) override {
        writer_ = fork();
        check(writer_, "fork()");
        if (writer_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL); // NOLINT(*-vararg)
            pin_to_cpu(place_.producer_cpu);
            write_messages(ends_[1], period_us, burst);
        }
    }

    Taken take(std::span<hft_message> room) override {
        ssize_t size = -1;
        until_done(place_.deadline, "read() of a pipe", [&] {
            size = read(ends_[0], room.data(), room.size_bytes());
            return size >= 0;
        });
        return {messages_in(size), tsc_now(), 0};
    }

    std::uint64_t last_before() const override { return 0; }
    std::uint64_t dropped() const override { return 0; } // the writer waits for room

private:
    Place place_;
    int ends_[2]{-1, -1};
    pid_t writer_ = 0;
};

} // namespace

std::vector<DoorKind> pipe_doors() {
    return {door_kind<PipeDoor>("pipe from a process", false)};
}

} // namespace ladder
