// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "common/series.hpp"

namespace ladder {

/// How far a series is and how long the rest takes, for example "  250 of 1,000 samples; about 0:45 left";
/// nothing before the first sample.
/// @param done,wanted  samples; @param spent  since the beginning
std::optional<std::string> progress_line(std::size_t done, std::size_t wanted, std::chrono::seconds spent);

/// Shows on standard error how far a long series is, while it is measured.
///
/// The series' own thread has no part in it: another one looks at its count, ten times in all, on the CPUs
/// that the caller may use when it makes the object. Make it before the consumer is pinned: then it is the
/// housekeeping CPU.
class ProgressOf {
public:
    /// Begins to look, if the series will be long.
    /// @param series    has to outlive the object
    /// @param expected  how long it will take; less than ten seconds show nothing
    /// @param show      what to do with a line; the tests have another
    ProgressOf(const Series &series, std::chrono::seconds expected,
               std::function<void(const std::string &)> show = to_stderr);
    /// Ends at once.
    ~ProgressOf();
    ProgressOf(const ProgressOf &) = delete;
    ProgressOf &operator=(const ProgressOf &) = delete;

    /// Prints a line to standard error.
    static void to_stderr(const std::string &line);

private:
    void look(const Series &series, std::chrono::seconds every);

    std::function<void(const std::string &)> show_;
    std::mutex mutex_;
    std::condition_variable ending_;
    bool ended_ = false;
    std::thread thread_;
};

} // namespace ladder
