// SPDX-License-Identifier: MIT
/// @file
/// When it pours (`make throughput`): bursts of 1 to 4,096 messages a tick, through the doors that one would
/// take for them. What arrives, what is lost, and what a message costs the consumer.
///
/// Here every consumer has a CPU of its own, so that none has to wait for the producer's.

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "common/affinity.hpp"
#include "common/measure/door.hpp"
#include "common/measure/flood.hpp"
#include "common/measure/floors.hpp"
#include "common/measure/program.hpp"
#include "common/measuring.hpp"
#include "common/result.hpp"
#include "common/tsc.hpp"

using namespace ladder;
using nlohmann::json;

namespace {

constexpr std::array<unsigned int, 7> bursts{1, 4, 16, 64, 256, 1024, HFT_BURST_MAX};

/// The doors that are measured, of those that this kernel has.
std::vector<DoorKind> doors() {
    const std::set<std::string> wanted{one_read,  batched_read,   "io_uring", "pipe from a process",
                                       "mailbox", "ring by head", the_ring};
    std::vector<DoorKind> all;
    for (const auto &kinds : {read_doors(), uring_doors(), pipe_doors(), mapped_doors()}) {
        for (const DoorKind &kind : kinds) {
            if (!wanted.contains(kind.name)) {
                continue;
            }
            if (kind.open) {
                all.push_back(kind);
            } else {
                fmt::print(stderr, "  skipped {}: {}\n", kind.name, kind.why_not);
            }
        }
    }
    return all;
}

/// Counts messages by their numbers.
class Counter {
public:
    /// @param last  the number before the first message
    explicit Counter(std::uint64_t last) : last_(last) {}

    void take(std::span<const hft_message> messages) {
        for (const hft_message &message : messages) {
            lost_ += message.sequence - last_ - 1;
            last_ = message.sequence;
            ++arrived_;
        }
    }

    /// Forgets the counts, not the number.
    void restart() { arrived_ = lost_ = 0; }

    std::uint64_t arrived() const { return arrived_; }
    double lost_share() const { return static_cast<double>(lost_) / static_cast<double>(lost_ + arrived_); }

private:
    std::uint64_t last_;
    std::uint64_t arrived_ = 0;
    std::uint64_t lost_ = 0;
};

Flood measure_flood(const DoorKind &kind, unsigned int burst, const Settings &settings, const Place &place,
                    std::uint64_t tsc_khz) {
    pin_to_cpu(settings.consumer_cpu);
    const std::unique_ptr<Door> door = open_door(kind, place);
    std::array<hft_message, HFT_RING_SLOTS> room{};
    const Cycles tick = settings.period_us * tsc_khz / 1000;
    door->start(settings.period_us, burst);
    Counter counter(door->last_before());
    const Taken first = door->take(room); // it has begun
    counter.take(std::span(room).first(first.count));
    counter.restart();
    const CpuTime cpu;
    const Cycles begun = tsc_now();
    const Cycles end = begun + settings.samples * tick;
    Cycles idle = 0;
    Cycles now = begun;
    while (now < end || counter.arrived() == 0) {
        const Taken taken = door->take(room);
        now = tsc_now();
        counter.take(std::span(room).first(taken.count));
        idle += taken.idle;
    }
    const double spent = static_cast<double>(cpu.nanoseconds()) * static_cast<double>(tsc_khz) / 1e6;
    const double seconds = static_cast<double>(now - begun) / (static_cast<double>(tsc_khz) * 1e3);
    const auto arrived = static_cast<double>(counter.arrived());
    return {arrived / seconds, counter.lost_share(),
            std::max(0.0, spent - static_cast<double>(idle)) / arrived};
}

json measure(const Settings &settings, const Deadline &deadline) {
    const std::vector<DoorKind> kinds = doors();
    const Spin spin = spin_for(cost_of_pause());
    const Place place{settings.producer_cpu, spin, deadline, true};
    const std::uint64_t khz = tsc_khz();
    Floors floors(settings, 100, deadline);
    Progress progress(settings.rounds, static_cast<int>(bursts.size()));
    Floods floods;
    for (int round = 1; round <= settings.rounds; ++round) {
        for (const unsigned int burst : bursts) {
            std::map<std::string, Flood> measured;
            json said;
            do {
                for (const DoorKind &kind : kinds) {
                    with_own_affinity(
                        [&] { measured[kind.name] = measure_flood(kind, burst, settings, place, khz); });
                    said[kind.name] = measured[kind.name].arrived_per_second;
                }
            } while (floors.rejects(fmt::format("bursts of {}", burst), said));
            for (const auto &[door, flood] : measured) {
                floods[door][burst].push_back(flood);
            }
            progress.step(round, fmt::format("bursts of {}", burst));
        }
    }
    std::vector<std::string> names;
    names.reserve(kinds.size());
    for (const DoorKind &kind : kinds) {
        names.push_back(kind.name);
    }
    json result = flood_result(floods, names, HFT_RING_SLOTS);
    result["ticks"] = settings.samples;
    result["floors"] = floors.all();
    result["rejected"] = floors.rejected();
    fmt::print("{}", flood_tables(result));
    fmt::print(
        "{} times a round's bursts of one size were rejected and measured again: the floor had moved\n",
        floors.rejected().size());
    return result;
}

} // namespace

int main(int argc, char **argv) {
    return run_program("throughput", "Measures what arrives when messages come in bursts.", argc, argv,
                       measure);
}
