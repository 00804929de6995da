// SPDX-License-Identifier: MIT
/// @file
/// Where the cycles go (`make budget`): the way of a message through read(), and through the ring, in parts
/// that add up to the whole; what it costs to look; and why the latest messages of the ring are late.
///
/// Whether a message's moments are written down is drawn by lot, message by message: with and without them
/// the host has the same moods. (In turn would not do: what comes every fourth message, such as a tick of the
/// kernel's, would always meet the same half.)

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "common/affinity.hpp"
#include "common/measure/budget_report.hpp"
#include "common/measure/floors.hpp"
#include "common/measure/instruments.hpp"
#include "common/measure/program.hpp"
#include "common/measure/ring_reader.hpp"
#include "common/measure/watcher.hpp"
#include "common/result.hpp"
#include "common/series.hpp"
#include "common/table.hpp"
#include "common/tsc.hpp"

using namespace ladder;
using nlohmann::json;

namespace {

double middle(const std::vector<Cycles> &values) {
    return static_cast<double>(median(values));
}

/// What is known of a message when the next one has come.
struct Received {
    std::uint64_t sequence = 0;
    Cycles stamped = 0;
    Cycles at = 0;
};

/// Whether to write down the moments of the next message, drawn by lot.
class Lot {
public:
    /// @param hops  what to switch; it has to outlive this
    explicit Lot(const Hops &hops) : hops_(hops) {}
    /// Draws. It calls the kernel each time, so that both outcomes disturb alike.
    void draw() { hops_.write_down(coin_(random_)); }

private:
    const Hops &hops_;
    std::minstd_rand random_{1}; // the same lots in each run
    std::bernoulli_distribution coin_{0.5};
};

/// The messages of one series, with and without their moments.
class Sorter {
public:
    /// @param moments  which moments make the way's budget, the last one left out: the message's arrival
    Sorter(Way &way, const Hops &hops, std::vector<Cycles Moments::*> moments)
        : way_(way), hops_(hops), moments_(std::move(moments)) {}

    /// Takes a message. Only when the next one has come are all its moments sure to be written down.
    void take(const Received &message) {
        finish();
        last_ = message;
    }

    /// Takes what is left, and the series' counts.
    void end(const Series &series) {
        finish();
        way_.lost += series.missing();
        way_.stamp_errors += series.stamp_errors();
        if (with_.empty() || without_.empty()) {
            return; // a handful of samples: the lot may fall on one side
        }
        way_.ratio_p50.values.push_back(middle(with_) / middle(without_));
        way_.ratio_mean.values.push_back(mean(with_) / mean(without_));
        way_.difference_p50.values.push_back(middle(with_) - middle(without_));
        way_.with.insert(way_.with.end(), with_.begin(), with_.end());
        way_.without.insert(way_.without.end(), without_.begin(), without_.end());
    }

private:
    void finish() {
        if (last_.sequence == 0) {
            return;
        }
        const Cycles latency = last_.at - last_.stamped;
        const std::optional<Moments> moments = hops_.of(last_.sequence);
        if (moments) {
            with_.push_back(latency);
            add(*moments);
        } else {
            without_.push_back(latency);
        }
        last_ = {};
    }

    void add(const Moments &moments) {
        std::vector<Cycles> all;
        for (const auto moment : moments_) {
            all.push_back(moments.*moment);
        }
        if (std::count(all.begin(), all.end(), Cycles{0}) != 0) {
            ++way_.incomplete;
            return;
        }
        all.push_back(last_.at);
        way_.budget.add(all);
        way_.before.add(std::array{moments.interrupt, moments.stamped});
    }

