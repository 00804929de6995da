// SPDX-License-Identifier: MIT
#include "common/table.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "common/markdown.hpp"
#include "common/result.hpp"

namespace ladder {
namespace {

using nlohmann::json;

/// The rows' neighbours (getpid, a pipe ...), as medians over the rounds.
json make_neighbours(const SeriesByRound &rounds, const std::string &stage) {
    json neighbours = json::array();
    for (const auto &round : rounds) {
        const auto first = round.find(stage);
        if (first == round.end()) {
            continue;
        }
        for (std::size_t i = 0; i < first->second["neighbours"].size(); ++i) {
            json neighbour{{"name", first->second["neighbours"][i]["name"]}};
            for (const std::string percentile : percentiles) {
                neighbour[percentile] = std::llround(median(collect(rounds, stage, [&](const json &s) {
                    return s["neighbours"].at(i).at(percentile).get<double>();
                })));
            }
            neighbours.push_back(neighbour);
        }
        break;
    }
    return neighbours;
}

/// Stage 1 over stage 3, of the rounds that have both.
json make_ratios(const SeriesByRound &rounds, const std::map<std::string, Reference> &reference) {
    SeriesByRound both;
    std::copy_if(rounds.begin(), rounds.end(), std::back_inserter(both), [](const auto &round) {
        return round.contains("stage1-blocking") && round.contains("stage3-spsc");
    });
    json ratios = json::object();
    if (both.empty()) {
        return ratios;
    }
    for (const std::string percentile : percentiles) {
        std::vector<double> values;
        for (const auto &round : both) {
            values.push_back(round.at("stage1-blocking")["series"].at(percentile).get<double>() /
                             round.at("stage3-spsc")["series"].at(percentile).get<double>());
        }
        const Spread ratio = spread_of(std::move(values));
        ratios[percentile] = rounded(ratio.median, 1000);
        ratios[percentile + "_ci"] = {rounded(ratio.low, 1000), rounded(ratio.high, 1000)};
    }
    const auto slow = reference.find("stage1-blocking");
    const auto fast = reference.find("stage3-spsc");
    if (slow != reference.end() && fast != reference.end()) {
        const auto over = [](Cycles a, Cycles b) {
            return rounded(static_cast<double>(a) / static_cast<double>(b), 10);
        };
        ratios["reference"] = {{"p50", over(slow->second.p50, fast->second.p50)},
                               {"p99", over(slow->second.p99, fast->second.p99)},
                               {"p999", over(slow->second.p999, fast->second.p999)}};
    }
    return ratios;
}

/// With one round there is no spread of a ratio.
bool one_round(const json &table) {
    return table["rows"][0]["rounds"] == 1;
}

/// From how many times its P50 on the floor's P99 says that the host was busy. On a quiet host it is 2 to 10.
constexpr double busy = 30;

/// The floor's P99 over its P50, of the row in which it is largest.
double floor_tail(const json &table) {
    double most = 0;
    for (const json &row : table["rows"]) {
        most = std::max(most, row["floor_p99"].get<double>() / row["floor_p50"].get<double>());
    }
    return most;
}

void beside_original(std::ostringstream &out, const json &table) {
    const std::vector<int> widths{16, 24, 24, 24};
    const auto has_reference = [](const json &row) { return row.contains("reference"); };
    if (std::none_of(table["rows"].begin(), table["rows"].end(), has_reference)) {
        return;
    }
    out << "\nThe original's cycles, on another machine, and what they are divided by ours:\n\n";
    markdown_head(out, {"", "P50", "P99", "P99.9"}, widths);
    for (const json &row : table["rows"]) {
        if (!has_reference(row)) {
            continue;
        }
        std::vector<std::string> cells{row["stage"]};
        for (const std::string percentile : percentiles) {
            const Cycles original = row["reference"][percentile];
            cells.push_back(
                fmt::format("{}  {}", grouped(original),
                            times(static_cast<double>(original) / row[percentile].get<double>())));
        }
        markdown_line(out, cells, widths);
    }
    const json &ratios = table["ratios"];
    if (ratios.empty()) {
        return;
    }
    std::vector<std::string> here{"stage 1 / 3"};
    std::vector<std::string> there{"  the original"};
    for (const std::string percentile : percentiles) {
        here.push_back(times(ratios[percentile]));
        if (!one_round(table)) {
            here.back() += fmt::format(" [{}, {}]", times(ratios[percentile + "_ci"][0]),
                                       times(ratios[percentile + "_ci"][1]));
        }
        there.push_back(ratios.contains("reference") ? times(ratios["reference"][percentile]) : "");
    }
    markdown_line(out, here, widths);
    markdown_line(out, there, widths);
}

void floors(std::ostringstream &out, const json &table) {
    const std::vector<int> widths{16, 10, 10, 15, 22, 22};
    out << "\nThe floor in the same boots, and the distance to it:\n\n";
    markdown_head(
        out, {"", "floor P50", "floor P99", "half round trip", "P50 / floor P50", "P99 / floor P99"}, widths);
    for (const json &row : table["rows"]) {
        const auto ratio = [&](const char *figure) {
            const json &all = row["floor_ratio"];
            const json &ends = all[std::string(figure) + "_ci"];
            const auto text = [](const json &value) {
                return fmt::format("{:.{}f}", value.get<double>(), value.get<double>() < 100 ? 2 : 0);
            };
            return one_round(table)
                       ? text(all[figure])
                       : fmt::format("{} [{}, {}]", text(all[figure]), text(ends[0]), text(ends[1]));
        };
        markdown_line(out,
                      {row["stage"], grouped(row["floor_p50"]), grouped(row["floor_p99"]),
                       grouped(row["half_rtt_p50"]), ratio("p50"), ratio("p99")},
                      widths);
    }
    if (const double most = floor_tail(table); most > busy) {
        out << fmt::format("\nTHE HOST WAS BUSY: the floor's own P99 is up to {:.0f} times its P50. P99 and "
                           "P99.9 tell more\n"
                           "of the host than of the stages: measure again when nothing else runs.\n",
                           most);
    }
}

void counts(std::ostringstream &out, const json &table) {
    const std::vector<std::pair<std::string, std::string>> names{
        {"lost", "lost"},
        {"dropped", "dropped"},
        {"repeated", "repeated"},
        {"torn", "torn"},
        {"stamps", "stamp_errors"},
        {"rejected", "rejected_series"},
        {"floor moved", "unsettled_series"},
        {"max", "max"},
    };
    const std::vector<int> widths{16, 7, 7, 8, 7, 7, 8, 11, 13};
    out << "\nWhat went wrong, counted, and the latest message of all:\n\n";
    std::vector<std::string> cells{""};
    for (const auto &[title, key] : names) {
        cells.push_back(title);
    }
    markdown_head(out, cells, widths);
    for (const json &row : table["rows"]) {
        cells = {row["stage"]};
        for (const auto &[title, key] : names) {
            cells.push_back(grouped(row.at(key)));
        }
        markdown_line(out, cells, widths);
    }
}

} // namespace

std::map<std::string, Reference> read_reference(const std::filesystem::path &csv) {
    std::ifstream in(csv);
    if (!in) {
        throw std::runtime_error("cannot read " + csv.string());
    }
    std::map<std::string, Reference> reference;
    std::string text;
    for (int number = 1; std::getline(in, text); ++number) {
        if (text.empty() || text[0] == '#' || text.starts_with("method,")) {
            continue;
        }
        std::istringstream cells(text);
        std::string method;
        std::string stage;
        std::string p50_text;
        std::string p99_text;
        std::string p999_text;
        std::getline(cells, method, ',');
        std::getline(cells, stage, ',');
        std::getline(cells, p50_text, ',');
        std::getline(cells, p99_text, ',');
        std::getline(cells, p999_text, ',');
        try {
            reference[stage] = {std::stoull(p50_text), std::stoull(p99_text), std::stoull(p999_text)};
        } catch (const std::exception &) {
            throw std::runtime_error(
                fmt::format("{}:{}: not method,stage,p50,p99,p99.9,...", csv.string(), number));
        }
    }
    return reference;
}

json read_series(const std::filesystem::path &folder) {
    json series = read_json(folder / "result.json");
    series["host"] = read_json(folder / "host.json");
    return series;
}

json make_table(const SeriesByRound &rounds, const std::map<std::string, std::size_t> &rejected,
                const std::map<std::string, Reference> &reference) {
    std::map<std::string, bool> stages; // in the order of their names: the order of the ladder
    for (const auto &round : rounds) {
        for (const auto &[stage, series] : round) {
            stages[stage] = true;
        }
    }
    if (stages.empty()) {
        throw std::runtime_error("no series to make a table of: run make table first");
    }
    json table{{"schema", 1}, {"environment", make_environment(rounds)}, {"rows", json::array()}};
    for (const auto &[stage, present] : stages) {
        const auto count = rejected.find(stage);
        json row = make_row(rounds, stage, count == rejected.end() ? 0 : count->second);
        row["stage"] = stage;
        if (const auto original = reference.find(stage); original != reference.end()) {
            row["reference"] = {{"p50", original->second.p50},
                                {"p99", original->second.p99},
                                {"p999", original->second.p999}};
        }
        row["neighbours"] = make_neighbours(rounds, stage);
        table["rows"].push_back(row);
    }
    table["ratios"] = make_ratios(rounds, reference);
    return table;
}

void print_latencies(std::ostream &out, const json &table, const std::vector<int> &widths) {
    const std::uint64_t khz = table["environment"].value("tsc_khz", std::uint64_t{0});
    out << (one_round(table) ? "Latency in TSC cycles [95 % confidence interval]:\n\n"
                             : "Latency in TSC cycles, median of the rounds [smallest, largest]:\n\n");
    markdown_head(out, {"", "P50", "P99", "P99.9"}, widths);
    for (const json &row : table["rows"]) {
        std::vector<std::string> cycles{row.contains("stage") ? row["stage"] : row["name"]};
        std::vector<std::string> intervals{""};
        std::vector<std::string> durations{""};
        for (const std::string percentile : percentiles) {
            cycles.push_back(grouped(row[percentile]));
            intervals.push_back(interval(row, percentile));
            durations.push_back(as_time(row[percentile], khz));
        }
        markdown_line(out, cycles, widths);
        markdown_line(out, intervals, widths);
        markdown_line(out, durations, widths);
        for (const json &neighbour : row.value("neighbours", json::array())) {
            markdown_line(out,
                          {"  " + neighbour["name"].get<std::string>(), grouped(neighbour["p50"]),
                           grouped(neighbour["p99"]), grouped(neighbour["p999"])},
                          widths);
        }
    }
}

std::string to_markdown(const json &table) {
    std::ostringstream out;
    print_latencies(out, table, {16, 24, 24, 24});
    beside_original(out, table);
    floors(out, table);
    counts(out, table);
    out << provenance(table["environment"], table["rows"][0]);
    return out.str();
}

} // namespace ladder
