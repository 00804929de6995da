// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <sstream>

#include <fmt/format.h>

#include "common/compare.hpp"
#include "common/markdown.hpp"
#include "common/measure/ablation/report.hpp"
#include "common/rows.hpp"

namespace ladder::ablation {
namespace {

using nlohmann::json;

const std::vector<int> widths{25, 24, 24, 24};

/// One cell for each percentile, after a first one.
template <class Cell>
void print_line(std::ostream &out, const std::string &first, Cell cell) {
    std::vector<std::string> cells{first};
    for (const std::string percentile : percentiles) {
        cells.push_back(cell(percentile));
    }
    markdown_line(out, cells, widths);
}

/// Two or three digits that count, and so narrow enough for its column.
std::string short_ratio(double ratio) {
    if (ratio < 0.1) {
        return fmt::format("{:.2g}", ratio);
    }
    const int decimals = ratio < 10 ? 2 : static_cast<int>(ratio < 100);
    return fmt::format("{:.{}f}", ratio, decimals);
}

/// "1.02 [0.95, 1.10]"; nothing where there is no such ratio.
std::string ratio_of(const json &ratios, const std::string &percentile) {
    if (!ratios.contains(percentile) || ratios.at(percentile).is_null()) {
        return "";
    }
    const json &ends = ratios.at(percentile + "_ci");
    return fmt::format("{} [{}, {}]", short_ratio(ratios.at(percentile)), short_ratio(ends.at(0)),
                       short_ratio(ends.at(1)));
}

std::string effect_of(const json &row, const std::string &percentile) {
    const json &effect = row.at("effect").at(percentile);
    if (effect.is_null()) {
        const bool distance = row.contains("only_distance") && row.at("only_distance").at(percentile);
        return distance ? "only against the floor" : "too few rounds to say";
    }
    if (!effect.get<bool>()) {
        return "no measurable effect";
    }
    return row.at("ratio").at(percentile).get<double>() < 1 ? "smaller" : "larger";
}

void print_ratios(std::ostream &out, const std::string &name, const json &ratios) {
    print_line(out, name, [&](const std::string &percentile) { return ratio_of(ratios, percentile); });
}

/// @param figures  percentiles and `floor_ratio`
/// @param what  the second line's first cell
void print_figures(std::ostream &out, const std::string &name, const std::string &what, const json &figures,
                   bool by_boot) {
    print_line(out, name, [&](const std::string &percentile) { return grouped(figures.at(percentile)); });
    print_line(out, what, [&](const std::string &percentile) { return interval(figures, percentile); });
    if (by_boot) {
        print_ratios(out, "  times its floor", figures.at("floor_ratio"));
    }
}

void print_row(std::ostream &out, const json &row, bool by_boot) {
    print_figures(out, row.at("switch"), "  " + row.at("change").get<std::string>(), row, by_boot);
    if (by_boot) {
        print_ratios(out, "  ratio of the cycles", row.at("cycles_ratio"));
    }
    print_ratios(out, by_boot ? "  ratio of distances" : "  ratio", row.at("ratio"));
    print_line(out, "", [&](const std::string &percentile) { return effect_of(row, percentile); });
}

/// What an interval of all rounds can't say: how often chance alone puts all of them on one side.
std::string word_of_caution(std::size_t rounds) {
    if (rounds < least_rounds_for_effect) {
        return "";
    }
    return fmt::format("With {} rounds, chance alone shows an effect in 1 of {:.0f} cells.\n", rounds,
                       std::exp2(static_cast<double>(rounds - 1)));
}

void print_kind(std::ostream &out, const std::string &start, const json &rows, const std::string &kind) {
    json chosen = json::array();
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(chosen),
                 [&](const json &row) { return row.at("kind") == kind; });
    if (chosen.empty()) {
        return;
    }
    const json &first = chosen.front();
    const bool by_boot = kind == "by boot";
    out << fmt::format("\nFrom the {} configuration, changed {}: {} {} of {} samples. TSC cycles, median\n"
                       "[smallest, largest]; ratios are medians of the rounds' own.{}\n\n",
                       start, kind, first.at("rounds").dump(),
                       by_boot ? "pairs of boots in turn" : "interleaved rounds", first.at("samples").dump(),
                       by_boot
                           ? " Distances are to each boot's own floor\n(P99.9: to its P99). An effect has "
                             "to show in the cycles, too: a switch can move the floor as well."
                           : "");
    markdown_head(out, {"", "P50", "P99", "P99.9"}, widths);
    for (const json &row : chosen) {
        if (by_boot || row == first) {
            print_figures(out, by_boot ? row.at("switch").get<std::string>() + ", unchanged" : "unchanged",
                          "", row.at("start"), by_boot);
        }
        print_row(out, row, by_boot);
    }
    out << '\n' << word_of_caution(first.at("rounds"));
}

void print_counts(std::ostream &out, const json &rows) {
    const auto sum = [&](const char *key) {
        std::uint64_t total = 0;
        for (const json &row : rows) {
            total += row.at(key).get<std::uint64_t>();
        }
        return grouped(total);
    };
    out << fmt::format(
        "In all changed series: lost {}, dropped {}, repeated {}, torn {}, stamp errors {}; series "
        "measured\nagain because the floor moved {}, kept though it moved {}.\n",
        sum("lost"), sum("dropped"), sum("repeated"), sum("torn"), sum("stamp_errors"),
        sum("rejected_series"), sum("unsettled_series"));
}

} // namespace

std::string ablation_to_markdown(const json &ablation) {
    std::ostringstream out;
    for (const auto &[start, rows] : ablation.at("from").items()) {
        print_kind(out, start, rows, "in one boot");
        print_kind(out, start, rows, "by boot");
        print_counts(out, rows);
        json environment = ablation.at("environment");
        environment.update(environment.at("starts").at(start));
        out << provenance(environment, rows.front());
    }
    return out.str().substr(1);
}

} // namespace ladder::ablation
