// SPDX-License-Identifier: MIT
#include "common/result.hpp"

#include <cerrno>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace ladder {

using nlohmann::json;

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
        {"exact", series.exact()},
        {"relative_error", series.relative_error()},
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

json read_json(const std::filesystem::path &file) {
    std::ifstream in(file);
    if (!in) {
        throw std::runtime_error("cannot read " + file.string());
    }
    try {
        return json::parse(in);
    } catch (const json::exception &error) {
        throw std::runtime_error(file.string() + " is damaged: " + error.what());
    }
}

void write_json(const std::filesystem::path &file, const json &value) {
    std::ofstream out(file);
    out << value.dump(2) << '\n';
    out.close();
    if (!out) {
        throw std::system_error(errno, std::generic_category(), "cannot write " + file.string());
    }
}

} // namespace ladder
