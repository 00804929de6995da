// SPDX-License-Identifier: MIT
#include "common/measure/ablation/report.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "common/compare.hpp"
#include "common/rows.hpp"

namespace ladder::ablation {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// What a switch of the boot or the host may change about the machine, and has to change one of.
const std::set<std::string> changeable{"cmdline", "clocksource", "preempt", "pinned"};

std::vector<fs::path> sorted_folders(const fs::path &folder) {
    std::vector<fs::path> found;
    if (fs::is_directory(folder)) {
        for (const auto &entry : fs::directory_iterator(folder)) {
            if (entry.is_directory()) {
                found.push_back(entry.path());
            }
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

/// "isolcpus: with to without" is the switch "isolcpus" and the change "with to without".
void split_name(json &row) {
    const std::string name = row.at("name");
    const std::size_t colon = name.find(": ");
    row["switch"] = name.substr(0, colon);
    row["change"] = colon == std::string::npos ? "" : name.substr(colon + 2);
    row.erase("name");
}

json figures_of(const json &row) {
    json figures;
    for (const std::string percentile : percentiles) {
        figures[percentile] = row.at(percentile);
        figures[percentile + "_ci"] = row.at(percentile + "_ci");
    }
    figures["floor_ratio"] = row.at("floor_ratio");
    return figures;
}

/// Where a result comes from, the guest's word and the host's.
json origin_of(const json &result) {
    json origin = result.at("environment");
    origin.update(result.at("host"));
    return origin;
}

/// The changed boots have to differ from the unchanged ones in something, each time in the same.
void check_that_it_changed(const std::string &name, const std::vector<json> &boots) {
    if (boots.size() < 2) {
        throw std::runtime_error(fmt::format("{}: {} boots, but it takes pairs", name, boots.size()));
    }
    bool changed = false;
    for (const std::string &key : changeable) {
        const json unchanged_value = origin_of(boots[0]).at(key);
        const json changed_value = origin_of(boots[1]).at(key);
        changed = changed || unchanged_value != changed_value;
        for (std::size_t i = 0; i < boots.size(); ++i) {
            const json value = origin_of(boots[i]).at(key);
            if (value != (i % 2 == 0 ? unchanged_value : changed_value)) {
                throw std::runtime_error(fmt::format("{}: {} is {} in boot {}, but was {} in another of its "
                                                     "kind",
                                                     name, key, value.dump(), i + 1,
                                                     (i % 2 == 0 ? unchanged_value : changed_value).dump()));
            }
        }
    }
    if (!changed) {
        throw std::runtime_error(
            fmt::format("{}: the switch changed nothing: command line, clock source, preemption and pinning "
                        "are the same in all boots",
                        name));
    }
}

/// A switch of the boot can change the floor, too: then the distance to it changes, and the message is as
/// late as before. So an effect is one only if the cycles themselves say the same; if not, it is not known.
void demand_that_cycles_agree(json &row, const json &by_cycles) {
    row["cycles_ratio"] = by_cycles.at("ratio");
    for (const std::string percentile : percentiles) {
        const auto side = [&percentile](const json &one) {
            const json &effect = one.at("effect").at(percentile);
            if (!effect.is_boolean() || !effect.get<bool>()) {
                return 0;
            }
            return one.at("ratio").at(percentile).get<double>() < 1 ? -1 : 1;
        };
        const bool only_distance = side(row) != 0 && side(row) != side(by_cycles);
        row["only_distance"][percentile] = only_distance;
        if (only_distance) {
            row["effect"][percentile] = nullptr;
        }
    }
}

/// Appends the rows of a comparison but the first, which is the unchanged configuration's.
/// @param by_cycles  the same without the floor, for what was changed by boot; else null
void add_rows(json &rows, const json &comparison, const json &by_cycles) {
    const json &start = comparison.at("rows").at(0);
    for (std::size_t i = 1; i < comparison.at("rows").size(); ++i) {
        json row = comparison.at("rows").at(i);
        row["kind"] = by_cycles.is_null() ? "in one boot" : "by boot";
        row["start"] = figures_of(start);
        if (!by_cycles.is_null()) {
            demand_that_cycles_agree(row, by_cycles.at("rows").at(i));
        }
        split_name(row);
        rows.push_back(std::move(row));
    }
}

json rows_of(const Measured &measured) {
    json rows = json::array();
    if (!measured.in_one_boot.empty()) {
        const Comparison how{.title = "", .baseline = measured.start, .varies = {}};
        add_rows(rows, compare(measured.in_one_boot, how), nullptr);
    }
    for (const auto &[name, boots] : measured.by_boot) {
        check_that_it_changed(name, boots);
        Comparison how{.title = "", .baseline = measured.start, .varies = changeable};
        const json by_cycles = compare(boots, how);
        how.to_floor = true;
        add_rows(rows, compare(boots, how), by_cycles);
    }
    return rows;
}

/// A result of the unchanged configuration.
const json &unchanged_result(const Measured &measured) {
    return measured.in_one_boot.empty() ? measured.by_boot.front().second.front()
                                        : measured.in_one_boot.front();
}

/// What all have in common, and below `starts` what is each starting configuration's own.
json environment_of(const std::vector<Measured> &all) {
    SeriesByRound series;
    const auto add = [&series](const std::string &name, const json &result) {
        series.push_back({{name, {{"environment", result.at("environment")}, {"host", result.at("host")}}}});
    };
    for (const Measured &measured : all) {
        for (const json &result : measured.in_one_boot) {
            add(measured.start, result);
        }
        for (const auto &[name, boots] : measured.by_boot) {
            for (const json &result : boots) {
                add(name, result);
            }
        }
    }
    json environment = make_environment(series, changeable);
    for (const Measured &measured : all) {
        const json origin = origin_of(unchanged_result(measured));
        for (const std::string &key : changeable) {
            environment["starts"][measured.start][key] = origin.at(key);
        }
    }
    return environment;
}

/// The switches with an effect on P50, the largest first.
std::string with_effect(const json &rows, bool faster) {
    std::vector<std::pair<double, std::string>> found;
    for (const json &row : rows) {
        const json &effect = row.at("effect").at("p50");
        const json &ratio = row.at("ratio").at("p50");
        if (effect.is_boolean() && effect.get<bool>() && (ratio.get<double>() < 1) == faster) {
            const auto times = ratio.get<double>();
            found.emplace_back(times, fmt::format("{} ({:.{}f}x)", row.at("switch").get<std::string>(), times,
                                                  times < 10 ? 2 : 1));
        }
    }
    std::sort(found.begin(), found.end());
    if (!faster) {
        std::reverse(found.begin(), found.end());
    }
    std::vector<std::string> names;
    names.reserve(found.size());
    for (const auto &[times, name] : found) {
        names.push_back(name);
    }
    return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
}

bool is_only_distance(const json &row) {
    return row.contains("only_distance") && row.at("only_distance").at("p50").get<bool>();
}

template <class Holds>
std::size_t count(const json &rows, Holds holds) {
    return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), holds));
}

/// One sentence, and no more than the intervals say.
std::string finding_of(const json &from) {
    std::vector<std::string> parts;
    for (const auto &[start, rows] : from.items()) {
        std::string part = fmt::format(
            "changed alone from the {} configuration, {} made P50 larger, {} made "
            "it smaller, and {} of {} had no measurable effect on it",
            start, with_effect(rows, false), with_effect(rows, true),
            count(rows, [](const json &row) { return row["effect"]["p50"] == false; }), rows.size());
        const std::size_t distances = count(rows, is_only_distance);
        const std::size_t unknown =
            count(rows, [](const json &row) { return row["effect"]["p50"].is_null(); }) - distances;
        if (distances > 0) {
            part += fmt::format(", {} changed only the distance to the floor", distances);
        }
        if (unknown > 0) {
            part += fmt::format(", {} had too few rounds to say", unknown);
        }
        parts.push_back(std::move(part));
    }
    return fmt::format("{}", fmt::join(parts, "; "));
}

} // namespace

