// SPDX-License-Identifier: MIT
/// @file
/// `make bench`: the user-space ring beside the best of the field, natively. Throughput one at a time and in
/// spans, and the round trip over two rings.
///
/// The rings take turns, series by series, and the floor (a ping-pong through one line) is measured between
/// any two series: on a host whose CPUs change places, a series belongs to the regime that the floor shows
/// before and after it, and is compared with series of that regime only. A series is left out, and counted,
/// for two reasons, none of which is its own result: the floor before and after it disagree, or the kernel
/// took one of its two threads off the CPU (then it has measured the scheduler).

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "common/affinity.hpp"
#include "common/bench/peers.hpp"
#include "common/deadline.hpp"
#include "common/environment.hpp"
#include "common/floor.hpp"
#include "common/statistics.hpp"
#include "common/tsc.hpp"

namespace {

using ladder::Cycles;
using ladder::Deadline;
using nlohmann::json;

struct Options {
    int rounds = 120;
    // A series is short, so that most end before the kernel wants the CPU for something else.
    std::uint64_t messages = 20'000;
    std::uint64_t round_trips = 1'000;
    int producer_cpu = 0;
    int consumer_cpu = 1;
    unsigned int deadline_s = 170;
    std::string json_file;
    std::string commit = "unknown";
};

/// A throughput is the median of windows of so many messages: four laps of the ring.
constexpr std::uint64_t window = 4096;

/// Where the two CPUs are, by the round trip of the floor in cycles: this host shows about 200, 340 and
/// 1,200.
enum Regime : int { near, middle, far, mixed };
constexpr std::array<const char *, 4> regime_names{"near", "middle", "far", "mixed"};

Regime regime_of(Cycles floor) {
    return floor < 270 ? near : floor < 700 ? middle : far;
}

/// One series. Of a throughput, p50 is cycles per message and p99 does not exist.
struct Result {
    double p50 = 0;
    double p99 = 0;
    bool disturbed = false;
};

/// How often the kernel took the calling thread off its CPU.
long times_off_cpu() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw + usage.ru_nvcsw;
}

/// Runs both on their CPUs, starting together. @returns whether one was interrupted
bool run_pair(const Options &options, const std::function<void()> &produce,
              const std::function<void()> &consume) {
    std::atomic<int> ready{0};
    std::atomic<bool> disturbed{false};
    std::array<std::exception_ptr, 2> failed;
    const auto thread = [&](int cpu, const std::function<void()> &body, std::exception_ptr &failure) {
        try {
            ladder::pin_to_cpu(cpu);
            ++ready;
            while (ready < 2) {
                std::this_thread::yield();
            }
            const long before = times_off_cpu();
            body();
            if (times_off_cpu() != before) {
                disturbed = true;
            }
        } catch (...) {
            ready = 2; // do not keep the other one waiting
            failure = std::current_exception();
        }
    };
    std::thread producer(thread, options.producer_cpu, std::cref(produce), std::ref(failed[0]));
    std::thread consumer(thread, options.consumer_cpu, std::cref(consume), std::ref(failed[1]));
    producer.join();
    consumer.join();
    for (const std::exception_ptr &failure : failed) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    }
    return disturbed;
}

void check(std::uint64_t errors) {
    if (errors != 0) {
        throw std::runtime_error("a message is wrong: lost, repeated or torn");
    }
}

/// The loops below have their variables to themselves: one that both threads touch would cost a cache line.
class Windows {
public:
    explicit Windows(std::uint64_t messages) { cycles_.reserve(messages / window + 1); }
    void received(std::uint64_t messages) {
        if (messages - counted_ >= window) {
            const Cycles now = ladder::tsc_now();
            cycles_.push_back(static_cast<double>(now - start_) / static_cast<double>(messages - counted_));
            counted_ = messages;
            start_ = now;
        }
    }
    double median() { return ladder::median(std::move(cycles_)); }

private:
    std::vector<double> cycles_;
    std::uint64_t counted_ = 0;
    Cycles start_ = ladder::tsc_now();
};

