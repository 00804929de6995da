// SPDX-License-Identifier: MIT
#include "common/rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace ladder {
namespace {

using nlohmann::json;

/// The first series of that name.
const json &collect_one(const SeriesByRound &rounds, const std::string &name) {
    const auto has = [&](const auto &round) { return round.contains(name); };
    return std::find_if(rounds.begin(), rounds.end(), has)->at(name);
}

Cycles whole(double value) {
    return static_cast<Cycles>(std::llround(value));
}

std::uint64_t sum(const SeriesByRound &rounds, const std::string &name, const char *count) {
    std::uint64_t total = 0;
    for (const double value :
         collect(rounds, name, [&](const json &s) { return s["series"].at(count).get<double>(); })) {
        total += static_cast<std::uint64_t>(value);
    }
    return total;
}

} // namespace

Spread spread_of(std::vector<double> values) {
    if (values.empty()) {
        throw std::invalid_argument("no values");
    }
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const Spread ends{0, *low, *high};
    return {median(std::move(values)), ends.low, ends.high};
}

std::vector<double> collect(const SeriesByRound &rounds, const std::string &name,
                            const std::function<double(const nlohmann::json &)> &figure) {
    std::vector<double> values;
    for (const auto &round : rounds) {
        if (const auto found = round.find(name); found != round.end()) {
            values.push_back(figure(found->second));
        }
    }
    return values;
}

double rounded(double value, double scale) {
    return std::round(value * scale) / scale;
}

double floor_of(const nlohmann::json &series, const char *figure) {
    return (series.at("floor_before").at(figure).get<double>() +
            series.at("floor_after").at(figure).get<double>()) /
           2;
}

bool floor_moved(const nlohmann::json &series) {
    const double before = series.at("floor_before").at("half_rtt_p50").get<double>();
    const double after = series.at("floor_after").at("half_rtt_p50").get<double>();
    return std::max(before, after) > 1.5 * std::min(before, after);
}

json make_row(const SeriesByRound &rounds, const std::string &name, std::size_t rejected) {
    const auto series = [](const char *key) {
        return [key](const json &s) { return s.at("series").at(key).get<double>(); };
    };
    json row{{"rejected_series", rejected}};
    row["rounds"] = collect(rounds, name, series("p50")).size();
    row["samples"] = whole(median(collect(rounds, name, series("samples"))));
    row["warmup"] = whole(median(collect(rounds, name, series("warmup"))));
    for (const char *count : {"lost", "dropped", "repeated", "torn", "stamp_errors"}) {
        row[count] = sum(rounds, name, count);
    }
    row["unsettled_series"] = 0;
    for (const double moved :
         collect(rounds, name, [](const json &s) { return floor_moved(s) ? 1.0 : 0.0; })) {
        row["unsettled_series"] =
            row["unsettled_series"].get<std::size_t>() + static_cast<std::size_t>(moved);
    }
    for (const std::string percentile : percentiles) {
        const Spread figure = spread_of(collect(rounds, name, series(percentile.c_str())));
        row[percentile] = whole(figure.median);
        row[percentile + "_ci"] = {whole(figure.low), whole(figure.high)};
    }
    if (row["rounds"] == 1) { // no spread between rounds: the series' own intervals, from order statistics
        for (const std::string percentile : percentiles) {
            const std::string key = percentile + "_ci";
            row[key] = collect_one(rounds, name)["series"].at(key);
        }
    }
    row["max"] = whole(spread_of(collect(rounds, name, series("max"))).high);
    for (const char *figure : {"p50", "p99", "half_rtt_p50"}) {
        const std::string key =
            figure == std::string("half_rtt_p50") ? figure : std::string("floor_") + figure;
        row[key] = whole(median(collect(rounds, name, [&](const json &s) { return floor_of(s, figure); })));
    }
    for (const char *figure : {"p50", "p99"}) {
        const Spread ratio = spread_of(collect(rounds, name, [&](const json &s) {
            return s["series"].at(figure).get<double>() / floor_of(s, figure);
        }));
        row["floor_ratio"][figure] = rounded(ratio.median);
        row["floor_ratio"][std::string(figure) + "_ci"] = {rounded(ratio.low), rounded(ratio.high)};
    }
    return row;
}

json make_environment(const SeriesByRound &rounds, const std::set<std::string> &varies) {
    json environment;
    for (const auto &round : rounds) {
        for (const auto &[name, series] : round) {
            json own = series.at("environment");
            own.update(series.at("host"));
            if (environment.is_null()) {
                environment = own;
                environment.erase("patch_stage");
                environment.erase("image");
                environment.erase("consumer_pinned");
            }
            for (const char *same :
                 {"accel", "kernel", "qemu", "host_cpu", "guest_cpu", "cmdline", "clocksource", "hz",
                  "preempt", "commit", "dirty", "pinned", "period_us"}) {
                if (!varies.contains(same) && own.at(same) != environment.at(same)) {
                    throw std::runtime_error(
                        fmt::format("{}: {} is {}, but {} in the series before it: results of "
                                    "different systems are not in one table",
                                    name, same, own.at(same).dump(), environment.at(same).dump()));
                }
            }
        }
    }
    for (const std::string &key : varies) {
        environment.erase(key);
    }
    return environment;
}

} // namespace ladder
