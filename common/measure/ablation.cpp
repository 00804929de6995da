// SPDX-License-Identifier: MIT
/// @file
/// ablation: measures a configuration and, in turn with it, the same with one choice changed, and another,
/// and so on, in one boot.
///
///     ablation best|naive NAME SWITCH,SWITCH...|none [OPTION...]
///
/// NAME is that of the unchanged configuration in the result: for what the boot itself changed.

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "common/measure/ablation/configuration.hpp"
#include "common/measure/ablation/consumer.hpp"
#include "common/run.hpp"

namespace {

using ladder::ablation::Configuration;
using ladder::ablation::Switch;

ladder::Contender contender(const std::string &name, const Configuration &how, const ladder::Options &options,
                            const ladder::Deadline &deadline) {
    return {name, [how, &options, &deadline](ladder::Series &series, auto & /*figures*/) {
                ladder::ablation::measure(how, options, deadline, series);
            }};
}

} // namespace

int main(int argc, char **argv) {
    constexpr int own_arguments = 3;
    const std::vector<std::string> arguments(argv, argv + argc);
    if (argc <= own_arguments || (arguments[1] != "best" && arguments[1] != "naive")) {
        std::fputs("ablation: usage: ablation best|naive NAME SWITCH,SWITCH...|none [OPTION...]\n", stderr);
        return 2;
    }
    std::vector<Switch> switches;
    try {
        switches = ladder::ablation::chosen_switches(arguments[3]);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "ablation: %s\n", error.what());
        return 2;
    }
    const auto contenders = [&](const ladder::Options &options, const ladder::Deadline &deadline) {
        const Configuration start = arguments[1] == "best" ? ladder::ablation::best(options.spin)
                                                           : ladder::ablation::naive(options.spin);
        std::vector<ladder::Contender> all{contender(arguments[2], start, options, deadline)};
        for (const Switch &one : switches) {
            all.push_back(contender(ladder::ablation::describe_change(start, one),
                                    ladder::ablation::changed(start, one), options, deadline));
        }
        return all;
    };
    return ladder::run_interleaved("ablation", "Measures what one choice, changed alone, does.",
                                   argc - own_arguments, argv + own_arguments, contenders);
}