template <class Ring, class T>
Result one_at_a_time(const Options &options, const Deadline &deadline) {
    auto shared = std::make_unique<Ring>();
    Result result;
    const auto produce = [&ring = *shared, messages = options.messages, deadline] {
        typename Ring::Producer producer(ring);
        for (std::uint64_t number = 1; number <= messages; ++number) {
            T message;
            message.fill(number);
            ladder::spin_until([&] { return producer.push(message); }, ladder::Spin::plain, deadline,
                               "room in a ring");
        }
    };
    const auto consume = [&result, &ring = *shared, messages = options.messages, deadline] {
        typename Ring::Consumer consumer(ring);
        Windows windows(messages);
        std::uint64_t errors = 0;
        for (std::uint64_t number = 1; number <= messages; ++number) {
            T message;
            ladder::spin_until([&] { return consumer.pop(message); }, ladder::Spin::plain, deadline,
                               "a message");
            errors |= message.differs(number);
            windows.received(number);
        }
        check(errors);
        result.p50 = windows.median();
    };
    result.disturbed = run_pair(options, produce, consume);
    return result;
}

template <class Ring>
Result in_spans(const Options &options, const Deadline &deadline, std::size_t length) {
    auto shared = std::make_unique<Ring>();
    Result result;
    const auto produce = [&ring = *shared, messages = options.messages, deadline, length] {
        typename Ring::Producer producer(ring);
        for (std::uint64_t done = 0; done < messages;) {
            ladder::spin_until(
                [&] {
                    const std::size_t count = producer.write(
                        done + 1, static_cast<std::size_t>(std::min<std::uint64_t>(length, messages - done)));
                    done += count;
                    return count != 0;
                },
                ladder::Spin::plain, deadline, "room in a ring");
        }
    };
    const auto consume = [&result, &ring = *shared, messages = options.messages, deadline, length] {
        typename Ring::Consumer consumer(ring);
        Windows windows(messages);
        std::uint64_t errors = 0;
        for (std::uint64_t done = 0; done < messages;) {
            ladder::spin_until(
                [&] {
                    const std::size_t count = consumer.read(done + 1, length, errors);
                    done += count;
                    return count != 0;
                },
                ladder::Spin::plain, deadline, "a message");
            windows.received(done);
        }
        check(errors);
        result.p50 = windows.median();
    };
    result.disturbed = run_pair(options, produce, consume);
    return result;
}

template <class Ring, class T>
Result round_trip(const Options &options, const Deadline &deadline) {
    auto there = std::make_unique<Ring>();
    auto back = std::make_unique<Ring>();
    Result result;
    const auto lead = [&, trips = options.round_trips] {
        typename Ring::Producer out(*there);
        typename Ring::Consumer in(*back);
        std::vector<Cycles> cycles;
        cycles.reserve(trips);
        std::uint64_t errors = 0;
        for (std::uint64_t number = 1; number <= trips; ++number) {
            T message;
            const Cycles start = ladder::tsc_now();
            message.fill(number);
            ladder::spin_until([&] { return out.push(message); }, ladder::Spin::plain, deadline, "room");
            ladder::spin_until([&] { return in.pop(message); }, ladder::Spin::plain, deadline, "the answer");
            cycles.push_back(ladder::tsc_now() - start);
            errors |= message.differs(number);
        }
        check(errors);
        const ladder::Summary summary = ladder::summarize(std::move(cycles));
        result.p50 = static_cast<double>(summary.p50);
        result.p99 = static_cast<double>(summary.p99);
    };
    const auto follow = [&, trips = options.round_trips] {
        typename Ring::Consumer in(*there);
        typename Ring::Producer out(*back);
        for (std::uint64_t number = 1; number <= trips; ++number) {
            T message;
            ladder::spin_until([&] { return in.pop(message); }, ladder::Spin::plain, deadline,
                               "the question");
            ladder::spin_until([&] { return out.push(message); }, ladder::Spin::plain, deadline, "room");
        }
    };
    result.disturbed = run_pair(options, lead, follow);
    return result;
}

