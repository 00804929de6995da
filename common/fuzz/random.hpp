// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ladder::fuzz {

/// One step of splitmix64: every bit of @p value reaches every bit of the result.
constexpr std::uint64_t mix(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

/// A number that depends on all three.
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    return mix(mix(mix(a) ^ b) ^ c);
}

/// Random numbers from a seed. Each step of a worker has one of its own, so that what a step chooses depends
/// on its number and never on how many numbers an earlier step took.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    /// Any number.
    std::uint64_t next() { return mix(state_++); }
    /// A number from 0 to @p end - 1.
    std::uint64_t below(std::uint64_t end) { return next() % end; }
    /// True once in @p n times.
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    /// One of the @p values.
    template <class T, std::size_t size>
    T pick(const std::array<T, size> &values) {
        return values[below(size)];
    }

private:
    std::uint64_t state_;
};

} // namespace ladder::fuzz
