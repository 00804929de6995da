// SPDX-License-Identifier: MIT
#include "common/tsc.hpp"

#include "common/affinity.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace {

using ladder::Cycles;
using std::chrono::milliseconds;

/// What the kernel says about the first CPU, for example cpuinfo("model name"). Empty if it says nothing.
std::string cpuinfo(const std::string &key) {
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    while (std::getline(file, line)) {
        const std::size_t colon = line.find(": ");
        if (colon != std::string::npos && line.substr(0, line.find_first_of("\t:")) == key) {
            return line.substr(colon + 2);
        }
    }
    return {};
}

bool kernel_reports(const std::string &wanted) {
    std::istringstream flags(cpuinfo("flags"));
    std::string flag;
    while (flags >> flag) {
        if (flag == wanted) {
            return true;
        }
    }
    return false;
}

// Overflow and invalid input.

TEST(HalfwayOffset, DoesNotOverflow) {
    constexpr Cycles largest = std::numeric_limits<Cycles>::max();
    EXPECT_EQ(ladder::halfway_offset(largest - 10, largest, largest), 5);
    EXPECT_EQ(ladder::halfway_offset(largest - 1, largest, 1), 0); // the counter wraps on the way
    EXPECT_EQ(ladder::halfway_offset(0, largest, 2), -2);          // CPU B has not wrapped yet
}

TEST(TscKhz, RefusesWindowsOutOfRange) {
    for (const milliseconds window : {milliseconds::min(), milliseconds(-1), milliseconds(0),
                                      milliseconds(10'001), milliseconds::max()}) {
        EXPECT_THROW(ladder::tsc_khz(window), std::invalid_argument) << window.count();
    }
}

TEST(TscOffset, RefusesCpusThatCannotBeUsed) {
    const int usable = ladder::allowed_cpus().front();
    EXPECT_THROW(ladder::tsc_offset_between(-1, usable), std::system_error);
    EXPECT_THROW(ladder::tsc_offset_between(usable, -1), std::system_error);
    EXPECT_THROW(ladder::tsc_offset_between(-1, -1), std::system_error);
}

TEST(TscOffset, NamesTheCpuThatCannotBeUsed) {
    try {
        ladder::tsc_offset_between(ladder::allowed_cpus().front(), 8'191);
        FAIL() << "CPU 8191 was used";
    } catch (const std::system_error &error) {
        EXPECT_STREQ(error.what(), "cannot pin to CPU 8191: Invalid argument");
    }
}

// Behaviour.

TEST(HalfwayOffset, IsTheDistanceFromTheMiddle) {
    EXPECT_EQ(ladder::halfway_offset(1'000, 1'100, 1'200), 0);
    EXPECT_EQ(ladder::halfway_offset(1'000, 1'150, 1'200), 50);
    EXPECT_EQ(ladder::halfway_offset(1'000, 600, 1'200), -500);
}

TEST(TscNow, NeverGoesBackOnOneCpu) {
    std::thread([] {
        ladder::pin_to_cpu(ladder::allowed_cpus().front());
        const Cycles start = ladder::tsc_now();
        Cycles previous = start;
        for (int i = 0; i < 1'000; ++i) {
            const Cycles now = ladder::tsc_now();
            ASSERT_GE(now, previous);
            previous = now;
        }
        EXPECT_GT(previous, start);
    }).join();
}

TEST(TscKhz, IsThatOfARealCpu) {
    // 100 MHz to 10 GHz: catches a result in the wrong unit.
    for (const milliseconds window : {milliseconds(1), milliseconds(50)}) {
        const std::uint64_t khz = ladder::tsc_khz(window);
        EXPECT_GE(khz, 100'000U);
        EXPECT_LE(khz, 10'000'000U);
    }
}

TEST(TscStampCost, IsPositiveAndOrdered) {
    const ladder::StampCost cost = ladder::tsc_stamp_cost();
    EXPECT_GT(cost.p50, 0U);
    EXPECT_GE(cost.p99, cost.p50);
}

TEST(Cpuid, AgreesWithTheKernelAboutFlags) {
    if (cpuinfo("flags").empty()) {
        GTEST_SKIP() << "/proc/cpuinfo has no flags";
    }
    EXPECT_EQ(ladder::tsc_is_invariant(), kernel_reports("nonstop_tsc"));
    EXPECT_EQ(ladder::tsc_has_rdtscp(), kernel_reports("rdtscp"));
}

TEST(Cpuid, AgreesWithTheKernelAboutTheModel) {
    const std::string model = ladder::cpu_model();
    ASSERT_FALSE(model.empty());
    EXPECT_NE(model.front(), ' ');
    EXPECT_NE(model.back(), ' ');
    EXPECT_EQ(model.find('\0'), std::string::npos);
    const std::string expected = cpuinfo("model name");
    if (expected.empty() || expected == "unknown") {
        GTEST_SKIP() << "/proc/cpuinfo has no model name";
    }
    EXPECT_EQ(model, expected);
}

TEST(TscOffset, OfACpuToItselfIsZero) {
    const int cpu = ladder::allowed_cpus().front();
    EXPECT_EQ(ladder::tsc_offset_between(cpu, cpu), 0);
}

TEST(TscOffset, ChangesItsSignWithTheDirection) {
    const std::vector<int> cpus = ladder::allowed_cpus();
    if (cpus.size() < 2) {
        GTEST_SKIP() << "needs two CPUs";
    }
    if (!ladder::tsc_is_invariant()) {
        GTEST_SKIP() << "needs an invariant TSC";
    }
    const std::int64_t forth = ladder::tsc_offset_between(cpus.front(), cpus.back());
    const std::int64_t back = ladder::tsc_offset_between(cpus.back(), cpus.front());
    // Each error is at most half of the shortest round trip. One millisecond is far more than that.
    const auto one_millisecond = static_cast<std::int64_t>(ladder::tsc_khz());
    EXPECT_LT(std::llabs(forth + back), one_millisecond) << forth << " and " << back;
    EXPECT_EQ(ladder::allowed_cpus(), cpus) << "the calling thread has been pinned";
}

} // namespace