/// One row of the table: a way to use a ring, at one message size.
struct Row {
    std::size_t bytes;
    std::string use;  ///< "one at a time", "spans of 32", "spans of 256", "round trip"
    std::string ring; ///< and how it is used, if there are two ways
    std::function<Result(const Options &, const Deadline &)> measure;
    std::map<Regime, std::vector<Result>> series; ///< those that count
    std::map<Regime, std::vector<double>> floors; ///< round trips of the floor around them
    int disturbed = 0;
    int moved = 0;

    /// Of all series in the regime, in ascending order; none if there are too few to say anything.
    std::vector<double> sorted(Regime regime, double Result::*which) const {
        const auto found = series.find(regime);
        std::vector<double> values;
        if (found != series.end() && found->second.size() >= 3) {
            for (const Result &result : found->second) {
                values.push_back(result.*which);
            }
        }
        std::sort(values.begin(), values.end());
        return values;
    }

    std::optional<double> figure(Regime regime, double Result::*which) const {
        std::vector<double> values = sorted(regime, which);
        if (values.empty()) {
            return std::nullopt;
        }
        return ladder::median(std::move(values));
    }

    /// The figure's 95 % confidence interval; of a few series it is from the smallest to the largest.
    std::array<double, 2> interval(Regime regime, double Result::*which) const {
        const std::vector<double> values = sorted(regime, which);
        const ladder::RankInterval ranks = ladder::rank_interval(values.size(), ladder::p50);
        return {values.at(ranks.low.value_or(1) - 1), values.at(ranks.high.value_or(values.size()) - 1)};
    }
};

const char *const ours = "SpscRing";
const char *const rte_burst = "rte_ring burst";
const char *const rte_zero_copy = "rte_ring zero-copy";

template <std::size_t words>
void add_rows(std::vector<Row> &rows) {
    using T = bench::Message<words>;
    const auto add = [&rows](std::string use, std::string ring, auto measure) {
        rows.push_back({sizeof(T), std::move(use), std::move(ring), measure, {}, {}, 0, 0});
    };
    add("one at a time", ours, one_at_a_time<bench::Ours<T>, T>);
    add("one at a time", "boost spsc_queue", one_at_a_time<bench::Boost<T>, T>);
    add("one at a time", "moodycamel", one_at_a_time<bench::Moodycamel<T>, T>);
    add("one at a time", "rte_ring", one_at_a_time<bench::RteRing<T>, T>);
    for (const std::size_t length : {std::size_t{32}, std::size_t{256}}) {
        const std::string use = "spans of " + std::to_string(length);
        const auto spans = [length](auto measure) {
            return [length, measure](const Options &options, const Deadline &deadline) {
                return measure(options, deadline, length);
            };
        };
        add(use, ours, spans(in_spans<bench::Ours<T>>));
        add(use, "boost spsc_queue", spans(in_spans<bench::Boost<T>>));
        add(use, rte_burst, spans(in_spans<bench::RteRing<T>>));
        add(use, rte_zero_copy, spans(in_spans<bench::RteRingZeroCopy<T>>));
    }
    add("round trip", ours, round_trip<bench::Ours<T>, T>);
    add("round trip", "boost spsc_queue", round_trip<bench::Boost<T>, T>);
    add("round trip", "moodycamel", round_trip<bench::Moodycamel<T>, T>);
    add("round trip", "rte_ring", round_trip<bench::RteRing<T>, T>);
}

