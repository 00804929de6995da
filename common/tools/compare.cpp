// SPDX-License-Identifier: MIT
/// @file
/// ladder-compare: makes one table of what programs that compare left: interleave()'s result.json beside the
/// runner's host.json. Prints Markdown, and in the last line what was found.

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/compare.hpp"
#include "common/result.hpp"

int main(int argc, char **argv) {
    CLI::App app("Compares the contenders of one or more results.", "ladder-compare");
    std::vector<std::string> files;
    std::vector<std::string> varies;
    std::string json_file;
    std::string verb;
    ladder::Comparison how;
    app.add_option("results", files, "result.json, with host.json in the same folder")
        ->required()
        ->check(CLI::ExistingFile);
    app.add_option("--baseline", how.baseline, "the name to compare with (the first, if not given)");
    app.add_option("--title", how.title, "what is compared");
    app.add_option("--json", json_file, "write the rows as JSON, too");
    app.add_option("--verb", verb, "make's verb, for the JSON");
    app.add_option("--varies", varies, "a key of the environment that may differ, for example cmdline");
    app.add_flag("--to-floor", how.to_floor,
                 "compare distances to each series' own floor: for several boots");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        how.varies = {varies.begin(), varies.end()};
        std::vector<nlohmann::json> results;
        results.reserve(files.size());
        for (const std::string &file : files) {
            results.push_back(ladder::read_comparison(file));
        }
        nlohmann::json comparison = ladder::compare(results, how);
        comparison["verb"] = verb;
        if (!json_file.empty()) {
            ladder::write_json(json_file, comparison);
        }
        fmt::print("{}\nFound: {}.\n", ladder::comparison_to_markdown(comparison),
                   comparison["finding"].get<std::string>());
        return 0;
    } catch (const std::exception &error) {
        fmt::print(stderr, "ladder-compare: {}\n", error.what());
        return 1;
    }
}
