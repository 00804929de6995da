// SPDX-License-Identifier: MIT
#include "common/table.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

namespace ladder {
namespace {

using nlohmann::json;
using Rounds = std::vector<std::map<std::string, json>>;

const std::vector<std::string> percentiles{"p50", "p99", "p999"};

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

/// Median, smallest and largest of one figure over the rounds.
struct Spread {
    double median;
    double low;
    double high;
};

Spread spread_of(std::vector<double> values) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const Spread ends{0, *low, *high};
    return {median(std::move(values)), ends.low, ends.high};
}

/// The figure of each round that has the stage.
std::vector<double> collect(const Rounds &rounds, const std::string &stage,
                            const std::function<double(const json &)> &figure) {
    std::vector<double> values;
    for (const auto &round : rounds) {
        if (const auto found = round.find(stage); found != round.end()) {
            values.push_back(figure(found->second));
        }
    }
    return values;
}

/// The first series of the stage.
const json &collect_one(const Rounds &rounds, const std::string &stage) {
    const auto has = [&](const auto &round) { return round.contains(stage); };
    return std::find_if(rounds.begin(), rounds.end(), has)->at(stage);
}

Cycles whole(double value) {
    return static_cast<Cycles>(std::llround(value));
}
double rounded(double value, double scale = 100) {
    return std::round(value * scale) / scale;
}

/// The floor of a series: the mean of what was measured before it and after it.
double floor_of(const json &series, const char *figure) {
    return (series.at("floor_before").at(figure).get<double>() +
            series.at("floor_after").at(figure).get<double>()) /
           2;
}

std::uint64_t sum(const Rounds &rounds, const std::string &stage, const char *count) {
    std::uint64_t total = 0;
    for (const double value :
         collect(rounds, stage, [&](const json &s) { return s["series"].at(count).get<double>(); })) {
        total += static_cast<std::uint64_t>(value);
    }
    return total;
}

json make_row(const Rounds &rounds, const std::string &stage, std::size_t rejected,
              const std::map<std::string, Reference> &reference) {
    const auto series = [](const char *key) {
        return [key](const json &s) { return s.at("series").at(key).get<double>(); };
    };
    json row{{"stage", stage}, {"rejected_series", rejected}};
    row["rounds"] = collect(rounds, stage, series("p50")).size();
    row["samples"] = whole(median(collect(rounds, stage, series("samples"))));
    row["warmup"] = whole(median(collect(rounds, stage, series("warmup"))));
    for (const char *count : {"lost", "dropped", "repeated", "torn", "stamp_errors"}) {
        row[count] = sum(rounds, stage, count);
    }
    row["unsettled_series"] = 0;
    for (const double moved :
         collect(rounds, stage, [](const json &s) { return floor_moved(s) ? 1.0 : 0.0; })) {
        row["unsettled_series"] =
            row["unsettled_series"].get<std::size_t>() + static_cast<std::size_t>(moved);
    }
    for (const std::string &percentile : percentiles) {
        const Spread figure = spread_of(collect(rounds, stage, series(percentile.c_str())));
        row[percentile] = whole(figure.median);
        row[percentile + "_ci"] = {whole(figure.low), whole(figure.high)};
    }
    if (row["rounds"] == 1) { // no spread between rounds: the series' own intervals, from order statistics
        for (const std::string &percentile : percentiles) {
            const std::string key = percentile + "_ci";
            row[key] = collect_one(rounds, stage)["series"].at(key);
        }
    }
    row["max"] = whole(spread_of(collect(rounds, stage, series("max"))).high);
    for (const char *figure : {"p50", "p99", "half_rtt_p50"}) {
        const std::string name =
            figure == std::string("half_rtt_p50") ? figure : std::string("floor_") + figure;
        row[name] = whole(median(collect(rounds, stage, [&](const json &s) { return floor_of(s, figure); })));
    }
    for (const char *figure : {"p50", "p99"}) {
        const Spread ratio = spread_of(collect(rounds, stage, [&](const json &s) {
            return s["series"].at(figure).get<double>() / floor_of(s, figure);
        }));
        row["floor_ratio"][figure] = rounded(ratio.median);
        row["floor_ratio"][std::string(figure) + "_ci"] = {rounded(ratio.low), rounded(ratio.high)};
    }
    if (const auto original = reference.find(stage); original != reference.end()) {
        row["reference"] = {
            {"p50", original->second.p50}, {"p99", original->second.p99}, {"p999", original->second.p999}};
    }
    return row;
}

/// The rows' neighbours (getpid, a pipe ...), as medians over the rounds.
json make_neighbours(const Rounds &rounds, const std::string &stage) {
    json neighbours = json::array();
    for (const auto &round : rounds) {
        const auto first = round.find(stage);
        if (first == round.end()) {
            continue;
        }
        for (std::size_t i = 0; i < first->second["neighbours"].size(); ++i) {
            json neighbour{{"name", first->second["neighbours"][i]["name"]}};
            for (const std::string &percentile : percentiles) {
                neighbour[percentile] = whole(median(collect(rounds, stage, [&](const json &s) {
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
json make_ratios(const Rounds &rounds, const std::map<std::string, Reference> &reference) {
    Rounds both;
    std::copy_if(rounds.begin(), rounds.end(), std::back_inserter(both), [](const auto &round) {
        return round.contains("stage1-blocking") && round.contains("stage3-spsc");
    });
    json ratios = json::object();
    if (both.empty()) {
        return ratios;
    }
    for (const std::string &percentile : percentiles) {
        std::vector<double> values;
        for (const auto &round : both) {
            values.push_back(round.at("stage1-blocking")["series"].at(percentile).get<double>() /
                             round.at("stage3-spsc")["series"].at(percentile).get<double>());
        }
        const Spread ratio = spread_of(std::move(values));
        ratios[percentile] = rounded(ratio.median, 10);
        ratios[percentile + "_ci"] = {rounded(ratio.low, 10), rounded(ratio.high, 10)};
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

/// What all series have in common. A difference in anything that changes a figure is an error.
json make_environment(const Rounds &rounds) {
    json environment;
    for (const auto &round : rounds) {
        for (const auto &[stage, series] : round) {
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
                if (own.at(same) != environment.at(same)) {
                    throw std::runtime_error(
                        fmt::format("{}: {} is {}, but {} in the series before it: results of "
                                    "different systems are not in one table",
                                    stage, same, own.at(same).dump(), environment.at(same).dump()));
                }
            }
        }
    }
    return environment;
}

/// 570492 as 570,492.
std::string grouped(Cycles value) {
    return value < 1000 ? std::to_string(value)
                        : fmt::format("{},{:03}", grouped(value / 1000), value % 1000);
}

std::string as_time(Cycles cycles, std::uint64_t khz) {
    if (khz == 0) {
        return "?";
    }
    const double ns = static_cast<double>(cycles) * 1e6 / static_cast<double>(khz);
    return ns < 10'000 ? fmt::format("{:.0f} ns", ns) : fmt::format("{:.0f} us", ns / 1000);
}

std::string bound(const json &value) {
    return value.is_null() ? "unbounded" : grouped(value.get<Cycles>());
}

std::string interval(const json &row, const std::string &percentile) {
    const json &ends = row.at(percentile + "_ci");
    return fmt::format("[{}, {}]", bound(ends[0]), bound(ends[1]));
}

void line(std::ostringstream &out, const std::vector<std::string> &cells, const std::vector<int> &widths) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        out << (i == 0 ? fmt::format("| {:<{}} |", cells[i], widths[i])
                       : fmt::format(" {:>{}} |", cells[i], widths[i]));
    }
    out << '\n';
}

void head(std::ostringstream &out, const std::vector<std::string> &cells, const std::vector<int> &widths) {
    line(out, cells, widths);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string dashes(static_cast<std::size_t>(widths[i]) + 1, '-');
        out << (i == 0 ? "|" + dashes + "-|" : dashes + ":|");
    }
    out << '\n';
}

void latencies(std::ostringstream &out, const json &table) {
    const std::uint64_t khz = table["environment"].value("tsc_khz", std::uint64_t{0});
    const bool one_round = table["rows"][0]["rounds"] == 1;
    const std::vector<int> widths{16, 24, 24, 24};
    out << (one_round ? "Latency in TSC cycles [95 % confidence interval]:\n\n"
                      : "Latency in TSC cycles, median of the rounds [smallest, largest]:\n\n");
    head(out, {"", "P50", "P99", "P99.9"}, widths);
    for (const json &row : table["rows"]) {
        std::vector<std::string> cycles{row["stage"]};
        std::vector<std::string> intervals{""};
        std::vector<std::string> times{""};
        for (const std::string &percentile : percentiles) {
            cycles.push_back(grouped(row[percentile]));
            intervals.push_back(interval(row, percentile));
            times.push_back(as_time(row[percentile], khz));
        }
        line(out, cycles, widths);
        line(out, intervals, widths);
        line(out, times, widths);
        for (const json &neighbour : row["neighbours"]) {
            line(out,
                 {"  " + neighbour["name"].get<std::string>(), grouped(neighbour["p50"]),
                  grouped(neighbour["p99"]), grouped(neighbour["p999"])},
                 widths);
        }
    }
}

void beside_original(std::ostringstream &out, const json &table) {
    const std::vector<int> widths{16, 24, 24, 24};
    const auto has_reference = [](const json &row) { return row.contains("reference"); };
    if (std::none_of(table["rows"].begin(), table["rows"].end(), has_reference)) {
        return;
    }
    const auto times = [](double ratio) { return fmt::format("{:.{}f}x", ratio, ratio < 10 ? 2 : 1); };
    out << "\nThe original, and how many times its latency is ours:\n\n";
    head(out, {"", "P50", "P99", "P99.9"}, widths);
    for (const json &row : table["rows"]) {
        if (!has_reference(row)) {
            continue;
        }
        std::vector<std::string> cells{row["stage"]};
        for (const std::string &percentile : percentiles) {
            const Cycles original = row["reference"][percentile];
            cells.push_back(
                fmt::format("{}  {}", grouped(original),
                            times(static_cast<double>(original) / row[percentile].get<double>())));
        }
        line(out, cells, widths);
    }
    const json &ratios = table["ratios"];
    if (ratios.empty()) {
        return;
    }
    std::vector<std::string> here{"stage 1 / 3"};
    std::vector<std::string> there{"  the original"};
    for (const std::string &percentile : percentiles) {
        here.push_back(fmt::format("{} [{}, {}]", times(ratios[percentile]),
                                   times(ratios[percentile + "_ci"][0]),
                                   times(ratios[percentile + "_ci"][1])));
        there.push_back(ratios.contains("reference") ? times(ratios["reference"][percentile]) : "");
    }
    line(out, here, widths);
    line(out, there, widths);
}

void floors(std::ostringstream &out, const json &table) {
    const std::vector<int> widths{16, 10, 10, 15, 22, 22};
    out << "\nThe floor in the same boots, and the distance to it:\n\n";
    head(out, {"", "floor P50", "floor P99", "half round trip", "P50 / floor P50", "P99 / floor P99"},
         widths);
    for (const json &row : table["rows"]) {
        const auto ratio = [&](const char *figure) {
            const json &all = row["floor_ratio"];
            const json &ends = all[std::string(figure) + "_ci"];
            return fmt::format("{:.2f} [{:.2f}, {:.2f}]", all[figure].get<double>(), ends[0].get<double>(),
                               ends[1].get<double>());
        };
        line(out,
             {row["stage"], grouped(row["floor_p50"]), grouped(row["floor_p99"]),
              grouped(row["half_rtt_p50"]), ratio("p50"), ratio("p99")},
             widths);
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
    head(out, cells, widths);
    for (const json &row : table["rows"]) {
        cells = {row["stage"]};
        for (const auto &[title, key] : names) {
            cells.push_back(grouped(row.at(key)));
        }
        line(out, cells, widths);
    }
}

void provenance(std::ostringstream &out, const json &table) {
    const json &e = table["environment"];
    const json &row = table["rows"][0];
    out << fmt::format(
        "\n{} round(s) of {} samples after {} of warm-up, one message per {} us. Linux {} in QEMU {} ({}), "
        "guest CPU {}, host CPU {}, threads {}pinned; clock source {}, TSC {} kHz, HZ {}, preemption {}, "
        "polling {}; mitigations: {}. Commit {}{}, {}.\nCommand line: {}\n",
        row["rounds"].dump(), row["samples"].dump(), row["warmup"].dump(), e["period_us"].dump(),
        e["kernel"].get<std::string>(), e["qemu"].get<std::string>(), e["accel"].get<std::string>(),
        e["guest_cpu"].get<std::string>(), e["host_cpu"].get<std::string>(),
        e["pinned"].get<bool>() ? "" : "NOT ", e["clocksource"].get<std::string>(), e["tsc_khz"].dump(),
        e["hz"].dump(), e["preempt"].get<std::string>(), e["spin"].get<std::string>(),
        e["mitigations"].get<std::string>(), e["commit"].get<std::string>().substr(0, 12),
        e["dirty"].get<bool>() ? " with changes" : "", e["time"].get<std::string>(),
        e["cmdline"].get<std::string>());
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

bool floor_moved(const json &series) {
    const double before = series.at("floor_before").at("half_rtt_p50").get<double>();
    const double after = series.at("floor_after").at("half_rtt_p50").get<double>();
    return std::max(before, after) > 1.5 * std::min(before, after);
}

json make_table(const Rounds &rounds, const std::map<std::string, std::size_t> &rejected,
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
        json row = make_row(rounds, stage, count == rejected.end() ? 0 : count->second, reference);
        row["neighbours"] = make_neighbours(rounds, stage);
        table["rows"].push_back(row);
    }
    table["ratios"] = make_ratios(rounds, reference);
    return table;
}

std::string to_markdown(const json &table) {
    std::ostringstream out;
    latencies(out, table);
    beside_original(out, table);
    floors(out, table);
    counts(out, table);
    provenance(out, table);
    return out.str();
}

} // namespace ladder
