// SPDX-License-Identifier: MIT
/// @file
/// Steps that are about hft_ctl().

#include <algorithm>
#include <climits>
#include <cstring>

#include <unistd.h>

#include "common/device.hpp"
#include "common/fuzz/worker.hpp"

namespace ladder::fuzz {

namespace {

constexpr std::array<std::uint64_t, 12> odd_numbers{0,
                                                    1,
                                                    7,
                                                    24,
                                                    4096,
                                                    INT_MAX,
                                                    UINT_MAX,
                                                    1ULL << 32,
                                                    0x0000'8000'0000'0000,
                                                    0xffff'8880'0000'0000,
                                                    LLONG_MAX,
                                                    ULLONG_MAX};

std::uint64_t any_number(Random &random) {
    return random.one_in(2) ? random.next() : random.pick(odd_numbers);
}

long start(const void *argument) {
    return hft_ctl(HFT_CTL_START, reinterpret_cast<std::uintptr_t>(argument));
}

/// A start that the kernel has to take. Mostly fast, so that there are messages; once in a while as much as
/// one may ask for, which is more than a CPU can do.
hft_start right_start(Random &random) {
    constexpr std::array<std::uint64_t, 8> periods{HFT_PERIOD_MIN_NS, 51'001,  100'000,   200'000,
                                                   200'000,           300'000, 1'000'000, HFT_PERIOD_MAX_NS};
    constexpr std::array<unsigned int, 8> bursts{1, 1, 1, 2, 3, 16, 64, 300};
    hft_start start{};
    start.size = sizeof(start);
    start.cpu = static_cast<unsigned int>(random.below(2));
    start.period_ns = random.pick(periods);
    start.burst = random.one_in(512) ? HFT_BURST_MAX : random.pick(bursts);
    return start;
}

void ping(State &state, Random &random) {
    state.note(Call::ping, hft_ctl(HFT_CTL_PING, any_number(random)));
}

void other_mode(State &state, Random &random) {
    constexpr std::array<unsigned int, 4> modes{HFT_CTL_PING, HFT_CTL_SETUP, HFT_CTL_START, HFT_CTL_STOP};
    // Near a right one, or far from all; the upper half of the register must not matter.
    auto mode = static_cast<unsigned int>(random.one_in(2) ? random.pick(modes) + random.below(3) - 1
                                                           : any_number(random));
    if (std::find(modes.begin(), modes.end(), mode) != modes.end()) {
        mode ^= 1U << 31;
    }
    const std::uint64_t upper_half = random.one_in(4) ? random.next() << 32 : 0;
    state.note(Call::other_mode, syscall(__NR_hft_ctl, upper_half | mode, any_number(random)));
}

void set_up(State &state, Random &random) {
    state.note(Call::setup_again, hft_ctl(HFT_CTL_SETUP, any_number(random)));
}

void start_default(State &state, Random & /*random*/) {
    state.note(Call::start_default, start(nullptr));
}

void start_struct(State &state, Random &random) {
    hft_start request = right_start(random);
    state.note(Call::start_struct, start(&request));
}

/// A struct of a later version. @param known  whether the members that this kernel does not know are zero
void start_larger_with(State &state, Random &random, Call call, bool known) {
    std::array<char, page_size> larger{};
    hft_start request = right_start(random);
    request.size = static_cast<unsigned int>(sizeof(request) + 1 + random.below(page_size - sizeof(request)));
    std::memcpy(larger.data(), &request, sizeof(request));
    if (!known) {
        larger[sizeof(request) + random.below(request.size - sizeof(request))] = 1;
    }
    state.note(call, start(larger.data()));
}

void start_larger(State &state, Random &random) {
    start_larger_with(state, random, Call::start_larger, true);
}

void start_larger_unknown(State &state, Random &random) {
    start_larger_with(state, random, Call::start_larger_unknown, false);
}

void start_wrong_size(State &state, Random &random) {
    hft_start request = right_start(random);
    request.size = static_cast<unsigned int>(random.one_in(2) ? random.below(HFT_START_SIZE_VER0)
                                                              : page_size + 1 + random.below(1 << 30));
    state.note(Call::start_wrong_size, start(&request));
}

void start_wrong_member(State &state, Random &random) {
    hft_start request = right_start(random);
    switch (random.below(6)) {
    case 0:
        request.period_ns = random.below(HFT_PERIOD_MIN_NS);
        break;
    case 1:
        request.period_ns = std::max(HFT_PERIOD_MAX_NS + 1ULL, 1ULL * random.next());
        break;
    case 2:
        request.burst = 0;
        break;
    case 3:
        request.burst = HFT_BURST_MAX + 1 + static_cast<unsigned int>(random.below(1U << 31));
        break;
    case 4:
        request.reserved = 1U << random.below(32);
        break;
    default:
        request.cpu = std::max(2U, static_cast<unsigned int>(any_number(random)));
        break;
    }
    state.note(Call::start_wrong_member, start(&request));
}

void start_bad_pointer(State &state, Random &random) {
    constexpr std::array<std::uintptr_t, 8> bad{
        1,                     // the zero page
        0x0000'7fff'ffff'f000, // the last page of user space, never mapped
        0x0000'8000'0000'0000, // not canonical
        0xdead'beef'dead'0000, // neither
        0xffff'8880'0000'0000, // the kernel's memory
        0xffff'ffff'8100'0000, // its code
        0xffff'ffff'ffff'f000, // the end of all
        0xffff'ffff'ffff'ffff,
    };
    const std::uintptr_t nothing = reinterpret_cast<std::uintptr_t>(state.scratch.before_end(0));
    state.note(Call::start_bad_pointer,
               hft_ctl(HFT_CTL_START, random.one_in(3) ? nothing + random.below(64) : random.pick(bad)));
}

void start_half_mapped(State &state, Random &random) {
    hft_start request = right_start(random);
    const bool larger = random.one_in(3);
    if (larger) {
        request.size = page_size;
    }
    const std::size_t there = 1 + random.below(larger ? page_size - 1 : sizeof(request) - 1);
    char *const argument = state.scratch.before_end(there);
    std::memset(argument, 0, there);
    std::memcpy(argument, &request, std::min(there, sizeof(request)));
    state.note(Call::start_half_mapped, start(argument));
}

/// The struct is where the driver looks for the tail.
void start_in_tail(State &state, Random &random) {
    const Area &tail = state.area(Door::tail, random);
    if (!tail.mapped() || !tail.writable || tail.lost) {
        return;
    }
    hft_start request = right_start(random);
    std::memcpy(tail.memory, &request, sizeof(request));
    state.note(Call::start_in_tail, start(tail.memory));
}

void stop(State &state, Random &random) {
    state.note(Call::stop, hft_ctl(HFT_CTL_STOP, any_number(random)));
}

constexpr std::array<Step, 13> steps{{
    {ping, {8, 2, 2}},
    {other_mode, {4, 1, 1}},
    {set_up, {8, 2, 2}},
    {start_default, {12, 6, 4}},
    {start_struct, {12, 8, 6}},
    {start_larger, {8, 4, 4}},
    {start_larger_unknown, {3, 1, 1}},
    {start_wrong_size, {3, 1, 1}},
    {start_wrong_member, {4, 1, 1}},
    {start_bad_pointer, {3, 1, 1}},
    {start_half_mapped, {3, 1, 1}},
    {start_in_tail, {0, 0, 2}},
    {stop, {24, 8, 8}},
}};

} // namespace

bool start_simulator(State &state) {
    // Fast, so that the first message is there soon.
    hft_start request{.size = sizeof(hft_start),
                      .cpu = static_cast<unsigned int>(state.cpu ^ 1),
                      .period_ns = HFT_PERIOD_MIN_NS * 4,
                      .burst = 2,
                      .reserved = 0};
    const bool started = state.note(Call::start_struct, start(&request));
    return started || errno == EBUSY;
}

std::span<const Step> control_steps() {
    return steps;
}

} // namespace ladder::fuzz
