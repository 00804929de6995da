// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// A reader that goes to sleep at the very moment at which a message comes: for the tests of stage 1 and the
/// soak.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <random>
#include <thread>

#include "common/tests/guest.hpp"
#include "common/tsc.hpp"

namespace ladder::guest {

/// What became of the sleepers.
struct WakeUps {
    std::uint64_t rounds;  ///< how often the reader went to sleep
    std::uint64_t woken;   ///< rounds in which read() returned
    std::uint64_t proving; ///< of these: rounds in which one message was made, and nothing else could wake
};

/// One message a round, and a reader on CPU 1 that goes to sleep at a random moment around it: mostly within
/// 10 microseconds of when the last one came, because what could be missed is a window of some hundred
/// cycles; in one round of four within a third of the period, in case the messages come at other times. If
/// the wake-up came between the reader's look at the queue and its sleep, and was missed, no second message
/// wakes it: the simulator has been stopped. A round in which it was not stopped in time proves nothing. How
/// often that happens is for the host and the kernel to say (a debug kernel is slow), so the period grows
/// with each such round and shrinks again with the others, and there are as many rounds as it takes until @p
/// proofs of them prove something, twenty times as many at most. Ends with the first sleeper that is not
/// woken within five seconds.
inline WakeUps sleep_while_messages_come(std::uint64_t proofs) {
    constexpr unsigned int shortest_us = 300;
    constexpr unsigned int longest_us = 10'000;
    std::atomic<unsigned int> period_us{shortest_us};
    const Device device;
    const Cycles microsecond = tsc_khz() / 1000;
    std::atomic<Cycles> start{0};
    std::atomic<std::uint64_t> round_begun{0};
    std::atomic<std::uint64_t> round_read{0};
    std::atomic<bool> stop{false};
    std::atomic<bool> ended{false};

    std::thread reader([&] {
        pin_to_cpu(1);
        std::minstd_rand random(1); // the same moments in each run
        hft_message message{};
        Cycles came = 0; // the last message, after its round had begun
        for (std::uint64_t round = 1; !stop; ++round) {
            while (round_begun < round && !stop) {
            }
            const bool near = came != 0 && round % 4 != 0;
            const Cycles middle = near ? came : period_us * microsecond;
            const Cycles most_away = near ? 10 * microsecond : period_us * microsecond / 3;
            const Cycles sleep_at = start + middle - most_away + random() % (2 * most_away);
            while (tsc_now() < sleep_at && !stop) {
            }
            // A signal, such as that of the test's alarm, is no message.
            while (!stop &&
                   read(device.descriptor(), &message, sizeof(message)) != ssize_t{sizeof(message)}) {
            }
            if (!stop) {
                came = message.stamp - start;
                round_read = round;
            }
        }
        ended = true;
    });

    const auto set_flags = [&](int flags) {
        fcntl(device.descriptor(), F_SETFL, flags); // NOLINT(cppcoreguidelines-pro-type-vararg)
    };
    WakeUps result{};
    while (result.proving < proofs && result.rounds < 20 * proofs) {
        const std::uint64_t round = ++result.rounds;
        const std::uint64_t before = Device::produced();
        {
            start = tsc_now();
            const Simulator simulator(period_us);
            round_begun = round;
            while (Device::produced() == before) {
            }
        }
        const bool only_one = Device::produced() == before + 1;
        const Deadline deadline(std::chrono::seconds(5));
        while (round_read < round && !deadline.passed()) {
        }
        if (round_read < round) {
            break;
        }
        ++result.woken;
        result.proving += only_one;
        const unsigned int next = only_one ? period_us - period_us / 16 : 2 * period_us;
        period_us = std::clamp(next, shortest_us, longest_us);
        if (!only_one) { // what is left over would let the next read() return at once
            set_flags(O_RDWR | O_NONBLOCK);
            hft_message rest{};
            while (read(device.descriptor(), &rest, sizeof(rest)) > 0) {
            }
            set_flags(O_RDWR);
        }
    }
    // Whatever was found, the reader has to come to its end: a signal ends a sleep that no message does.
    stop = true;
    while (!ended) {
        pthread_kill(reader.native_handle(), SIGALRM);
        usleep(500);
    }
    reader.join();
    return result;
}

} // namespace ladder::guest
