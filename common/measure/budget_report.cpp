// SPDX-License-Identifier: MIT
#include "common/measure/budget_report.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include <fmt/core.h>

#include "common/markdown.hpp"
#include "common/statistics.hpp"

namespace ladder {

using nlohmann::json;

namespace {

constexpr double tolerance = 0.05;

/// Whether all rounds are within the tolerance, none is, or (null) some are.
json within_tolerance(const json &interval) {
    const double least = interval.at(0).get<double>() - 1;
    const double greatest = interval.at(1).get<double>() - 1;
    if (least >= -tolerance && greatest <= tolerance) {
        return true;
    }
    return least > tolerance || greatest < -tolerance ? json(false) : json();
}

json to_json(const Part &part) {
    return {{"name", part.name}, {"mean", part.mean}, {"p50", part.p50}};
}

json to_json(const std::vector<Part> &parts) {
    json all = json::array();
    for (const Part &part : parts) {
        all.push_back(to_json(part));
    }
    return all;
}

json latencies(const std::vector<Cycles> &values) {
    return {{"messages", values.size()}, {"mean", std::llround(mean(values))}, {"p50", median(values)}};
}

/// "-1,234,567"; nothing for null
std::string cycles(const json &value) {
    if (value.is_null()) {
        return "";
    }
    const auto whole = std::llround(value.get<double>());
    return (whole < 0 ? "-" : "") + grouped(static_cast<Cycles>(std::abs(whole)));
}

/// "1.02 [0.98, 1.05]"
std::string with_interval(const json &object, const std::string &key) {
    const json &interval = object.at(key + "_ci");
    return fmt::format("{:.3f} [{:.3f}, {:.3f}]", object.at(key).get<double>(), interval.at(0).get<double>(),
                       interval.at(1).get<double>());
}

std::string line(const json &part, const json &whole) {
    const std::string share =
        whole.is_null()
            ? ""
            : fmt::format("{:.1f} %", 100 * part.at("mean").get<double>() / whole.at("mean").get<double>());
    return fmt::format("  {:<34}{:>12}{:>10}{:>12}\n", part.at("name").get<std::string>(),
                       cycles(part.at("mean")), share, cycles(part.at("p50")));
}

std::string table(const json &row) {
    std::string text = fmt::format("{}: {} messages with all their moments, in cycles\n",
                                   row.at("name").get<std::string>(), cycles(row.at("messages")));
    text += fmt::format("  {:<34}{:>12}{:>10}{:>12}\n", "", "mean", "share", "P50");
    for (const json &part : row.at("before")) {
        text += line({{"name", "(before: " + part.at("name").get<std::string>() + ")"},
                      {"mean", part.at("mean")},
                      {"p50", part.at("p50")}},
                     {});
    }
    for (const json &part : row.at("hops")) {
        text += line(part, row.at("whole"));
    }
    json whole = row.at("whole");
    whole["name"] = "the whole";
    text += line(whole, row.at("whole"));
    for (const auto &[key, name] :
         {std::pair("stamps_on", "all with moments written down"), std::pair("stamps_off", "all without")}) {
        json all = row.at(key);
        all["name"] = name;
        text += line(all, {});
    }
    const json &ratio = row.at("on_to_off");
    const json &within = ratio.at("within_5_percent");
    text += fmt::format("  with / without: P50 {}, mean {}; within 5 % at P50: {}\n",
                        with_interval(ratio, "p50"), with_interval(ratio, "mean"),
                        within.is_null()     ? "in some rounds"
                        : within.get<bool>() ? "in each round"
                                             : "NO");
    text += fmt::format(
        "  left out: {} with a moment missing; lost {}, stamp errors {}; the floor moved in {} of {} "
        "series; {} rejected and measured again\n",
        row.at("incomplete").get<int>(), row.at("lost").get<int>(), row.at("stamp_errors").get<int>(),
        row.at("floor_moved").get<int>(), row.at("rounds").get<int>(), row.at("rejected_series").get<int>());
    return text;
}

std::string table_of_tail(const json &tail) {
    std::string text = fmt::format("{}: why {} messages above P99 were late (P50 {}, P99 {})\n",
                                   tail.at("name").get<std::string>(), tail.at("messages").get<std::size_t>(),
                                   cycles(tail.at("p50")), cycles(tail.at("p99")));
    text += fmt::format("  {:<54}{:>9}{:>8}{:>14}\n", "", "messages", "share", "their P50");
    for (const json &cause : tail.at("causes")) {
        const json &share = cause.at("share");
        text += fmt::format("  {:<54}{:>9}{:>8}{:>14}\n", cause.at("name").get<std::string>(),
                            cause.at("messages").get<std::size_t>(),
                            share.is_null() ? "" : fmt::format("{:.0f} %", 100 * share.get<double>()),
                            cycles(cause.at("p50")));
    }
    const json &gaps = tail.at("not_running");
    text += fmt::format("  the consumer was not running for {:.2f} % of the time, in {} gaps of more than {} "
                        "readings of the clock ({} "
                        "cycles each);\n  with an interrupt: {:.2f} %, in {} gaps\n",
                        100 * gaps.at("share_of_time").get<double>(), gaps.at("gaps").get<std::uint64_t>(),
                        gaps.at("longer_than_readings").get<int>(), cycles(tail.at("reading_p50")),
                        100 * gaps.at("interrupted_share_of_time").get<double>(),
                        gaps.at("interrupted_gaps").get<std::uint64_t>());
    return text;
}

} // namespace

json OverRounds::figure() const {
    return median(values);
}

json OverRounds::interval() const {
    if (values.empty()) {
        throw std::invalid_argument("no rounds");
    }
    const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
    return {*least, *greatest};
}

json Way::last() const {
    return {{"on_to_off_p50", ratio_p50.values.empty() ? json() : json(ratio_p50.values.back())}};
}

json Tail::last() const {
    return {{"p50", latency_p50.values.back()}, {"p99", p99.values.back()}};
}

double mean(const std::vector<Cycles> &values) {
    if (values.empty()) {
        throw std::invalid_argument("no messages");
    }
    const double sum = std::accumulate(values.begin(), values.end(), 0.0, [](double all, Cycles value) {
        return all + static_cast<double>(value);
    });
    return sum / static_cast<double>(values.size());
}

json to_json(const Way &way, int rounds) {
    if (way.budget.messages() == 0 || way.ratio_p50.values.empty()) {
        throw std::runtime_error(way.name + ": too few messages for a budget: take more (SAMPLES=)");
    }
    const double ratio = way.ratio_p50.figure();
    const Part whole = way.budget.whole();
    return {
        {"name", way.name},
        {"rounds", rounds},
        {"messages", way.budget.messages()},
        {"before", to_json(way.before.parts())},
        {"hops", to_json(way.budget.parts())},
        {"whole", {{"mean", whole.mean}, {"p50", whole.p50}}},
        {"stamps_on", latencies(way.with)},
        {"stamps_off", latencies(way.without)},
        {"on_to_off",
         {{"p50", ratio},
          {"p50_ci", way.ratio_p50.interval()},
          {"mean", way.ratio_mean.figure()},
          {"mean_ci", way.ratio_mean.interval()},
          {"difference_p50", way.difference_p50.figure()},
          {"difference_p50_ci", way.difference_p50.interval()},
          {"within_5_percent", within_tolerance(way.ratio_p50.interval())}}},
        {"incomplete", way.incomplete},
        {"lost", way.lost},
        {"stamp_errors", way.stamp_errors},
        {"floor_moved", way.floor_moved},
        {"rejected_series", way.rejected},
    };
}

json to_json(const Tail &tail, int rounds) {
    std::size_t late = 0;
    for (const auto &[cause, values] : tail.late) {
        late += values.size();
    }
    json causes = json::array();
    for (const Cause cause : {Cause::producer, Cause::interrupt, Cause::standstill, Cause::unexplained}) {
        const auto found = tail.late.find(cause);
        const std::size_t messages = found == tail.late.end() ? 0 : found->second.size();
        json row{{"name", to_string(cause)}, {"messages", messages}};
        row["share"] = late == 0 ? json() : json(static_cast<double>(messages) / static_cast<double>(late));
        row["p50"] = messages == 0 ? json() : json(median(found->second));
        causes.push_back(std::move(row));
    }
    const auto share = [&](Cycles cycles) {
        return static_cast<double>(cycles) / static_cast<double>(tail.watched_cycles);
    };
    return {
        {"name", "stage3-spsc"},
        {"rounds", rounds},
        {"messages", late},
        {"p50", tail.latency_p50.figure()},
        {"p99", tail.p99.figure()},
        {"p99_ci", tail.p99.interval()},
        {"store_p50", tail.store_p50.figure()},
        {"reading_p50", tail.reading_p50.figure()},
        {"causes", causes},
        {"not_running",
         {{"longer_than_readings", tail.gap_readings},
          {"gaps", tail.totals.gaps},
          {"gaps_not_kept", tail.gaps_not_kept},
          {"share_of_time", share(tail.totals.cycles)},
          {"interrupted_gaps", tail.totals.interrupted_gaps},
          {"interrupted_share_of_time", share(tail.totals.interrupted_cycles)}}},
        {"floor_moved", tail.floor_moved},
        {"rejected_series", tail.rejected},
    };
}

std::string budget_finding(const json &result) {
    const json &read = result.at("rows").at(0);
    const json &hops = read.at("hops");
    const auto longest = std::max_element(hops.begin(), hops.end(), [](const json &a, const json &b) {
        return a.at("mean").get<std::int64_t>() < b.at("mean").get<std::int64_t>();
    });
    const json &tail = result.at("tail");
    const auto late = tail.at("messages").get<std::size_t>();
    const auto unexplained = tail.at("causes").back().at("messages").get<std::size_t>();
    return fmt::format(
        "of stage 1's {} cycles (mean), {:.0f} % go into '{}'; of stage 3's {} messages above P99, "
        "{} have a cause that was measured; writing the moments down changes stage 1's P50 by "
        "{:+.1f} %",
        cycles(read.at("whole").at("mean")),
        100 * longest->at("mean").get<double>() / read.at("whole").at("mean").get<double>(),
        longest->at("name").get<std::string>(), late, late - unexplained,
        100 * (read.at("on_to_off").at("p50").get<double>() - 1));
}

std::string budget_tables(const json &result) {
    std::string text;
    for (const json &row : result.at("rows")) {
        text += table(row) + "\n";
    }
    text += table_of_tail(result.at("tail"));
    text += fmt::format("one stamp costs {} cycles in user space\n", cycles(result.at("stamp_p50")));
    return text;
}

} // namespace ladder
