// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "common/device.hpp"

namespace ladder::ablation {

/// The packet simulator with the switches of the kernel that measures what each change bought, running from
/// here to the end of the scope.
class Simulator {
public:
    /// @param period_us  microseconds from one message to the next, 50 to 10,000,000
    /// @param cpu        the CPU that makes them
    /// @param switches   HFT_SWITCH_*
    /// @param burst      messages per tick
    /// @throws std::system_error EBUSY if it runs already, EINVAL for a value out of range, E2BIG on a kernel
    ///         without switches
    Simulator(unsigned int period_us, unsigned int cpu, std::uint64_t switches, unsigned int burst = 1) {
        hft_start start{};
        start.size = sizeof(start);
        start.cpu = cpu;
        start.period_ns = std::uint64_t{period_us} * 1000;
        start.burst = burst;
        start.switches = switches;
        hft_ctl_or_throw("start the packet simulator", HFT_CTL_START,
                         reinterpret_cast<std::uintptr_t>(&start));
    }
    ~Simulator() { hft_ctl(HFT_CTL_STOP); }
    Simulator(const Simulator &) = delete;
    Simulator &operator=(const Simulator &) = delete;
};

} // namespace ladder::ablation