/// The round trip of the floor, in cycles.
Cycles floor_now(const Options &options, const Deadline &deadline) {
    return 2 * ladder::measure_floor(options.producer_cpu, options.consumer_cpu, 1,
                                     std::chrono::microseconds(50), 0, deadline)
                   .half_round_trip_p50;
}

/// All rows in turn. It ends early, with what there is, when two thirds of the time have passed.
int measure(std::vector<Row> &rows, const Options &options, const Deadline &deadline) {
    const Deadline enough(std::chrono::milliseconds(std::uint64_t{options.deadline_s} * 667));
    const bool terminal = isatty(STDERR_FILENO) == 1;
    Cycles before = floor_now(options, deadline);
    int rounds = 0;
    for (; rounds < options.rounds && !enough.passed(); ++rounds) {
        for (Row &row : rows) {
            const Result result = row.measure(options, deadline);
            const Cycles after = floor_now(options, deadline);
            const Regime regime = regime_of(before) == regime_of(after) ? regime_of(after) : mixed;
            if (result.disturbed) {
                ++row.disturbed;
            } else if (regime == mixed) {
                ++row.moved;
            } else {
                row.series[regime].push_back(result);
                row.floors[regime].push_back(static_cast<double>(before + after) / 2);
            }
            before = after;
        }
        if (terminal || (rounds + 1) % 20 == 0) {
            fmt::print(stderr, "{}round {} of {}{}", terminal ? "\r" : "  ", rounds + 1, options.rounds,
                       terminal ? "" : "\n");
            std::fflush(stderr);
        }
    }
    if (terminal) {
        fmt::print(stderr, "\n");
    }
    return rounds;
}

/// A goal: a ratio in one regime.
struct Goal {
    std::string name;
    double wanted;
    bool at_least;
    std::optional<double> found; ///< nothing if one of the two has too few series in this regime
    bool reached() const { return found && (at_least ? *found >= wanted : *found <= wanted); }
};

const Row *find(const std::vector<Row> &rows, std::size_t bytes, const std::string &use,
                const std::string &ring) {
    for (const Row &row : rows) {
        if (row.bytes == bytes && row.use == use && row.ring == ring) {
            return &row;
        }
    }
    return nullptr;
}

/// The smallest figure of the other rings, all of which must have one.
std::optional<double> best_peer(const std::vector<Row> &rows, std::size_t bytes, const std::string &use,
                                Regime regime, double Result::*which) {
    std::optional<double> best;
    for (const Row &row : rows) {
        if (row.bytes == bytes && row.use == use && row.ring != ours) {
            const auto figure = row.figure(regime, which);
            if (!figure) {
                return std::nullopt;
            }
            best = std::min(best.value_or(*figure), *figure);
        }
    }
    return best;
}

std::vector<Goal> compare(const std::vector<Row> &rows, Regime regime) {
    std::vector<Goal> goals;
    const auto add = [&](const std::string &name, double wanted, bool at_least, std::optional<double> above,
                         std::optional<double> below) {
        if (above && below) {
            goals.push_back({name, wanted, at_least, *above / *below});
        } else if (above || below) {
            goals.push_back({name, wanted, at_least, std::nullopt});
        }
    };
    const auto own = [&](std::size_t bytes, const char *use, double Result::*which) {
        return find(rows, bytes, use, ours)->figure(regime, which);
    };
    add("16 bytes, one at a time: messages per second, to the best other", 3.0, true,
        best_peer(rows, 16, "one at a time", regime, &Result::p50), own(16, "one at a time", &Result::p50));
    for (const std::size_t bytes : {std::size_t{16}, std::size_t{64}}) {
        for (const char *use : {"spans of 32", "spans of 256"}) {
            for (const char *peer : {rte_burst, rte_zero_copy}) {
                add(fmt::format("{} bytes, {}: messages per second, to {}", bytes, use, peer),
                    bytes == 16 ? 2.0 : 1.3, true, find(rows, bytes, use, peer)->figure(regime, &Result::p50),
                    own(bytes, use, &Result::p50));
            }
        }
    }
    add("16 bytes, round trip: P50, to the best other", 0.7, false, own(16, "round trip", &Result::p50),
        best_peer(rows, 16, "round trip", regime, &Result::p50));
    add("16 bytes, round trip: P99, to the best other", 0.7, false, own(16, "round trip", &Result::p99),
        best_peer(rows, 16, "round trip", regime, &Result::p99));
    const Row &trip = *find(rows, 16, "round trip", ours);
    if (const auto floors = trip.floors.find(regime); floors != trip.floors.end()) {
        add("16 bytes, round trip: P50, to the floor", 1.2, false, trip.figure(regime, &Result::p50),
            ladder::median(floors->second));
    }
    return goals;
}

