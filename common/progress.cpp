// SPDX-License-Identifier: MIT
#include "common/progress.hpp"

#include <csignal>
#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include "common/markdown.hpp"

namespace ladder {
namespace {

constexpr std::chrono::seconds long_series(10);
constexpr int looks = 10;

} // namespace

std::optional<std::string> progress_line(std::size_t done, std::size_t wanted, std::chrono::seconds spent) {
    if (done == 0 || done > wanted) {
        return std::nullopt;
    }
    const double left =
        static_cast<double>(spent.count()) * static_cast<double>(wanted - done) / static_cast<double>(done);
    const auto seconds = static_cast<long>(left + 0.5);
    return fmt::format("  {} of {} samples; about {}:{:02} left", grouped(done), grouped(wanted),
                       seconds / 60, seconds % 60);
}

void ProgressOf::to_stderr(const std::string &line) {
    fmt::print(stderr, "{}\n", line);
}

ProgressOf::ProgressOf(const Series &series, std::chrono::seconds expected,
                       std::function<void(const std::string &)> show)
    : show_(std::move(show)) {
    if (expected >= long_series) {
        thread_ = std::thread([this, &series, expected] { look(series, expected / looks); });
    }
}

ProgressOf::~ProgressOf() {
    if (!thread_.joinable()) {
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    ending_.notify_one();
    thread_.join();
}

void ProgressOf::look(const Series &series, std::chrono::seconds every) {
    // The deadline's alarm is for the thread that measures: it has to get out of a system call.
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, nullptr);

    const auto begun = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    while (!ending_.wait_for(lock, every, [this] { return ended_; })) {
        const auto spent =
            std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
        if (const auto line = progress_line(series.count(), series.wanted(), spent)) {
            show_(*line);
        }
    }
}

} // namespace ladder
