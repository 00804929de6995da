// SPDX-License-Identifier: MIT
/// @file
/// Stage 1: the standard path. The client sleeps in read(); the timer's interrupt puts a message into the
/// queue and wakes it; the scheduler runs it; the kernel copies the message and returns.
///
/// It runs unpinned, wherever the scheduler puts it, as a program does that knows nothing of latency. Beside
/// it, in the same boot, the same 16 bytes through a pipe from another process: a yardstick for the standard
/// path that is nobody's driver.

#include <cerrno>
#include <ctime>
#include <system_error>

#include <sys/wait.h>
#include <unistd.h>

#include "common/device.hpp"
#include "common/run.hpp"
#include "common/tsc.hpp"

namespace {

/// Blocks until a whole message is there. An alarm at the deadline ends a read() that waits for ever.
hft_message read_message(int descriptor, const ladder::Deadline &deadline) {
    hft_message message{};
    const ssize_t size = read(descriptor, &message, sizeof(message));
    if (size != sizeof(message)) {
        deadline.check("a message to read");
        throw std::system_error(size < 0 ? errno : EPIPE, std::generic_category(), "no message to read");
    }
    return message;
}

void read_series(int descriptor, ladder::Series &series, const ladder::Deadline &deadline) {
    while (!series.complete()) {
        const hft_message message = read_message(descriptor, deadline);
        const ladder::Cycles received = ladder::tsc_now();
        series.record(message.sequence, message.stamp, received);
    }
}

void measure_device(ladder::Measurement &measurement) {
    const ladder::Device device;
    const std::uint64_t dropped = ladder::Device::dropped();
    measurement.series.start_after(ladder::Device::produced());
    {
        const ladder::Simulator simulator(measurement.options.period_us, 1, measurement.options.producer_cpu);
        read_series(device.descriptor(), measurement.series, measurement.deadline);
    }
    measurement.series.count_dropped(ladder::Device::dropped() - dropped);
}

/// What the packet simulator does, as a process: sleep, stamp, send, until the reader has gone.
[[noreturn]] void write_messages(int descriptor, unsigned int period_us) {
    timespec moment{};
    clock_gettime(CLOCK_MONOTONIC, &moment);
    for (hft_message message{.sequence = 1, .stamp = 0};; ++message.sequence) {
        moment.tv_nsec += static_cast<long>(period_us % 1'000'000) * 1000;
        moment.tv_sec += period_us / 1'000'000 + moment.tv_nsec / 1'000'000'000;
        moment.tv_nsec %= 1'000'000'000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, nullptr);
        message.stamp = ladder::tsc_now();
        if (write(descriptor, &message, sizeof(message)) != sizeof(message)) {
            _exit(0);
        }
    }
}

void measure_pipe(ladder::Measurement &measurement) {
    int ends[2];
    if (pipe(ends) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot make a pipe");
    }
    const pid_t writer = fork();
    if (writer == 0) {
        close(ends[0]);
        write_messages(ends[1], measurement.options.period_us);
    }
    close(ends[1]);
    read_series(ends[0], measurement.neighbour("pipe"), measurement.deadline);
    close(ends[0]); // the writer's next write ends it
    waitpid(writer, nullptr, 0);
}

void measure(ladder::Measurement &measurement) {
    measure_device(measurement);
    measure_pipe(measurement);
}

} // namespace

int main(int argc, char **argv) {
    const ladder::Stage stage{
        .name = "stage1-blocking",
        .description = "Times a message from the kernel to a client that sleeps in read().",
        .pinned = false,
    };
    return ladder::run(stage, argc, argv, measure);
}
