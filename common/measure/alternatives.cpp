// SPDX-License-Identifier: MIT
/// @file
/// The same messages through every door, in turn, in one boot (`make alternatives`): latency, what the
/// consumer costs in CPU time, and what it loses.
///
/// Who polls has a CPU of its own; who sleeps runs wherever the scheduler puts it, as the client of stage 1.

#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "common/affinity.hpp"
#include "common/measure/door.hpp"
#include "common/run.hpp"

using namespace ladder;

namespace {

void measure_door(const DoorKind &kind, const Options &options, const Deadline &deadline, Series &series,
                  std::map<std::string, double> &figures) {
    if (kind.spins) {
        pin_to_cpu(options.consumer_cpu);
    }
    const std::unique_ptr<Door> door = open_door(kind, {options.producer_cpu, options.spin, deadline, false});
    std::array<hft_message, HFT_QUEUE_MESSAGES> room{};
    door->start(options.period_us, 1);
    series.start_after(door->last_before());
    const CpuTime cpu;
    while (!series.complete()) {
        const Taken taken = door->take(room);
        for (const hft_message &message : std::span(room).first(taken.count)) {
            series.record(message.sequence, message.stamp, taken.received);
        }
    }
    figures["cpu_share"] = cpu.share();
    series.count_dropped(door->dropped());
    for (std::uint64_t torn = door->torn(); torn > 0; --torn) {
        series.count_torn();
    }
}

std::vector<Contender> contenders(const Options &options, const Deadline &deadline) {
    std::vector<Contender> all;
    for (const auto &doors : {read_doors(), uring_doors(), pipe_doors(), bpf_doors(), mapped_doors()}) {
        for (const DoorKind &kind : doors) {
            if (!kind.open) {
                fmt::print(stderr, "  skipped {}: {}\n", kind.name, kind.why_not);
                continue;
            }
            all.push_back({kind.name, [kind, &options, &deadline](Series &series, auto &figures) {
                               measure_door(kind, options, deadline, series, figures);
                           }});
        }
    }
    return all;
}

} // namespace

int main(int argc, char **argv) {
    return run_interleaved("alternatives", "Times the same messages through every door.", argc, argv,
                           contenders);
}