Measured read_measured(const fs::path &folder, const std::string &start) {
    Measured measured{.start = start, .in_one_boot = {}, .by_boot = {}};
    if (fs::exists(folder / "in-one-boot")) {
        measured.in_one_boot.push_back(read_comparison(folder / "in-one-boot" / "result.json"));
    }
    for (const fs::path &one : sorted_folders(folder / "by-boot")) {
        const std::string name = one.filename();
        auto &boots = measured.by_boot.emplace_back(name.substr(name.find('-') + 1), std::vector<json>{});
        for (const fs::path &boot : sorted_folders(one)) {
            boots.second.push_back(read_comparison(boot / "result.json"));
        }
    }
    return measured;
}

json make_ablation(const std::vector<Measured> &all) {
    std::vector<Measured> measured;
    std::copy_if(all.begin(), all.end(), std::back_inserter(measured),
                 [](const Measured &one) { return !one.in_one_boot.empty() || !one.by_boot.empty(); });
    if (measured.empty()) {
        throw std::runtime_error("nothing was measured");
    }
    json ablation{{"schema", 1}, {"environment", environment_of(measured)}, {"from", json::object()}};
    for (const Measured &one : measured) {
        ablation["from"][one.start] = rows_of(one);
    }
    ablation["finding"] = finding_of(ablation["from"]);
    return ablation;
}

} // namespace ladder::ablation
