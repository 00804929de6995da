// SPDX-License-Identifier: MIT
#include "common/measure/ablation/configuration.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <stdexcept>

namespace ladder::ablation {

const std::vector<Switch> &all_switches() {
    static const std::vector<Switch> all{
        {"wait", &Configuration::sleeps, "poll", "sleep in read()"},
        {"pause", &Configuration::pauses, "no pause", "pause"},
        {"fence", &Configuration::fences, "acquire", "mfence"},
        {"look", &Configuration::waits_for_head, "slot", "head"},
        {"layout", &Configuration::packed, "padded", "packed"},
        {"tail", &Configuration::shared_tail, "own copy", "shared"},
        {"consumer", &Configuration::unpinned, "pinned", "unpinned"},
        {"simulator", &Configuration::interrupts_itself, "CPU 0", "consumer's"},
        {"interrupt", &Configuration::soft, "hard", "soft"},
    };
    return all;
}

std::vector<Switch> chosen_switches(const std::string &names) {
    std::set<std::string> wanted;
    std::istringstream in(names == "none" ? "" : names);
    for (std::string name; std::getline(in, name, ',');) {
        wanted.insert(name);
    }
    std::vector<Switch> chosen;
    for (const Switch &one : all_switches()) {
        if (wanted.erase(one.name) != 0) {
            chosen.push_back(one);
        }
    }
    if (!wanted.empty()) {
        throw std::invalid_argument("there is no switch '" + *wanted.begin() + "'");
    }
    return chosen;
}

Configuration best(Spin spin) {
    return {.pauses = spin == Spin::pause};
}

Configuration naive(Spin spin) {
    Configuration all = best(spin);
    for (const Switch &one : all_switches()) {
        all = changed(all, one);
    }
    return all;
}

Configuration changed(const Configuration &from, const Switch &one) {
    Configuration other = from;
    other.*one.choice = !(from.*one.choice);
    return other;
}

std::string describe_change(const Configuration &from, const Switch &one) {
    const bool taken_back = from.*one.choice;
    return one.name + ": " + (taken_back ? one.taken_back : one.own) + " to " +
           (taken_back ? one.own : one.taken_back);
}

} // namespace ladder::ablation
