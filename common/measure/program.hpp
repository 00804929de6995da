// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "common/deadline.hpp"

namespace ladder {

/// What every program takes that measures many things in one boot.
struct Settings {
    int rounds = 5;                ///< how often everything is measured, in turn
    std::size_t samples = 1000;    ///< messages per series
    std::size_t warmup = 0;        ///< messages before the first that counts
    unsigned int period_us = 1000; ///< microseconds from one message to the next
    unsigned int deadline_s = 600; ///< seconds for everything
    int producer_cpu = 0;          ///< the CPU of the packet simulator
    int consumer_cpu = 1;          ///< the CPU of a consumer that polls
    std::string output;            ///< the folder for the result (must exist)
};

/// @brief The main function of such a program.
///
/// Reads the command line, locks the memory, calls @p measure and writes what it returns to NAME.json in
/// Settings::output, with "schema" and "environment". A system call of the main thread that still blocks when
/// the deadline has passed fails with EINTR. Errors go to standard error in one line.
/// @returns the exit status: 0, 1 for an error, 2 for a command line that is wrong, 3 for a deadline
int run_program(const std::string &name, const std::string &description, int argc, char **argv,
                const std::function<nlohmann::json(const Settings &, const Deadline &)> &measure);

/// Runs @p body and undoes what it does to this thread's affinity.
void with_own_affinity(const std::function<void()> &body);

/// Prints to standard error how far a long measurement has come, and when it will be done: "  round 3 of 5,
/// stage1-blocking: about 0:42 left".
class Progress {
public:
    /// Begins now. @param steps  how many calls of step() there will be in each round
    Progress(int rounds, int steps)
        : rounds_(rounds), steps_(steps), begun_(std::chrono::steady_clock::now()) {}

    /// Another step is done. @param what  what it was
    void step(int round, const std::string &what);

private:
    int rounds_;
    int steps_;
    std::int64_t done_ = 0;
    std::chrono::steady_clock::time_point begun_;
};

} // namespace ladder
