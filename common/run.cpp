// SPDX-License-Identifier: MIT
#include "common/run.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "common/affinity.hpp"
#include "common/environment.hpp"
#include "common/floor.hpp"
#include "common/tsc.hpp"

namespace ladder {
namespace {

using nlohmann::json;

/// Above this, `pause` costs more than looking at a cache line again: an emulator, or a guest that leaves.
constexpr Cycles pause_is_dear = 250;

/// Enough for a P99 of the floor, however long the series is.
constexpr std::size_t most_floor = 1000;

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

void add_options(CLI::App &app, Options &options, std::optional<Spin> &spin) {
    const std::map<std::string, Spin> spins{{"plain", Spin::plain}, {"pause", Spin::pause}};
    app.add_option("--samples", options.samples, "messages to keep")
        ->check(CLI::Range(std::size_t{1}, std::size_t{100'000'000}))
        ->capture_default_str();
    app.add_option("--warmup", options.warmup, "messages to count, but not to keep, before the first")
        ->check(CLI::Range(std::size_t{0}, std::size_t{100'000'000}))
        ->capture_default_str();
    app.add_option("--period-us", options.period_us, "microseconds from one message to the next")
        ->check(CLI::Range(50U, 10'000'000U))
        ->capture_default_str();
    app.add_option("--deadline", options.deadline_s,
                   "seconds for everything; 0 is ten times what it should take, plus 20")
        ->check(CLI::Range(0U, 1'000'000U))
        ->capture_default_str();
    app.add_option("--producer-cpu", options.producer_cpu, "CPU of the packet simulator")
        ->check(CLI::Range(0, 4095))
        ->capture_default_str();
    app.add_option("--consumer-cpu", options.consumer_cpu, "CPU of a pinned client")
        ->check(CLI::Range(0, 4095))
        ->capture_default_str();
    app.add_option("--spin", spin, "how to poll (chosen by measuring pause, if not given)")
        ->transform(CLI::CheckedTransformer(spins));
    app.add_option("--output", options.output, "folder for result.json and the raw samples (must exist)")
        ->check(CLI::ExistingDirectory);
}

std::chrono::seconds allowed_time(const Options &options) {
    if (options.deadline_s != 0) {
        return std::chrono::seconds(options.deadline_s);
    }
    // The stage itself, one neighbour, and the floor before and after.
    const auto messages = static_cast<std::uint64_t>(4 * (options.samples + options.warmup));
    return std::chrono::ceil<std::chrono::seconds>(
        std::chrono::seconds(20) + 10 * std::chrono::microseconds(messages * options.period_us));
}

/// Interrupts a system call that still blocks when the deadline has passed: it fails with EINTR.
void interrupt_after(std::chrono::seconds allowed) {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGALRM, &action, nullptr);
    alarm(static_cast<unsigned int>(allowed.count()) + 1);
}

json to_json(const Interval &interval) {
    json both = json::array();
    for (const std::optional<Cycles> &bound : {interval.low, interval.high}) {
        both.push_back(bound ? json(*bound) : json(nullptr));
    }
    return both;
}

json to_json(const Series &series) {
    const Summary summary = series.summary();
    return {
        {"name", series.name()},
        {"samples", summary.count},
        {"warmup", series.warmup()},
        {"lost", series.lost()},
        {"dropped", series.dropped()},
        {"repeated", series.repeated()},
        {"torn", series.torn()},
        {"stamp_errors", series.stamp_errors()},
        {"min", summary.min},
        {"p50", summary.p50},
        {"p99", summary.p99},
        {"p999", summary.p999},
        {"max", summary.max},
        {"p50_ci", to_json(summary.p50_interval)},
        {"p99_ci", to_json(summary.p99_interval)},
        {"p999_ci", to_json(summary.p999_interval)},
    };
}

json to_json(const Floor &floor) {
    return {{"p50", floor.p50}, {"p99", floor.p99}, {"half_rtt_p50", floor.half_round_trip_p50}};
}

void print_row(const Series &series) {
    const Summary summary = series.summary();
    fmt::print("{:<16} {:>9} {:>9} {:>9} {:>9}   lost {} dropped {} torn {} stamp errors {}\n", series.name(),
               summary.p50, summary.p99, summary.p999, summary.max, series.lost(), series.dropped(),
               series.torn(), series.stamp_errors());
}

void print_floor(const char *when, const Floor &floor) {
    fmt::print("{:<16} {:>9} {:>9} {:>9} {:>9}   half a round trip {}\n", when, floor.p50, floor.p99, "", "",
               floor.half_round_trip_p50);
}

void report(const Measurement &measurement, const Floor &before, const Floor &after, json result) {
    fmt::print("{:<16} {:>9} {:>9} {:>9} {:>9}   cycles; {} samples after {} of warm-up\n", "", "P50", "P99",
               "P99.9", "max", measurement.series.samples().size(), measurement.series.warmup());
    print_row(measurement.series);
    for (const Series &neighbour : measurement.neighbours) {
        print_row(neighbour);
    }
    print_floor("floor before", before);
    print_floor("floor after", after);
    std::fflush(stdout);
    if (measurement.options.output.empty()) {
        return;
    }
    const std::filesystem::path folder = measurement.options.output;
    result["series"] = to_json(measurement.series);
    result["neighbours"] = json::array();
    for (const Series &neighbour : measurement.neighbours) {
        result["neighbours"].push_back(to_json(neighbour));
    }
    result["floor_before"] = to_json(before);
    result["floor_after"] = to_json(after);
    measurement.series.write_csv(folder / "samples.csv");
    std::ofstream out(folder / "result.json");
    out << result.dump(2) << '\n';
    out.close();
    if (!out) {
        throw std::system_error(errno, std::generic_category(),
                                "cannot write " + (folder / "result.json").string());
    }
}

void measure_between_floors(const Stage &stage, Options &options, std::optional<Spin> spin,
                            const std::function<void(Measurement &)> &measure) {
    const std::chrono::seconds allowed = allowed_time(options);
    const Deadline deadline(allowed);
    interrupt_after(allowed);
    // A page fault in the middle of a series is a cost of the system, not of the door.
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        fmt::print(stderr, "{}: warning: memory is not locked (needs CAP_IPC_LOCK): page faults may show\n",
                   stage.name);
    }
    const Cycles pause = cost_of_pause();
    options.spin = spin.value_or(pause > pause_is_dear ? Spin::plain : Spin::pause);

