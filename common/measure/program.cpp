// SPDX-License-Identifier: MIT
#include "common/measure/program.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/environment.hpp"

namespace ladder {
namespace {

void add_options(CLI::App &app, Settings &settings) {
    app.add_option("--rounds", settings.rounds, "how often everything is measured, in turn")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--samples", settings.samples, "messages per series")
        ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}))
        ->capture_default_str();
    app.add_option("--warmup", settings.warmup, "messages before the first that counts")
        ->check(CLI::Range(std::size_t{0}, std::size_t{10'000'000}))
        ->capture_default_str();
    app.add_option("--period-us", settings.period_us, "microseconds from one message to the next")
        ->check(CLI::Range(50U, 10'000'000U))
        ->capture_default_str();
    app.add_option("--deadline", settings.deadline_s, "seconds for everything")
        ->check(CLI::Range(1U, 1'000'000U))
        ->capture_default_str();
    app.add_option("--producer-cpu", settings.producer_cpu, "CPU of the packet simulator")
        ->check(CLI::Range(0, 4095))
        ->capture_default_str();
    app.add_option("--consumer-cpu", settings.consumer_cpu, "CPU of a consumer that polls")
        ->check(CLI::Range(0, 4095))
        ->capture_default_str();
    app.add_option("--output", settings.output, "folder for the result (must exist)")
        ->required()
        ->check(CLI::ExistingDirectory);
}

/// Whether this thread can be interrupted by the alarm. @param how  SIG_BLOCK or SIG_UNBLOCK
void alarm_is(int how) {
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(how, &alarm, nullptr);
}

void measure_and_write(const std::string &name, const Settings &settings,
                       const std::function<nlohmann::json(const Settings &, const Deadline &)> &measure) {
    const Deadline deadline{std::chrono::seconds(settings.deadline_s)};
    struct sigaction action {};
    action.sa_handler = [](int) {}; // and without SA_RESTART
    sigaction(SIGALRM, &action, nullptr);
    alarm_is(SIG_BLOCK);
    // Again and again: a thread that begins to wait a moment later is interrupted, too.
    const itimerval timer{.it_interval = {.tv_sec = 1, .tv_usec = 0},
                          .it_value = {.tv_sec = settings.deadline_s + 1, .tv_usec = 0}};
    setitimer(ITIMER_REAL, &timer, nullptr);
    // A page fault in the middle of a series is a cost of the system, not of the door.
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        fmt::print(stderr, "{}: warning: memory is not locked: page faults may show\n", name);
    }
    nlohmann::json result = measure(settings, deadline);
    result["schema"] = 1;
    result["environment"] = describe_environment(settings.producer_cpu, settings.consumer_cpu);
    result["environment"]["period_us"] = settings.period_us;
    const std::filesystem::path file = std::filesystem::path(settings.output) / (name + ".json");
    std::ofstream out(file);
    out << result.dump(2) << '\n';
    out.close();
    if (!out) {
        throw std::system_error(errno, std::generic_category(), "cannot write " + file.string());
    }
}

} // namespace

int run_program(const std::string &name, const std::string &description, int argc, char **argv,
                const std::function<nlohmann::json(const Settings &, const Deadline &)> &measure) {
    Settings settings;
    CLI::App app(description, name);
    add_options(app, settings);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        measure_and_write(name, settings, measure);
        return 0;
    } catch (const DeadlinePassed &error) {
        fmt::print(stderr, "{}: {}\n", name, error.what());
        return 3;
    } catch (const std::exception &error) {
        fmt::print(stderr, "{}: {}\n", name, error.what());
        return 1;
    }
}

void in_thread(const std::function<void()> &body) {
    std::exception_ptr failure;
    std::thread([&] {
        alarm_is(SIG_UNBLOCK);
        try {
            body();
        } catch (...) {
            failure = std::current_exception();
        }
    }).join();
    if (failure) {
        std::rethrow_exception(failure);
    }
}

void Progress::step(int round, const std::string &what) {
    ++done_;
    const auto took = std::chrono::steady_clock::now() - begun_;
    const auto all = static_cast<std::int64_t>(rounds_) * static_cast<std::int64_t>(steps_);
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(took * (all - done_) / done_);
    fmt::print(stderr, "  round {} of {}, {}: about {}:{:02} left\n", round, rounds_, what, left.count() / 60,
               left.count() % 60);
}

} // namespace ladder
