// SPDX-License-Identifier: MIT
#include "common/run.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/environment.hpp"
#include "common/floor.hpp"
#include "common/markdown.hpp"
#include "common/measuring.hpp"
#include "common/progress.hpp"
#include "common/recording.hpp"
#include "common/result.hpp"

namespace ladder {
namespace {

using nlohmann::json;

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
                   "seconds for everything, the floors among it; 0 is ten times what it should take, plus 20")
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
    app.add_flag("--raw", options.raw, "keep each sample of a series with more than 10,000, not a histogram");
    app.add_option("--output", options.output, "folder for result.json and the raw samples (must exist)")
        ->check(CLI::ExistingDirectory);
}

/// What is done before the first message: opening the device, allocating.
constexpr std::chrono::seconds time_to_begin(20);

/// @param series  how many are measured, the floor's among them
std::chrono::seconds expected_time(const Options &options, std::size_t series) {
    const auto messages = static_cast<std::uint64_t>(series * (options.samples + options.warmup));
    return std::chrono::ceil<std::chrono::seconds>(std::chrono::microseconds(messages * options.period_us));
}

std::chrono::seconds allowed_time(const Options &options, std::size_t series) {
    return options.deadline_s != 0 ? std::chrono::seconds(options.deadline_s)
                                   : time_to_begin + 10 * expected_time(options, series);
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

void print_recording(const Series &series, const RecordingCost &cost) {
    fmt::print("{:<16} {} bytes for samples, {}; recording one took {:.1f} cycles at the beginning, {:.1f} "
               "at the end\n",
               "memory", grouped(series.memory_bytes()),
               series.exact()
                   ? "each kept"
                   : fmt::format("in a histogram (exact to {:.2g} %)", 100 * series.relative_error()),
               cost.first, cost.last);
}

void report(const Measurement &measurement, const Floor &before, const Floor &after, json result) {
    fmt::print("{:<16} {:>9} {:>9} {:>9} {:>9}   cycles; {} samples after {} of warm-up\n", "", "P50", "P99",
               "P99.9", "max", measurement.series.count(), measurement.series.warmup());
    print_row(measurement.series);
    for (const Series &neighbour : measurement.neighbours) {
        print_row(neighbour);
    }
    print_floor("floor before", before);
    print_floor("floor after", after);
    const RecordingCost cost = cost_of_recording(measurement.options.samples, measurement.options.raw);
    print_recording(measurement.series, cost);
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
    result["recording"] = {{"memory_bytes", measurement.series.memory_bytes()},
                           {"first_cycles", cost.first},
                           {"last_cycles", cost.last}};
    measurement.series.write_csv(folder);
    write_json(folder / "result.json", result);
}

void measure_between_floors(const Stage &stage, Options &options, std::optional<Spin> spin,
                            const std::function<void(Measurement &)> &measure) {
    // The stage itself, one neighbour, and the floor before and after.
    const std::chrono::seconds allowed = allowed_time(options, 4);
    const Deadline deadline(allowed);
    interrupt_after(allowed);
    lock_memory(stage.name);
    const Cycles pause = cost_of_pause();
    options.spin = spin.value_or(spin_for(pause));

    json result{{"schema", 1}, {"stage", stage.name}};
    const auto floor = [&] {
        return measure_floor(options.producer_cpu, options.consumer_cpu,
                             std::min(options.samples, most_floor_messages),
                             std::chrono::microseconds(options.period_us), options.warmup, deadline);
    };
    const Floor before = floor();
    Measurement measurement(stage, options, deadline);
    {
        const ProgressOf progress(measurement.series, expected_time(options, 1));
        measure(measurement);
    }
    const Floor after = floor();
    // Last: the kernel settles on its final clock source about a second after it has booted.
    result["environment"] = describe_environment(options.producer_cpu, options.consumer_cpu);
    result["environment"]["pause_p50"] = pause;
    result["environment"]["spin"] = to_string(options.spin);
    result["environment"]["period_us"] = options.period_us;
    result["environment"]["consumer_pinned"] = stage.pinned;
    report(measurement, before, after, std::move(result));
}

void measure_in_turn(const std::string &name, Options &options, std::optional<Spin> spin, Rounds &rounds,
                     const MakeContenders &make) {
    lock_memory(name);
    options.spin = spin.value_or(spin_for(cost_of_pause()));
    Deadline deadline(time_to_begin);
    const std::vector<Contender> contenders = make(options, deadline);
    rounds.samples = options.samples;
    rounds.warmup = options.warmup;
    rounds.period_us = options.period_us;
    rounds.producer_cpu = options.producer_cpu;
    rounds.consumer_cpu = options.consumer_cpu;
    rounds.most_repeats = rounds.rounds;
    // Each series has a floor after it, and the first one before it; some are measured again.
    const std::size_t series = contenders.size() * static_cast<std::size_t>(rounds.rounds);
    const std::chrono::seconds allowed =
        allowed_time(options, 2 * (series + static_cast<std::size_t>(rounds.most_repeats)) + 1);
    deadline = Deadline(allowed);
    interrupt_after(allowed);
    json result = interleave(contenders, rounds, deadline);
    result["environment"]["spin"] = to_string(options.spin);
    if (!options.output.empty()) {
        write_json(std::filesystem::path(options.output) / "result.json", result);
    }
}

/// Reads the command line, calls @p body, and turns what it throws into one line and an exit status.
int status_of(CLI::App &app, int argc, char **argv, const std::function<void()> &body) {
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        body();
        return 0;
    } catch (const DeadlinePassed &error) {
        fmt::print(stderr, "{}: {}\n", app.get_name(), error.what());
        return 3;
    } catch (const std::exception &error) {
        fmt::print(stderr, "{}: {}\n", app.get_name(), error.what());
        return 1;
    }
}

} // namespace

int run(const Stage &stage, int argc, char **argv, const std::function<void(Measurement &)> &measure) {
    Options options;
    std::optional<Spin> spin;
    CLI::App app(stage.description, stage.name);
    add_options(app, options, spin);
    return status_of(app, argc, argv, [&] { measure_between_floors(stage, options, spin, measure); });
}

int run_interleaved(const std::string &name, const std::string &description, int argc, char **argv,
                    const MakeContenders &make) {
    Options options;
    std::optional<Spin> spin;
    Rounds rounds;
    CLI::App app(description, name);
    add_options(app, options, spin);
    app.add_option("--rounds", rounds.rounds, "how often each is measured")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    return status_of(app, argc, argv, [&] { measure_in_turn(name, options, spin, rounds, make); });
}

} // namespace ladder
