// SPDX-License-Identifier: MIT
/// @file
/// ladder-ablation: makes the tables of `make ablation` of what the runner left. Prints Markdown, and in the
/// last line what was found.

#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/measure/ablation/report.hpp"
#include "common/result.hpp"

int main(int argc, char **argv) {
    CLI::App app("Makes the tables of what one change alone does.", "ladder-ablation");
    std::string folder;
    std::string json_file;
    app.add_option("folder", folder, "has best/ and naive/, or one of them")
        ->required()
        ->check(CLI::ExistingDirectory);
    app.add_option("--json", json_file, "write the rows as JSON, too");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        const nlohmann::json ablation =
            ladder::ablation::make_ablation({ladder::ablation::read_measured(folder + "/best", "best"),
                                             ladder::ablation::read_measured(folder + "/naive", "naive")});
        if (!json_file.empty()) {
            ladder::write_json(json_file, ablation);
        }
        fmt::print("{}\nFound: {}.\n", ladder::ablation::ablation_to_markdown(ablation),
                   ablation["finding"].get<std::string>());
        return 0;
    } catch (const std::exception &error) {
        fmt::print(stderr, "ladder-ablation: {}\n", error.what());
        return 1;
    }
}
