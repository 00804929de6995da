// SPDX-License-Identifier: MIT
#include "common/measure/program.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/affinity.hpp"
#include "common/environment.hpp"
#include "common/measuring.hpp"
#include "common/result.hpp"

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

void measure_and_write(const std::string &name, const Settings &settings,
                       const std::function<nlohmann::json(const Settings &, const Deadline &)> &measure) {
    const std::chrono::seconds allowed(settings.deadline_s);
    const Deadline deadline{allowed};
    interrupt_after(allowed);
    lock_memory(name);
    nlohmann::json result = measure(settings, deadline);
    result["schema"] = 1;
    // Last: the kernel settles on its final clock source about a second after it has booted.
    result["environment"] = describe_environment(settings.producer_cpu, settings.consumer_cpu);
    result["environment"]["period_us"] = settings.period_us;
    write_json(std::filesystem::path(settings.output) / (name + ".json"), result);
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

void with_own_affinity(const std::function<void()> &body) {
    const std::vector<int> cpus = allowed_cpus();
    body();
    allow_cpus(cpus);
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
