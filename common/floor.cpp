// SPDX-License-Identifier: MIT
#include "common/floor.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <ctime>
#include <exception>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "common/affinity.hpp"
#include "common/series.hpp"
#include "common/tsc.hpp"

namespace ladder {
namespace {

/// The 16 bytes of a message, alone in their cache line. The number is published last.
struct alignas(64) Line {
    std::atomic<std::uint64_t> sequence{0};
    std::atomic<Cycles> stamp{0};
};

constexpr std::size_t round_trips = 10'000;

/// Runs both functions, each on its own CPU, and passes on the first exception.
void run_pair(int producer_cpu, const std::function<void()> &produce, int consumer_cpu,
              const std::function<void()> &consume) {
    std::array<std::exception_ptr, 2> failed;
    const auto pinned = [](int cpu, const std::function<void()> &body, std::exception_ptr &failure) {
        try {
            pin_to_cpu(cpu);
            body();
        } catch (...) {
            failure = std::current_exception();
        }
    };
    std::thread consumer(pinned, consumer_cpu, std::cref(consume), std::ref(failed[0]));
    std::thread producer(pinned, producer_cpu, std::cref(produce), std::ref(failed[1]));
    producer.join();
    consumer.join();
    for (const std::exception_ptr &failure : failed) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    }
}

/// Sleeps until @p moment and moves it on by @p period.
void sleep_until_next(timespec &moment, std::chrono::microseconds period) {
    constexpr long second = 1'000'000'000;
    moment.tv_nsec += std::chrono::nanoseconds(period % std::chrono::seconds(1)).count();
    moment.tv_sec += period / std::chrono::seconds(1) + moment.tv_nsec / second;
    moment.tv_nsec %= second;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, nullptr);
}

Series paced(int producer_cpu, int consumer_cpu, std::size_t messages, std::chrono::microseconds period,
             std::size_t warmup, const Deadline &deadline) {
    Line line;
    std::atomic<bool> done{false};
    Series series("floor", messages, warmup);

    const auto produce = [&] {
        timespec moment{};
        clock_gettime(CLOCK_MONOTONIC, &moment);
        for (std::uint64_t sequence = 1; !done.load(std::memory_order_relaxed); ++sequence) {
            sleep_until_next(moment, period);
            line.stamp.store(tsc_now(), std::memory_order_relaxed);
            line.sequence.store(sequence, std::memory_order_release);
        }
    };
    const auto consume = [&] {
        struct Finish {
            std::atomic<bool> &done;
            ~Finish() { done = true; } // the producer ends with the consumer, however that ends
        } finish{done};
        while (!series.complete()) {
            std::uint64_t sequence = 0;
            spin_until(
                [&] {
                    sequence = line.sequence.load(std::memory_order_acquire);
                    return sequence > series.last();
                },
                Spin::plain, deadline, "a message of the floor");
            const Cycles received = tsc_now();
            series.record(sequence, line.stamp.load(std::memory_order_relaxed), received);
        }
    };
    run_pair(producer_cpu, produce, consumer_cpu, consume);
    return series;
}

Cycles half_round_trip(int producer_cpu, int consumer_cpu, const Deadline &deadline) {
    Line ping;
    Line pong;
    std::vector<Cycles> halves;
    halves.reserve(round_trips);

    const auto wait_for = [&](const Line &line, std::uint64_t sequence) {
        spin_until([&] { return line.sequence.load(std::memory_order_acquire) == sequence; }, Spin::plain,
                   deadline, "the ping-pong's other half");
    };
    const auto send = [](Line &line, std::uint64_t sequence, Cycles stamp) {
        line.stamp.store(stamp, std::memory_order_relaxed);
        line.sequence.store(sequence, std::memory_order_release);
    };
    const auto lead = [&] {
        for (std::uint64_t sequence = 1; sequence <= round_trips; ++sequence) {
            const Cycles start = tsc_now();
            send(ping, sequence, start);
            wait_for(pong, sequence);
            halves.push_back((tsc_now() - start) / 2);
        }
    };
    const auto follow = [&] {
        for (std::uint64_t sequence = 1; sequence <= round_trips; ++sequence) {
            wait_for(ping, sequence);
            send(pong, sequence, ping.stamp.load(std::memory_order_relaxed));
        }
    };
    run_pair(producer_cpu, lead, consumer_cpu, follow);
    return summarize(std::move(halves)).p50;
}

} // namespace

Floor measure_floor(int producer_cpu, int consumer_cpu, std::size_t messages,
                    std::chrono::microseconds period, std::size_t warmup, const Deadline &deadline) {
    if (producer_cpu == consumer_cpu) {
        throw std::invalid_argument("the floor needs two CPUs: two threads that poll on one never meet");
    }
    const Summary summary = paced(producer_cpu, consumer_cpu, messages, period, warmup, deadline).summary();
    return {summary.p50, summary.p99, half_round_trip(producer_cpu, consumer_cpu, deadline)};
}

} // namespace ladder