    json result{{"schema", 1}, {"stage", stage.name}};
    const auto floor = [&] {
        return measure_floor(options.producer_cpu, options.consumer_cpu,
                             std::min(options.samples, most_floor),
                             std::chrono::microseconds(options.period_us), options.warmup, deadline);
    };
    const Floor before = floor();
    Measurement measurement(stage, options, deadline);
    measure(measurement);
    const Floor after = floor();
    // Last: the kernel settles on its final clock source about a second after it has booted.
    result["environment"] = describe_environment(options.producer_cpu, options.consumer_cpu);
    result["environment"]["pause_p50"] = pause;
    result["environment"]["spin"] = options.spin == Spin::plain ? "plain" : "pause";
    result["environment"]["period_us"] = options.period_us;
    result["environment"]["consumer_pinned"] = stage.pinned;
    report(measurement, before, after, std::move(result));
}

} // namespace

int run(const Stage &stage, int argc, char **argv, const std::function<void(Measurement &)> &measure) {
    Options options;
    std::optional<Spin> spin;
    CLI::App app(stage.description, stage.name);
    add_options(app, options, spin);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        measure_between_floors(stage, options, spin, measure);
        return 0;
    } catch (const DeadlinePassed &error) {
        fmt::print(stderr, "{}: {}\n", stage.name, error.what());
        return 3;
    } catch (const std::exception &error) {
        fmt::print(stderr, "{}: {}\n", stage.name, error.what());
        return 1;
    }
}

} // namespace ladder
