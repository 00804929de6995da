// SPDX-License-Identifier: MIT
#include "common/tsc.hpp"

#include "common/affinity.hpp"

#include <cpuid.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <exception>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace ladder {
namespace {

/// The four registers that one CPUID leaf returns; zero if the CPU does not have the leaf.
struct CpuidLeaf {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
};

CpuidLeaf cpuid(unsigned number) {
    CpuidLeaf leaf;
    if (__get_cpuid(number, &leaf.eax, &leaf.ebx, &leaf.ecx, &leaf.edx) == 0) {
        return {};
    }
    return leaf;
}

/// Appends the characters packed in registers; they end at the first zero byte.
template <std::size_t N>
void append_text(std::string &text, const std::array<unsigned, N> &registers) {
    std::array<char, sizeof(registers)> bytes{};
    std::memcpy(bytes.data(), registers.data(), sizeof(registers));
    text.append(bytes.data(), strnlen(bytes.data(), bytes.size()));
}

std::string trimmed(const std::string &text) {
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// The same moment on two clocks.
struct Moment {
    Cycles cycles;
    std::uint64_t nanoseconds;
};

/// Reads both clocks. The TSC is read before and after the other clock. The tightest of several attempts
/// counts, because an interrupt may hit some of them.
Moment read_both_clocks() {
    Moment best{};
    Cycles shortest = std::numeric_limits<Cycles>::max();
    for (int attempt = 0; attempt < 16; ++attempt) {
        std::timespec now{};
        const Cycles before = tsc_now();
        const int result = clock_gettime(CLOCK_MONOTONIC_RAW, &now);
        const Cycles after = tsc_now();
        if (result != 0) {
            throw std::system_error(errno, std::generic_category(), "cannot read CLOCK_MONOTONIC_RAW");
        }
        if (after - before < shortest) {
            shortest = after - before;
            best.cycles = before + shortest / 2;
            best.nanoseconds = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                               static_cast<std::uint64_t>(now.tv_nsec);
        }
    }
    return best;
}

using Clock = std::chrono::steady_clock;

/// What the two threads of tsc_offset_between() share.
struct PingPong {
    // Each direction has its own cache line, so that one message moves one line.
    alignas(64) std::atomic<unsigned> ping{0};
    alignas(64) std::atomic<unsigned> pong{0};
    Cycles answered = 0; // written before pong, read after it
    alignas(64) std::atomic<bool> stop{false};
    Clock::time_point deadline = Clock::now() + std::chrono::seconds(2);
};

/// Waits until `counter` has reached `round`. Returns false when it is time to give up.
bool wait_for(const std::atomic<unsigned> &counter, unsigned round, const PingPong &shared) {
    for (unsigned spins = 1; counter.load(std::memory_order_acquire) != round; ++spins) {
        // Reading the clock takes much longer than a look at the counter, so do it rarely.
        if (spins % 1024 == 0 && (shared.stop.load() || Clock::now() > shared.deadline)) {
            return false;
        }
    }
    return true;
}

constexpr unsigned wanted_rounds = 10'000;
constexpr unsigned required_rounds = 100;

struct Estimate {
    unsigned rounds = 0;
    Cycles round_trip = std::numeric_limits<Cycles>::max();
    std::int64_t offset = 0;
};

void ask(int cpu, PingPong &shared, Estimate &best) {
    pin_to_cpu(cpu);
    for (unsigned round = 1; round <= wanted_rounds; ++round) {
        const Cycles sent = tsc_now();
        shared.ping.store(round, std::memory_order_release);
        if (!wait_for(shared.pong, round, shared)) {
            return;
        }
        const Cycles received = tsc_now();
        ++best.rounds;
        if (received - sent < best.round_trip) {
            best.round_trip = received - sent;
            best.offset = halfway_offset(sent, shared.answered, received);
        }
    }
}

void answer(int cpu, PingPong &shared) {
    pin_to_cpu(cpu);
    for (unsigned round = 1; round <= wanted_rounds; ++round) {
        if (!wait_for(shared.ping, round, shared)) {
            return;
        }
        shared.answered = tsc_now();
        shared.pong.store(round, std::memory_order_release);
    }
}

/// Runs `work`; keeps its exception for the caller, and tells the other thread to stop if there was one.
template <class Work>
void run(PingPong &shared, std::exception_ptr &error, Work work) {
    try {
        work();
    } catch (...) {
        error = std::current_exception();
        shared.stop = true;
    }
}

} // namespace

bool tsc_is_invariant() {
    return (cpuid(0x80000007).edx & (1U << 8)) != 0;
}

bool tsc_has_rdtscp() {
    return (cpuid(0x80000001).edx & (1U << 27)) != 0;
}

std::string cpu_model() {
    std::string brand;
    if (cpuid(0x80000000).eax >= 0x80000004) {
        for (const unsigned number : {0x80000002U, 0x80000003U, 0x80000004U}) {
            const CpuidLeaf leaf = cpuid(number);
            append_text(brand, std::array{leaf.eax, leaf.ebx, leaf.ecx, leaf.edx});
        }
    }
    brand = trimmed(brand);
    if (!brand.empty()) {
        return brand;
    }
    const CpuidLeaf leaf = cpuid(0);
    std::string vendor;
    append_text(vendor, std::array{leaf.ebx, leaf.edx, leaf.ecx});
    return vendor;
}

std::uint64_t tsc_khz(std::chrono::milliseconds window) {
    if (window < std::chrono::milliseconds(1) || window > std::chrono::seconds(10)) {
        throw std::invalid_argument("the calibration window must be between 1 ms and 10 s");
    }
    const Moment start = read_both_clocks();
    std::this_thread::sleep_for(window);
    const Moment end = read_both_clocks();
    // Cycles per nanosecond, times one million. In ten seconds the product stays far below 2^64.
    return (end.cycles - start.cycles) * 1'000'000 / (end.nanoseconds - start.nanoseconds);
}

StampCost tsc_stamp_cost() {
    std::vector<Cycles> costs(1'000);
    for (Cycles &cost : costs) {
        const Cycles first = tsc_now();
        const Cycles second = tsc_now();
        cost = second > first ? second - first : 0; // the thread may move to a CPU whose TSC is behind
    }
    const Summary summary = summarize(std::move(costs));
    return {summary.p50, summary.p99};
}

std::int64_t tsc_offset_between(int cpu_a, int cpu_b) {
    PingPong shared;
    Estimate best;
    std::exception_ptr error_a;
    std::exception_ptr error_b;
    if (cpu_a == cpu_b) {
        // Nothing to measure, but a CPU that cannot be used is still an error.
        std::thread([&] { run(shared, error_a, [&] { pin_to_cpu(cpu_a); }); }).join();
        best = {.rounds = required_rounds, .round_trip = 0, .offset = 0};
    } else {
        std::jthread asking([&] { run(shared, error_a, [&] { ask(cpu_a, shared, best); }); });
        std::jthread answering([&] { run(shared, error_b, [&] { answer(cpu_b, shared); }); });
        // The end of this block waits for both threads.
    }
    for (const std::exception_ptr &error : {error_a, error_b}) {
        if (error) {
            std::rethrow_exception(error);
        }
    }
    if (best.rounds < required_rounds) {
        throw std::system_error(std::make_error_code(std::errc::timed_out),
                                "cannot compare the TSC of CPU " + std::to_string(cpu_a) + " and CPU " +
                                    std::to_string(cpu_b));
    }
    return best.offset;
}

} // namespace ladder
