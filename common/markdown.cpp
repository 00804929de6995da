// SPDX-License-Identifier: MIT
#include "common/markdown.hpp"

#include <fmt/format.h>

namespace ladder {
namespace {

using nlohmann::json;

std::string bound(const json &value) {
    return value.is_null() ? "unbounded" : grouped(value.get<Cycles>());
}

/// What the environment says; a key that the rows are compared for is not in it.
std::string text_of(const json &environment, const char *key) {
    if (!environment.contains(key)) {
        return "(differs)";
    }
    const json &value = environment[key];
    return value.is_string() ? value.get<std::string>() : value.dump();
}

} // namespace

void markdown_line(std::ostream &out, const std::vector<std::string> &cells, const std::vector<int> &widths) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        out << (i == 0 ? fmt::format("| {:<{}} |", cells[i], widths[i])
                       : fmt::format(" {:>{}} |", cells[i], widths[i]));
    }
    out << '\n';
}

void markdown_head(std::ostream &out, const std::vector<std::string> &cells, const std::vector<int> &widths) {
    markdown_line(out, cells, widths);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string dashes(static_cast<std::size_t>(widths[i]) + 1, '-');
        out << (i == 0 ? "|" + dashes + "-|" : dashes + ":|");
    }
    out << '\n';
}

std::string grouped(Cycles value) {
    return value < 1000 ? std::to_string(value)
                        : fmt::format("{},{:03}", grouped(value / 1000), value % 1000);
}

std::string as_time(Cycles cycles, std::uint64_t khz) {
    if (khz == 0) {
        return "?";
    }
    const double ns = static_cast<double>(cycles) * 1e6 / static_cast<double>(khz);
    return ns < 10'000 ? fmt::format("{:.0f} ns", ns)
           : ns < 10e6 ? fmt::format("{:.0f} us", ns / 1000)
                       : fmt::format("{:.0f} ms", ns / 1e6);
}

std::string interval(const nlohmann::json &row, const std::string &percentile) {
    const json &ends = row.at(percentile + "_ci");
    return fmt::format("[{}, {}]", bound(ends[0]), bound(ends[1]));
}

std::string times(double ratio) {
    return ratio < 0.005 ? "<0.01x" : fmt::format("{:.{}f}x", ratio, ratio < 10 ? 2 : 1);
}

std::string provenance(const nlohmann::json &environment, const nlohmann::json &row) {
    const auto said = [&](const char *key) { return text_of(environment, key); };
    return fmt::format(
        "\n{} round(s) of {} samples after {} of warm-up, one message per {} us. Linux {} in QEMU {} ({}), "
        "guest CPU {}, host CPU {}, threads {}; clock source {}, TSC {} kHz, HZ {}, preemption {}, polling "
        "{}; "
        "mitigations: {}. Commit {}{}, {}.\nCommand line: {}\n",
        row["rounds"].dump(), row["samples"].dump(), row["warmup"].dump(), said("period_us"), said("kernel"),
        said("qemu"), said("accel"), said("guest_cpu"), said("host_cpu"),
        !environment.contains("pinned")     ? said("pinned")
        : environment["pinned"].get<bool>() ? "pinned"
                                            : "NOT pinned",
        said("clocksource"), said("tsc_khz"), said("hz"), said("preempt"), said("spin"), said("mitigations"),
        said("commit").substr(0, 12), environment.value("dirty", false) ? " with changes" : "", said("time"),
        said("cmdline"));
}

} // namespace ladder