void print_rows(const std::vector<Row> &rows, double cycles_per_us) {
    fmt::print("{:<6} {:<14} {:<19} {:<7} {:>6} {:>9} {:<17} {:>6} {:>9} {:>9} {:>6}\n", "bytes", "use",
               "ring", "regime", "series", "cycles", "[95 % interval]", "P99", "mill./s", "disturbed",
               "moved");
    for (const Row &row : rows) {
        for (const Regime regime : {near, middle, far}) {
            const auto p50 = row.figure(regime, &Result::p50);
            if (!p50) {
                continue;
            }
            const bool trip = row.use == "round trip";
            const auto [low, high] = row.interval(regime, &Result::p50);
            fmt::print("{:<6} {:<14} {:<19} {:<7} {:>6} {:>9.1f} {:<17} {:>6} {:>9} {:>9} {:>6}\n", row.bytes,
                       row.use, row.ring, regime_names.at(regime), row.series.at(regime).size(), *p50,
                       fmt::format("[{:.1f}, {:.1f}]", low, high),
                       trip ? fmt::format("{:.0f}", *row.figure(regime, &Result::p99)) : "",
                       trip ? "" : fmt::format("{:.1f}", cycles_per_us / *p50), row.disturbed, row.moved);
        }
    }
}

json to_json(const Row &row) {
    json result{{"bytes", row.bytes},        {"use", row.use},
                {"ring", row.ring},          {"deferred_publication", false},
                {"moved", row.moved},        {"regimes", json::object()},
                {"disturbed", row.disturbed}};
    for (const auto &[regime, series] : row.series) {
        json &entry = result["regimes"][regime_names.at(regime)];
        entry["floor_rtt"] = row.floors.at(regime);
        if (const auto figure = row.figure(regime, &Result::p50)) {
            entry["cycles"] = *figure;
            entry["cycles_ci"] = row.interval(regime, &Result::p50);
            if (row.use == "round trip") {
                entry["cycles_p99"] = *row.figure(regime, &Result::p99);
            }
        }
        for (const Result &one : series) {
            entry["p50"].push_back(one.p50);
            if (row.use == "round trip") {
                entry["p99"].push_back(one.p99);
            }
        }
    }
    return result;
}

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::array<char, 32> text{};
    std::tm parts{};
    gmtime_r(&now, &parts);
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

