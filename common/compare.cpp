// SPDX-License-Identifier: MIT
#include "common/compare.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "common/markdown.hpp"
#include "common/result.hpp"
#include "common/rows.hpp"
#include "common/table.hpp"

namespace ladder {
namespace {

using nlohmann::json;

constexpr int name_width = 31; // of 110 columns, the most that three intervals leave

/// All series by round, the order of their names, and how many of each were rejected.
struct Collected {
    std::vector<std::string> names;
    SeriesByRound rounds;
    std::map<std::string, std::size_t> rejected;
};

Collected collect_all(const std::vector<json> &results) {
    Collected all;
    std::map<std::string, std::size_t> rounds_of;
    for (const json &result : results) {
        for (const json &name : result.at("contenders")) {
            if (rounds_of.try_emplace(name, 0).second) {
                all.names.push_back(name);
            }
        }
        for (const json &round : result.at("rounds")) {
            for (const auto &[name, one] : round.items()) {
                const std::size_t index = rounds_of.at(name)++;
                all.rounds.resize(std::max(all.rounds.size(), index + 1));
                json series = one;
                series["environment"] = result.at("environment");
                series["host"] = result.at("host");
                all.rounds[index][name] = std::move(series);
            }
        }
        for (const json &series : result.at("rejected")) {
            ++all.rejected[series.at("name")];
        }
    }
    if (all.rounds.empty()) {
        throw std::runtime_error("no rounds to compare");
    }
    for (const std::string &name : all.names) {
        if (rounds_of[name] != all.rounds.size()) {
            throw std::runtime_error(
                fmt::format("{} has {} rounds, but another has {}: rounds are compared in pairs", name,
                            rounds_of[name], all.rounds.size()));
        }
    }
    return all;
}

/// A percentile, or how many times the floor's own it is. P99.9 has the floor's P99: it has no other.
double latency_of(const json &series, const std::string &percentile, bool to_floor) {
    const auto cycles = series.at("series").at(percentile).get<double>();
    return to_floor ? cycles / floor_of(series, percentile == "p50" ? "p50" : "p99") : cycles;
}

void add_ratios(json &row, const SeriesByRound &rounds, const std::string &name, const Comparison &how) {
    for (const std::string percentile : percentiles) {
        std::vector<double> ratios;
        for (const auto &round : rounds) {
            ratios.push_back(latency_of(round.at(name), percentile, how.to_floor) /
                             latency_of(round.at(how.baseline), percentile, how.to_floor));
        }
        const bool known =
            std::all_of(ratios.begin(), ratios.end(), [](double ratio) { return std::isfinite(ratio); });
        if (!known) {
            row["ratio"][percentile] = nullptr;
            row["ratio"][percentile + "_ci"] = {nullptr, nullptr};
            row["effect"][percentile] = nullptr;
            continue;
        }
        const Spread ratio = spread_of(std::move(ratios));
        row["ratio"][percentile] = rounded(ratio.median, 1000);
        row["ratio"][percentile + "_ci"] = {rounded(ratio.low, 1000), rounded(ratio.high, 1000)};
        if (name == how.baseline) {
            row["effect"][percentile] = false;
        } else if (rounds.size() < least_rounds_for_effect) {
            row["effect"][percentile] = nullptr;
        } else {
            row["effect"][percentile] = ratio.low > 1 || ratio.high < 1;
        }
    }
}

void add_figures(json &row, const SeriesByRound &rounds, const std::string &name) {
    row["figures"] = json::object();
    row["figures_ci"] = json::object();
    for (const auto &one : rounds.front().at(name).at("figures").items()) {
        const std::string &key = one.key();
        const Spread figure = spread_of(
            collect(rounds, name, [&key](const json &s) { return s.at("figures").at(key).get<double>(); }));
        row["figures"][key] = figure.median;
        row["figures_ci"][key] = {figure.low, figure.high};
    }
}

std::string with_interval(const json &ratio, const std::string &percentile) {
    if (ratio.at(percentile).is_null()) {
        return "?";
    }
    const json &ends = ratio.at(percentile + "_ci");
    return fmt::format("{} [{}, {}]", times(ratio.at(percentile)), times(ends[0]), times(ends[1]));
}

std::string listed(const std::vector<std::string> &names) {
    return fmt::format("{}", fmt::join(names, ", "));
}

/// One sentence, and no more than the intervals say.
std::string finding_of(const json &rows, const std::string &baseline) {
    std::vector<std::string> faster;
    std::vector<std::string> slower;
    std::vector<std::string> none;
    std::vector<std::string> unknown;
    for (const json &row : rows) {
        const std::string name = row["name"];
        if (name == baseline) {
            continue;
        }
        const json &effect = row["effect"]["p50"];
        if (effect.is_null()) {
            unknown.push_back(name);
        } else if (!effect.get<bool>()) {
            none.push_back(name);
        } else {
            (row["ratio"]["p50"] < 1 ? faster : slower)
                .push_back(fmt::format("{} {}", name, with_interval(row["ratio"], "p50")));
        }
    }
    std::vector<std::string> parts;
    const auto add = [&parts](const char *what, const std::vector<std::string> &names) {
        if (!names.empty()) {
            parts.push_back(fmt::format("{}: {}", what, listed(names)));
        }
    };
    add("faster", faster);
    add("slower", slower);
    add("no measurable effect", none);
    add("too few rounds to say", unknown);
    return parts.empty() ? fmt::format("there is nothing beside {} to compare it with", baseline)
                         : fmt::format("at P50, against {}, {}", baseline, fmt::join(parts, "; "));
}

void print_ratios(std::ostringstream &out, const json &comparison) {
    const std::vector<int> widths{name_width, 22, 22, 22};
    out << fmt::format("\n{} {}, median of the rounds' own ratios [smallest, largest]:\n\n",
                       comparison["to_floor"].get<bool>() ? "Distance to the floor, as a ratio to that of"
                                                          : "Ratio to",
                       comparison["baseline"].get<std::string>());
    markdown_head(out, {"", "P50", "P99", "P99.9"}, widths);
    bool marked = false;
    bool few = false;
    for (const json &row : comparison["rows"]) {
        if (row["name"] == comparison["baseline"]) {
            continue;
        }
        std::vector<std::string> cells{row["name"]};
        for (const std::string percentile : percentiles) {
            const json &effect = row["effect"][percentile];
            const bool none = effect.is_boolean() && !effect.get<bool>();
            marked = marked || none;
            few = few || effect.is_null();
            cells.push_back((none ? "~ " : "") + with_interval(row["ratio"], percentile));
        }
        markdown_line(out, cells, widths);
    }
    if (marked) {
        out << "\n~ no measurable effect: the interval includes 1.\n";
    }
    if (few) {
        out << fmt::format("\nWhether there is an effect takes {} rounds or more to say.\n",
                           least_rounds_for_effect);
    }
}

/// Tables of as many columns as fit beside the name, one below the other.
void print_columns(std::ostringstream &out, const json &rows, const std::vector<std::string> &titles,
                   const std::function<std::string(const json &row, std::size_t column)> &cell) {
    constexpr int columns_left = 110 - name_width - 4;
    for (std::size_t first = 0; first < titles.size();) {
        std::vector<int> widths{name_width};
        std::vector<std::string> head{""};
        int left = columns_left;
        std::size_t next = first;
        for (; next < titles.size(); ++next) {
            const int width = std::max(7, static_cast<int>(titles[next].size()));
            if (next > first && left < width + 3) {
                break;
            }
            left -= width + 3;
            widths.push_back(width);
            head.push_back(titles[next]);
        }
        out << (first == 0 ? "" : "\n");
        markdown_head(out, head, widths);
        for (const json &row : rows) {
            std::vector<std::string> cells{row["name"]};
            for (std::size_t column = first; column < next; ++column) {
                cells.push_back(cell(row, column));
            }
            markdown_line(out, cells, widths);
        }
        first = next;
    }
}

void print_counts(std::ostringstream &out, const json &comparison) {
    const std::vector<std::pair<std::string, std::string>> columns{
        {"floor P50", "floor_p50"},
        {"half rtt", "half_rtt_p50"},
        {"lost", "lost"},
        {"dropped", "dropped"},
        {"torn", "torn"},
        {"stamps", "stamp_errors"},
        {"reject", "rejected_series"},
        {"moved", "unsettled_series"},
    };
    std::vector<std::string> titles;
    for (const auto &[title, key] : columns) {
        titles.push_back(title);
    }
    out << "\nThe floor in the same boots, and what went wrong, counted:\n\n";
    print_columns(out, comparison["rows"], titles, [&](const json &row, std::size_t column) {
        return grouped(row.at(columns[column].second));
    });
}

void print_figures(std::ostringstream &out, const json &comparison) {
    std::set<std::string> keys;
    for (const json &row : comparison["rows"]) {
        for (const auto &[key, value] : row["figures"].items()) {
            keys.insert(key);
        }
    }
    if (keys.empty()) {
        return;
    }
    const std::vector<std::string> titles(keys.begin(), keys.end());
    out << "\nOther figures, medians of the rounds:\n\n";
    print_columns(out, comparison["rows"], titles, [&](const json &row, std::size_t column) {
        const json &figures = row["figures"];
        const auto found = figures.find(titles[column]);
        if (found == figures.end() || !found->is_number()) {
            return std::string();
        }
        const double value = found->get<double>();
        return value >= 1000 && value < 1e18 ? grouped(static_cast<Cycles>(std::llround(value)))
                                             : fmt::format("{:.3g}", value);
    });
}

} // namespace

json read_comparison(const std::filesystem::path &file) {
    json result = read_json(file);
    for (const char *key : {"contenders", "rounds", "rejected", "environment"}) {
        if (!result.is_object() || !result.contains(key)) {
            throw std::runtime_error(fmt::format("{} is no comparison: it has no '{}'", file.string(), key));
        }
    }
    result["host"] = read_json(file.parent_path() / "host.json");
    return result;
}

nlohmann::json compare(const std::vector<nlohmann::json> &results, const Comparison &how) {
    const Collected all = collect_all(results);
    Comparison chosen = how;
    if (chosen.baseline.empty()) {
        chosen.baseline = all.names.front();
    } else if (std::find(all.names.begin(), all.names.end(), chosen.baseline) == all.names.end()) {
        throw std::runtime_error(
            fmt::format("the baseline {} was not measured, only: {}", chosen.baseline, listed(all.names)));
    }
    json comparison{{"schema", 1},
                    {"title", chosen.title},
                    {"baseline", chosen.baseline},
                    {"to_floor", chosen.to_floor},
                    {"environment", make_environment(all.rounds, chosen.varies)},
                    {"rows", json::array()}};
    for (const std::string &name : all.names) {
        const auto rejected = all.rejected.find(name);
        json row = make_row(all.rounds, name, rejected == all.rejected.end() ? 0 : rejected->second);
        row["name"] = name;
        add_figures(row, all.rounds, name);
        add_ratios(row, all.rounds, name, chosen);
        comparison["rows"].push_back(std::move(row));
    }
    comparison["finding"] = finding_of(comparison["rows"], chosen.baseline);
    return comparison;
}

std::string comparison_to_markdown(const nlohmann::json &comparison) {
    std::ostringstream out;
    if (const std::string title = comparison["title"]; !title.empty()) {
        out << title << "\n\n";
    }
    print_latencies(out, comparison, {name_width, 22, 22, 22});
    if (comparison["rows"].size() > 1) {
        print_ratios(out, comparison);
    }
    print_counts(out, comparison);
    print_figures(out, comparison);
    out << provenance(comparison["environment"], comparison["rows"][0]);
    return out.str();
}

} // namespace ladder
