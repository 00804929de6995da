// SPDX-License-Identifier: MIT
#include "common/affinity.hpp"

#include <sched.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

namespace ladder {
namespace {

/// A set of CPUs. One cpu_set_t has room for 1,024; Linux on x86 can be built for 8,192.
using CpuSet = std::array<cpu_set_t, 8>;
constexpr int cpu_limit = 8 * CPU_SETSIZE;

[[noreturn]] void fail(int error, const std::string &what) {
    throw std::system_error(error, std::generic_category(), what);
}

void set_affinity(const std::vector<int> &cpus, const std::string &what) {
    CpuSet set{};
    for (const int cpu : cpus) {
        if (cpu < 0 || cpu >= cpu_limit) {
            fail(EINVAL, what);
        }
        CPU_SET_S(static_cast<std::size_t>(cpu), sizeof(set), set.data());
    }
    if (sched_setaffinity(0, sizeof(set), set.data()) != 0) {
        fail(errno, what);
    }
}

} // namespace

void pin_to_cpu(int cpu) {
    set_affinity({cpu}, "cannot pin to CPU " + std::to_string(cpu));
}

void allow_cpus(const std::vector<int> &cpus) {
    set_affinity(cpus, "cannot set the allowed CPUs");
}

std::vector<int> allowed_cpus() {
    CpuSet set{};
    if (sched_getaffinity(0, sizeof(set), set.data()) != 0) {
        fail(errno, "cannot read the allowed CPUs");
    }
    std::vector<int> cpus;
    for (int cpu = 0; cpu < cpu_limit; ++cpu) {
        if (CPU_ISSET_S(static_cast<std::size_t>(cpu), sizeof(set), set.data())) {
            cpus.push_back(cpu);
        }
    }
    return cpus;
}

int current_cpu() {
    const int cpu = sched_getcpu();
    if (cpu < 0) {
        fail(errno, "cannot read the current CPU");
    }
    return cpu;
}

} // namespace ladder