    Way &way_;
    const Hops &hops_;
    std::vector<Cycles Moments::*> moments_;
    Received last_;
    std::vector<Cycles> with_, without_;
};

/// Stage 1: asleep in read(), wherever the scheduler puts it.
void measure_read(Way &way, const Settings &settings, const Deadline &deadline) {
    const Device device;
    const Hops hops(device);
    Sorter sorter(way, hops, {&Moments::stamped, &Moments::handed_over, &Moments::running, &Moments::copied});
    Lot lot(hops);
    Series series(way.name, settings.samples, settings.warmup);
    series.start_after(Device::produced());
    {
        const Simulator simulator(settings.period_us, 1, settings.producer_cpu);
        while (!series.complete()) {
            hft_message message{};
            const ssize_t size = read(device.descriptor(), &message, sizeof(message));
            const Cycles at = tsc_now();
            if (size != sizeof(message)) {
                deadline.check("a message to read");
                throw std::system_error(size < 0 ? errno : EPIPE, std::generic_category(), "no message");
            }
            const std::size_t samples = series.count();
            series.record(message.sequence, message.stamp, at);
            if (series.count() > samples) {
                sorter.take({message.sequence, message.stamp, at});
            }
            lot.draw();
        }
    }
    sorter.end(series);
}

/// Stage 3: polls the slot, on a CPU of its own.
void measure_ring(Way &way, const Settings &settings, const Deadline &deadline) {
    pin_to_cpu(settings.consumer_cpu);
    const Device device;
    const Hops hops(device);
    RingReader ring(device);
    Sorter sorter(way, hops, {&Moments::stamped, &Moments::handed_over});
    Lot lot(hops);
    Series series(way.name, settings.samples, settings.warmup);
    series.start_after(Device::produced());
    {
        const Simulator simulator(settings.period_us, 1, settings.producer_cpu);
        while (!series.complete()) {
            const hft_slot &slot = ring.slot();
            std::uint64_t sequence = 0;
            spin_until(
                [&] {
                    sequence = load_acquire(slot.sequence);
                    return sequence > series.last();
                },
                Spin::plain, deadline, "a message in the ring");
            const Cycles at = tsc_now();
            const Cycles stamp = load_relaxed(slot.stamp);
            ring.release();
            const std::size_t samples = series.count();
            series.record(sequence, stamp, at);
            if (series.count() > samples) {
                sorter.take({sequence, stamp, at});
            }
            lot.draw();
        }
    }
    sorter.end(series);
}

/// The ring once more, with all moments, and with the consumer's gaps.
struct Watched {
    std::vector<Arrival> arrivals;
    Watcher watcher;
};

Watched watch_ring(const Settings &settings, const Deadline &deadline) {
    pin_to_cpu(settings.consumer_cpu);
    const Device device;
    const Hops hops(device);
    RingReader ring(device);
    hops.write_down(true);
    std::uint64_t last = Device::produced();
    constexpr std::size_t most_gaps = 100'000;
    Watched watched{{}, Watcher(most_gaps)};
    std::vector<Arrival> &arrivals = watched.arrivals;
    arrivals.resize(settings.samples); // touched now, not while messages arrive
    arrivals.clear();

    const auto take_store = [&] { // of the message before: by now it is written down
        if (!arrivals.empty()) {
            const std::optional<Moments> moments = hops.of(last);
            arrivals.back().stored = moments ? moments->handed_over : arrivals.back().stamped;
        }
    };
    {
        const Simulator simulator(settings.period_us, 1, settings.producer_cpu);
        for (std::size_t count = 0; arrivals.size() < settings.samples; ++count) {
            const hft_slot &slot = ring.slot();
            const Cycles seen = watched.watcher.wait(slot, last, deadline);
            take_store();
            last = load_acquire(slot.sequence);
            const Cycles stamped = load_relaxed(slot.stamp);
            watched.watcher.keep_since(stamped);
            if (count >= settings.warmup) {
                arrivals.push_back({stamped, 0, seen});
            }
            ring.release();
        }
    }
    take_store();
    return watched;
}

void measure_tail(Tail &tail, const Settings &settings, const Deadline &deadline) {
    const Watched watched = watch_ring(settings, deadline);
    std::vector<Cycles> latencies;
    std::vector<Cycles> stores;
    for (const Arrival &arrival : watched.arrivals) {
        latencies.push_back(arrival.seen - arrival.stamped);
        stores.push_back(arrival.stored - arrival.stamped);
    }
    const Summary summary = summarize(latencies);
    const Usual usual{summary.p50, median(stores)};
    for (const Arrival &arrival : watched.arrivals) {
        const Cycles latency = arrival.seen - arrival.stamped;
        if (latency > summary.p99) {
            tail.late[cause_of(arrival, usual, watched.watcher.gaps())].push_back(latency);
        }
    }
    tail.latency_p50.values.push_back(static_cast<double>(summary.p50));
    tail.p99.values.push_back(static_cast<double>(summary.p99));
    tail.store_p50.values.push_back(static_cast<double>(usual.store));
    tail.reading_p50.values.push_back(static_cast<double>(watched.watcher.reading()));
    tail.totals.add(watched.watcher.totals());
    tail.gaps_not_kept += watched.watcher.not_kept();
    tail.watched_cycles += watched.watcher.watched();
}

json measure(const Settings &settings, const Deadline &deadline) {
    Way read{.name = "stage1-blocking",
             .before = Budget({"interrupt to stamp"}),
             .budget = Budget({"queue and wake-up", "schedule", "copy", "return"})};
    Way ring{.name = "stage3-spsc",
             .before = Budget({"interrupt to stamp"}),
             .budget = Budget({"store", "to the consumer"})};
    Tail tail{.gap_readings = Watcher::not_running};
    Progress progress(settings.rounds, 3);
    Floors floors(settings, std::min(settings.samples, std::size_t{200}), deadline);
    // Measures into a copy: a series that is rejected leaves nothing in the budget.
    const auto in_turn = [&](int round, const std::string &name, auto &all, const auto &measure_into) {
        for (bool again = true; again;) {
            auto with_this = all;
            with_own_affinity([&] { measure_into(with_this, settings, deadline); });
            again = floors.rejects(name, with_this.last());
            if (again) {
                ++all.rejected;
            } else {
                all = std::move(with_this);
                all.floor_moved += floors.moved() ? 1 : 0;
            }
        }
        progress.step(round, name);
    };
    for (int round = 1; round <= settings.rounds; ++round) {
        in_turn(round, read.name, read, measure_read);
        in_turn(round, ring.name, ring, measure_ring);
        in_turn(round, "the tail of " + ring.name, tail, measure_tail);
    }
    json result{{"rows", {to_json(read, settings.rounds), to_json(ring, settings.rounds)}},
                {"tail", to_json(tail, settings.rounds)},
                {"stamp_p50", tsc_stamp_cost().p50},
                {"floors", floors.all()},
                {"rejected", floors.rejected()}};
    result["finding"] = budget_finding(result);
    fmt::print("{}", budget_tables(result));
    return result;
}

} // namespace

int main(int argc, char **argv) {
    return run_program("budget", "Measures where the cycles of a message go.", argc, argv, measure);
}
