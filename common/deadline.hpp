// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>

#include <immintrin.h>

namespace ladder {

/// Thrown when something did not happen in time.
class DeadlinePassed : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A moment by which a wait has to end. A consumer that waits for one message too many waits for ever
/// without it.
class Deadline {
public:
    /// Begins now. @param allowed  how long everything may take
    explicit Deadline(std::chrono::milliseconds allowed)
        : allowed_(allowed), end_(std::chrono::steady_clock::now() + allowed) {}

    /// Whether the moment has passed.
    bool passed() const { return std::chrono::steady_clock::now() >= end_; }

    /// Throws DeadlinePassed, naming what was waited for, if the moment has passed.
    void check(const std::string &what) const {
        if (passed()) {
            throw DeadlinePassed(what + " did not come within " + std::to_string(allowed_.count()) +
                                 " ms (--deadline)");
        }
    }

private:
    std::chrono::milliseconds allowed_;
    std::chrono::steady_clock::time_point end_;
};

/// How a consumer passes the time between two looks at memory.
enum class Spin {
    plain, ///< look again at once
    pause, ///< `pause` first: kind to a sibling hyper-thread, but it leaves an emulator, and some guests
};

/// Polls until @p ready returns true. The clock is looked at once in 4,096 polls, not in each.
/// @throws DeadlinePassed naming @p what
template <class Ready>
void spin_until(Ready ready, Spin spin, const Deadline &deadline, const char *what) {
    for (;;) {
        for (int poll = 0; poll < 4096; ++poll) {
            if (ready()) {
                return;
            }
            if (spin == Spin::pause) {
                _mm_pause();
            }
        }
        deadline.check(what);
    }
}

} // namespace ladder
