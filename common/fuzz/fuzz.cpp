// SPDX-License-Identifier: MIT
/// @file
/// hft-fuzz: two processes on two CPUs make random calls at the device, and what they come to is counted and
/// judged. A run fails on any outcome that <linux/hft.h> does not allow, on a success path that was hardly
/// taken (a million EINVALs prove nothing), and on a device that is not as good as new afterwards.
///
///     hft-fuzz --stage 3 --seconds 600                      a run; prints its seed first
///     hft-fuzz --stage 3 --seed S --calls N                 the same choices, as often as one likes
///     hft-fuzz --stage 3 --seed S --worker 1 --first F --calls N   one worker alone, from a step on
///
/// A choice depends on the seed and the number of the step alone. How the calls of the two CPUs meet does not
/// replay: a race takes some runs of the same seed.
///
/// Leaks are looked for between the middle and the end of a run: by then every cache is full.

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <new>
#include <stdexcept>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/deadline.hpp"
#include "common/device.hpp"
#include "common/fuzz/checks.hpp"
#include "common/fuzz/worker.hpp"
#include "common/tsc.hpp"

namespace {

using ladder::Deadline;
using ladder::hft_ctl;
using namespace ladder::fuzz;
using std::chrono::milliseconds;

struct Options {
    int stage = 3;
    std::uint64_t seconds = 30;
    std::uint64_t calls = 0; // 0: until the time is over
    std::uint64_t first = 0;
    std::uint64_t seed = 0;
    std::uint64_t least = 1000;
    int worker = -1; // both
    std::string output;
};

/// In memory that all the processes share.
Record &shared_record(int stage) {
    void *const memory =
        mmap(nullptr, sizeof(Record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::runtime_error("no memory to count in");
    }
    return *new (memory) Record(stage);
}

/// Part of a run, after which nothing runs.
struct Round {
    std::array<std::uint64_t, 2> first;
    std::uint64_t count; // steps of each worker
    milliseconds time;
};

pid_t start_worker(const Options &options, Record &record, int worker, const Round &round) {
    std::fflush(stdout);
    const pid_t process = fork();
    if (process != 0) {
        return process;
    }
    try {
        State state{.record = record, .seed = options.seed, .worker = worker};
        settle(state, worker);
        make_steps(state, round.first[static_cast<std::size_t>(worker)], round.count);
    } catch (const std::exception &error) {
        record.complain(error.what());
        _exit(1);
    }
    _exit(0);
}

/// Waits for both workers: until they are done, or for the time of the round and a while. @returns the
/// seconds
void wait_for(Record &record, std::array<pid_t, 2> workers, milliseconds time) {
    const Deadline end(time);
    const Deadline patience(time + std::chrono::seconds(60));
    Deadline word(std::chrono::seconds(10));
    const auto running = [&] { return workers[0] > 0 || workers[1] > 0; };
    while (running()) {
        std::this_thread::sleep_for(milliseconds(20));
        if (end.passed()) {
            record.set_ending(true);
        }
        if (word.passed()) {
            fmt::print("hft-fuzz: {} calls; worker 0 at step {}, worker 1 at step {}\n", record.total(),
                       record.step(0).load(), record.step(1).load());
            std::fflush(stdout);
            word = Deadline(std::chrono::seconds(10));
        }
        for (int worker = 0; worker < 2; ++worker) {
            pid_t &process = workers[static_cast<std::size_t>(worker)];
            int status = 0;
            here = {.worker = worker, .child = false, .step = record.step(worker)};
            if (process > 0 && waitpid(process, &status, WNOHANG) == process) {
                process = 0;
                if (status != 0) {
                    record.complain(fmt::format("the worker ended with wait status {:#x}", status));
                }
            } else if (process > 0 && patience.passed()) {
                record.complain("the worker hangs");
                kill(process, SIGKILL);
                process = 0; // one that hangs in the kernel cannot be waited for
            }
        }
    }
    record.set_ending(false);
}

void run_round(const Options &options, Record &record, const Round &round) {
    std::array<pid_t, 2> workers{};
    for (int worker = 0; worker < 2; ++worker) {
        if (options.worker < 0 || options.worker == worker) {
            workers[static_cast<std::size_t>(worker)] = start_worker(options, record, worker, round);
        }
    }
    wait_for(record, workers, round.time);
    if (options.stage >= 1) {
        hft_ctl(HFT_CTL_STOP);
    }
}

/// The step from which the next round goes on: there a worker holds nothing.
std::uint64_t next_begin(std::uint64_t step) {
    return (step / steps_per_mood + 1) * steps_per_mood;
}

std::vector<Check> run(const Options &options, Record &record) {
    if (options.stage >= 1) {
        ladder::hft_ctl_or_throw("set the device up", HFT_CTL_SETUP);
    }
    const std::uint64_t workers = options.worker < 0 ? 2 : 1;
    const bool by_time = options.calls == 0;
    // Half of the steps, rounded up to where moods change, so that both rounds together replay as one.
    const std::uint64_t half = by_time ? UINT64_MAX : next_begin(options.calls / workers / 2);
    const milliseconds time = by_time ? milliseconds(options.seconds * 500) : milliseconds(1000) * 86'400;

    run_round(options, record, {{options.first, options.first}, half, time});
    const Memory middle = measure_memory(options.stage);
    const std::array<std::uint64_t, 2> second{next_begin(record.step(0)), next_begin(record.step(1))};
    // In the first half they are what they are; now consumers come and go faster.
    shorten_grace_periods(true);
    run_round(options, record, {second, half, time});
    shorten_grace_periods(false);

    std::vector<Check> checks = record.check_paths(options.least);
    for (const Check &check : check_memory(middle, measure_memory(options.stage))) {
        checks.push_back(check);
    }
    for (const Check &check : check_device(options.stage)) {
        checks.push_back(check);
    }
    checks.push_back(check_kmemleak());
    checks.push_back({"every outcome was allowed",
                      record.complaints() == 0 ? Check::Result::passed : Check::Result::failed,
                      fmt::format("{} complaints", record.complaints())});
    return checks;
}

const char *word_for(Check::Result result) {
    return result == Check::Result::passed   ? "passed"
           : result == Check::Result::failed ? "FAILED"
                                             : "skipped";
}

void write_json(const Options &options, const Record &record, double seconds,
                const std::vector<Check> &checks, bool good) {
    nlohmann::ordered_json json{{"stage", options.stage},
                                {"seed", std::to_string(options.seed)},
                                {"seconds", seconds},
                                {"calls_in_all", record.total()},
                                {"least", options.least},
                                {"calls", record.to_json()},
                                {"verdict", good ? "passed" : "failed"},
                                {"checks", nlohmann::ordered_json::array()}};
    for (const Check &check : checks) {
        json["checks"].push_back(
            {{"name", check.name}, {"result", word_for(check.result)}, {"detail", check.detail}});
    }
    std::ofstream file(options.output + "/fuzz.json");
    file << json.dump(2) << '\n';
    if (!file.flush()) {
        throw std::runtime_error("cannot write " + options.output + "/fuzz.json");
    }
}

/// A guest that has just booted may not have any randomness yet; the clocks of no two boots agree.
std::uint64_t new_seed() {
    std::uint64_t seed = 0;
    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed)) {
        const auto now = std::chrono::system_clock::now().time_since_epoch().count();
        seed = mix(ladder::tsc_now(), static_cast<std::uint64_t>(now), 0);
    }
    return seed;
}

