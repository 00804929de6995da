// SPDX-License-Identifier: MIT
#include "common/affinity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <thread>

namespace {

/// Pins to `cpu`, which must fail, and returns the error.
std::system_error pin_error(int cpu) {
    try {
        ladder::pin_to_cpu(cpu);
    } catch (const std::system_error &error) {
        return error;
    }
    ADD_FAILURE() << "pinned to CPU " << cpu;
    return std::system_error(0, std::generic_category());
}

TEST(Affinity, RefusesCpusThatCannotExist) {
    for (const int cpu :
         {-1, 8'191, 8'192, std::numeric_limits<int>::max(), std::numeric_limits<int>::min()}) {
        EXPECT_EQ(pin_error(cpu).code().value(), EINVAL) << cpu;
    }
}

TEST(Affinity, NamesTheCpuAndTheReason) {
    EXPECT_STREQ(pin_error(-1).what(), "cannot pin to CPU -1: Invalid argument");
    EXPECT_STREQ(pin_error(8'191).what(), "cannot pin to CPU 8191: Invalid argument");
}

TEST(Affinity, AFailureLeavesTheThreadAsItWas) {
    const std::vector<int> before = ladder::allowed_cpus();
    EXPECT_THROW(ladder::pin_to_cpu(-1), std::system_error);
    EXPECT_EQ(ladder::allowed_cpus(), before);
}

TEST(Affinity, ListsTheAllowedCpusInAscendingOrder) {
    const std::vector<int> cpus = ladder::allowed_cpus();
    ASSERT_FALSE(cpus.empty());
    EXPECT_GE(cpus.front(), 0);
    EXPECT_TRUE(std::is_sorted(cpus.begin(), cpus.end()));
    EXPECT_EQ(std::adjacent_find(cpus.begin(), cpus.end()), cpus.end()) << "a CPU is listed twice";
}

TEST(Affinity, RunsOnAnAllowedCpu) {
    const std::vector<int> cpus = ladder::allowed_cpus();
    EXPECT_EQ(std::count(cpus.begin(), cpus.end(), ladder::current_cpu()), 1);
}

TEST(Affinity, PinsOnlyTheCallingThread) {
    const std::vector<int> before = ladder::allowed_cpus();
    for (const int cpu : before) {
        std::thread([cpu] {
            ladder::pin_to_cpu(cpu);
            EXPECT_EQ(ladder::current_cpu(), cpu);
            EXPECT_EQ(ladder::allowed_cpus(), std::vector<int>{cpu});
        }).join();
    }
    EXPECT_EQ(ladder::allowed_cpus(), before);
}

TEST(Affinity, MovesAPinnedThread) {
    const std::vector<int> cpus = ladder::allowed_cpus();
    if (cpus.size() < 2) {
        GTEST_SKIP() << "needs two CPUs";
    }
    std::thread([&cpus] {
        for (const int cpu : {cpus.front(), cpus.back(), cpus.front()}) {
            ladder::pin_to_cpu(cpu);
            EXPECT_EQ(ladder::current_cpu(), cpu);
        }
    }).join();
}

} // namespace
