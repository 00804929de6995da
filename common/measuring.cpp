// SPDX-License-Identifier: MIT
#include "common/measuring.hpp"

#include <csignal>
#include <cstdio>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <immintrin.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/tsc.hpp"

namespace ladder {
namespace {

/// Above this, `pause` costs more than looking at a cache line again: an emulator, or a guest that leaves.
constexpr Cycles pause_is_dear = 250;

} // namespace

Cycles cost_of_pause() {
    constexpr std::size_t count = 1000;
    std::vector<Cycles> costs;
    costs.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const Cycles start = tsc_now();
        _mm_pause();
        costs.push_back(tsc_now() - start);
    }
    return median(std::move(costs));
}

Spin spin_for(Cycles pause) {
    return pause > pause_is_dear ? Spin::plain : Spin::pause;
}

std::string to_string(Spin spin) {
    return spin == Spin::plain ? "plain" : "pause";
}

void interrupt_after(std::chrono::seconds allowed) {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGALRM, &action, nullptr);
    alarm(static_cast<unsigned int>(allowed.count()) + 1);
}

void lock_memory(const std::string &who) {
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        fmt::print(stderr, "{}: warning: memory is not locked (needs CAP_IPC_LOCK): page faults may show\n",
                   who);
    }
}

} // namespace ladder