void run(const Options &options) {
    const Deadline deadline(std::chrono::seconds(options.deadline_s));
    std::vector<Row> rows;
    add_rows<2>(rows);
    add_rows<8>(rows);
    json result{{"schema", 1},
                {"environment", ladder::describe_environment(options.producer_cpu, options.consumer_cpu)}};
    json &environment = result["environment"];
    environment["host_cpu"] = environment["guest_cpu"];
    environment.erase("guest_cpu"); // there is no guest
    environment.update({{"compiler", BENCH_COMPILER},
                        {"commit", options.commit},
                        {"time", utc_now()},
                        {"producer_cpu", options.producer_cpu},
                        {"consumer_cpu", options.consumer_cpu}});

    const int rounds = measure(rows, options, deadline);
    const double cycles_per_us = environment["tsc_khz"].get<double>() / 1000;
    fmt::print(
        "Cycles per message (median over the series, each the median of windows of {} messages), or per "
        "round\n"
        "trip (each series' P50; P99 beside it). Rings of {} places; every message checked; no ring "
        "publishes later than its call returns.\n",
        window, bench::places);
    print_rows(rows, cycles_per_us);

    result.update({{"rounds", rounds}, {"messages", options.messages}, {"round_trips", options.round_trips}});
    int reached = 0;
    int compared = 0;
    for (const Regime regime : {near, middle, far}) {
        const std::vector<Goal> goals = compare(rows, regime);
        if (std::none_of(goals.begin(), goals.end(),
                         [](const Goal &goal) { return goal.found.has_value(); })) {
            continue; // the CPUs were hardly ever there
        }
        fmt::print("\nGoals, CPUs {}:\n", regime_names.at(regime));
        for (const Goal &goal : goals) {
            compared += goal.found ? 1 : 0;
            reached += goal.reached() ? 1 : 0;
            fmt::print("  {:<74} {:>6}  {} {:.2f}x  {}\n", goal.name,
                       goal.found ? fmt::format("{:.2f}x", *goal.found) : "",
                       goal.at_least ? "at least" : "at most ", goal.wanted,
                       !goal.found      ? "not measured: too few series"
                       : goal.reached() ? "reached"
                                        : "MISSED");
            result["goals"].push_back({{"regime", regime_names.at(regime)},
                                       {"name", goal.name},
                                       {"wanted", goal.wanted},
                                       {"at_least", goal.at_least},
                                       {"found", goal.found ? json(*goal.found) : json(nullptr)},
                                       {"reached", goal.reached()}});
        }
    }
    for (const Row &row : rows) {
        result["rows"].push_back(to_json(row));
    }
    result["finding"] =
        fmt::format("{} of the {} goals that could be measured are reached", reached, compared);
    fmt::print("\nFound: {}, in {} rounds ({}, Linux {}, {}; commit {}).\n",
               result["finding"].get<std::string>(), rounds, environment["host_cpu"].get<std::string>(),
               environment["kernel"].get<std::string>(), BENCH_COMPILER, options.commit);
    if (!options.json_file.empty()) {
        std::ofstream out(options.json_file);
        out << result.dump() << '\n';
        out.close();
        if (!out) {
            throw std::runtime_error("cannot write " + options.json_file);
        }
    }
}

} // namespace

int main(int argc, char **argv) {
    Options options;
    CLI::App app("Times the user-space ring beside others.");
    app.add_option("--rounds", options.rounds, "series per row")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--messages", options.messages, "messages per series of a throughput")
        ->check(CLI::Range(std::uint64_t{window}, std::uint64_t{100'000'000}))
        ->capture_default_str();
    app.add_option("--round-trips", options.round_trips, "round trips per series")
        ->check(CLI::Range(std::uint64_t{100}, std::uint64_t{10'000'000}))
        ->capture_default_str();
    app.add_option("--producer-cpu", options.producer_cpu)->check(CLI::Range(0, 4095))->capture_default_str();
    app.add_option("--consumer-cpu", options.consumer_cpu)->check(CLI::Range(0, 4095))->capture_default_str();
    app.add_option("--deadline", options.deadline_s,
                   "seconds for everything; no round begins after two thirds of it")
        ->check(CLI::Range(10U, 100'000U))
        ->capture_default_str();
    app.add_option("--json", options.json_file, "file for all figures");
    app.add_option("--commit", options.commit, "what the result says it was built from");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        run(options);
        return 0;
    } catch (const ladder::DeadlinePassed &error) {
        fmt::print(stderr, "ring-bench: {}\n", error.what());
        return 3;
    } catch (const std::exception &error) {
        fmt::print(stderr, "ring-bench: {}\n", error.what());
        return 1;
    }
}
