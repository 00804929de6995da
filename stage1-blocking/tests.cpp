// SPDX-License-Identifier: MIT
/// @file
/// Stage 1: the control plane, the packet simulator, and read(). <linux/hft.h> states the contract; each row of
/// it has a test here.

#include <atomic>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/tests/guest.hpp"
#include "common/tsc.hpp"

using ladder::Device;
using ladder::hft_ctl;
using ladder::Simulator;
using namespace ladder::guest;

namespace {

constexpr std::size_t message_size = sizeof(hft_message);

// --- Before anything else: nothing is set up yet. ---

TEST(BeforeSetup, StartFindsNoDevice) {
    if (std::filesystem::exists("/sys/class/misc/hft")) {
        GTEST_SKIP() << "the device is set up already in this boot";
    }
    EXPECT_EQ(outcome(hft_ctl(HFT_CTL_START)), "ENODEV");
}

// --- Mode 555: set up. ---

// In a fresh boot this is the first setup.
TEST(Setup, OfTwoCallersAtOnceBothSucceed) {
    std::atomic<int> ready{0};
    const auto set_up = [&](int cpu) {
        return on_cpu(cpu, [&] {
            for (++ready; ready < 2;) {
            }
            return outcome(hft_ctl(HFT_CTL_SETUP));
        });
    };
    std::string other;
    std::thread thread([&] { other = set_up(1); });
    const std::string one = set_up(0);
    thread.join();
    EXPECT_EQ(one, "success");
    EXPECT_EQ(other, "success");
}

class Setup : public DeviceTest {};
class Privilege : public DeviceTest {};
class Start : public DeviceTest {};
class Stop : public DeviceTest {};
class Packets : public DeviceTest {};
class Read : public DeviceTest {};
class Queue : public DeviceTest {};
class Consumer : public DeviceTest {};
