// SPDX-License-Identifier: MIT
#include "common/environment.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>
#include <sys/utsname.h>

#include "common/tsc.hpp"

namespace ladder {
namespace {

/// The first line of a file, or nothing: a kernel need not have it.
std::string first_line(const std::filesystem::path &file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

/// The kernel's own words, one per vulnerability that it mitigates.
std::string mitigations() {
    const std::filesystem::path folder = "/sys/devices/system/cpu/vulnerabilities";
    std::string all;
    std::error_code none;
    for (const auto &entry : std::filesystem::directory_iterator(folder, none)) {
        const std::string state = first_line(entry.path());
        if (state != "Not affected") {
            all += (all.empty() ? "" : "; ") + entry.path().filename().string() + ": " + state;
        }
    }
    return all.empty() ? "none needed" : all;
}

} // namespace

nlohmann::json describe_environment(int producer_cpu, int consumer_cpu) {
    utsname system{};
    uname(&system);
    const StampCost stamp = tsc_stamp_cost();
    return {
        {"kernel", system.release},
        {"kernel_version", system.version},
        {"clocksource", first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource")},
        {"guest_cpu", cpu_model()},
        {"tsc_khz", tsc_khz()},
        {"tsc_invariant", tsc_is_invariant()},
        {"rdtscp", tsc_has_rdtscp()},
        {"tsc_offset", tsc_offset_between(producer_cpu, consumer_cpu)},
        {"stamp_p50", stamp.p50},
        {"cmdline", first_line("/proc/cmdline")},
        {"mitigations", mitigations()},
    };
}

} // namespace ladder