int fuzz(const Options &options) {
    fmt::print("hft-fuzz: stage {}, seed {}, a success path is taken at least {} times\n", options.stage,
               options.seed, options.least);
    prepare_checks();
    Record &record = shared_record(options.stage);
    const auto begun = std::chrono::steady_clock::now();
    const std::vector<Check> checks = run(options, record);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun;

    record.print();
    bool good = true;
    for (const Check &check : checks) {
        good = good && check.result != Check::Result::failed;
        if (check.result != Check::Result::passed) {
            fmt::print("{} {}: {}\n", word_for(check.result), check.name, check.detail);
        }
    }
    fmt::print("hft-fuzz: {} calls in {:.0f} s, seed {}: {}\n", record.total(), seconds.count(), options.seed,
               good ? "passed" : "FAILED");
    if (!options.output.empty()) {
        write_json(options, record, seconds.count(), checks, good);
    }
    return good ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
    Options options;
    options.seed = new_seed();
    CLI::App app("Random calls at /dev/hft, from two processes on two CPUs.", "hft-fuzz");
    app.add_option("--stage", options.stage, "which stage's kernel this is")
        ->check(CLI::Range(0, 3))
        ->capture_default_str();
    app.add_option("--seconds", options.seconds, "how long to make calls")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    app.add_option("--calls", options.calls,
                   "end after this many steps in all instead, half of them in each worker");
    app.add_option("--seed", options.seed, "where all choices come from; default: a new one, printed");
    app.add_option("--worker", options.worker, "only this one of the two workers")->check(CLI::Range(0, 1));
    app.add_option("--first", options.first, "the step to begin with");
    app.add_option("--least", options.least, "how often each success path has to be taken")
        ->capture_default_str();
    app.add_option("--output", options.output, "folder for fuzz.json")->check(CLI::ExistingDirectory);
    CLI11_PARSE(app, argc, argv);
    try {
        return fuzz(options);
    } catch (const std::exception &error) {
        fmt::print(stderr, "hft-fuzz: {}\n", error.what());
        return 1;
    }
}
