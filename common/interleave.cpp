// SPDX-License-Identifier: MIT
#include "common/interleave.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <set>
#include <stdexcept>
#include <utility>

#include <fmt/core.h>

#include "common/affinity.hpp"
#include "common/environment.hpp"
#include "common/measuring.hpp"
#include "common/result.hpp"
#include "common/table.hpp"

namespace ladder {
namespace {

using nlohmann::json;

void check(const std::vector<Contender> &contenders, const Rounds &rounds) {
    if (contenders.empty() || rounds.rounds < 1 || rounds.samples < 1) {
        throw std::invalid_argument("a comparison needs at least one contender, one round and one sample");
    }
    std::set<std::string> names;
    for (const Contender &contender : contenders) {
        if (!names.insert(contender.name).second) {
            throw std::invalid_argument("two contenders have the name " + contender.name);
        }
    }
}

/// Says on standard error what came out, and how long the rest will take at this pace.
class Progress {
public:
    explicit Progress(std::size_t series) : total_(series) {}

    void say(int round, int rounds, const std::string &name, const json &one, bool again) {
        const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
        ++measured_;
        done_ += again ? 0 : 1;
        // A series that was rejected took its time, too.
        const double left = spent / static_cast<double>(measured_) * static_cast<double>(total_ - done_);
        const auto seconds = static_cast<long>(std::lround(left));
        fmt::print(stderr, "  round {} of {}, {}: P50 {}, floor {} cycles; {}about {}:{:02} left\n", round,
                   rounds, name, one["series"]["p50"].get<Cycles>(), one["floor_before"]["p50"].get<Cycles>(),
                   again ? "the floor moved: once more; " : "", seconds / 60, seconds % 60);
    }

private:
    std::size_t total_;
    std::size_t measured_ = 0;
    std::size_t done_ = 0;
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

json measure_one(const Contender &contender, const Rounds &rounds) {
    const std::vector<int> cpus = allowed_cpus();
    Series series(contender.name, rounds.samples, rounds.warmup);
    std::map<std::string, double> figures;
    contender.measure(series, figures);
    allow_cpus(cpus); // the next one begins as this one did
    return {{"series", to_json(series)}, {"figures", figures}};
}

} // namespace

json interleave(const std::vector<Contender> &contenders, const Rounds &rounds, const MeasureFloor &floor) {
    check(contenders, rounds);
    json result{
        {"schema", 1}, {"contenders", json::array()}, {"rounds", json::array()}, {"rejected", json::array()}};
    for (const Contender &contender : contenders) {
        result["contenders"].push_back(contender.name);
    }
    Progress progress(contenders.size() * static_cast<std::size_t>(rounds.rounds));
    int repeats = rounds.most_repeats;
    Floor before = floor();
    for (int round = 1; round <= rounds.rounds; ++round) {
        json measured = json::object();
        for (const Contender &contender : contenders) {
            for (bool again = true; again;) {
                json one = measure_one(contender, rounds);
                const Floor after = floor();
                one["floor_before"] = to_json(before);
                one["floor_after"] = to_json(after);
                before = after; // what is after one series is before the next
                again = floor_moved(one) && repeats > 0;
                progress.say(round, rounds.rounds, contender.name, one, again);
                if (again) {
                    --repeats;
                    one["name"] = contender.name;
                    result["rejected"].push_back(std::move(one));
                } else {
                    measured[contender.name] = std::move(one);
                }
            }
        }
        result["rounds"].push_back(std::move(measured));
    }
    return result;
}

json interleave(const std::vector<Contender> &contenders, const Rounds &rounds, const Deadline &deadline) {
    const Cycles pause = cost_of_pause();
    json result = interleave(contenders, rounds, [&] {
        return measure_floor(rounds.producer_cpu, rounds.consumer_cpu,
                             std::min(rounds.samples, most_floor_messages),
                             std::chrono::microseconds(rounds.period_us), rounds.warmup, deadline);
    });
    // Last: the kernel settles on its final clock source about a second after it has booted.
    result["environment"] = describe_environment(rounds.producer_cpu, rounds.consumer_cpu);
    result["environment"]["pause_p50"] = pause;
    result["environment"]["spin"] = to_string(spin_for(pause));
    result["environment"]["period_us"] = rounds.period_us;
    return result;
}

} // namespace ladder
