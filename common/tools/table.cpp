// SPDX-License-Identifier: MIT
/// @file
/// ladder-table: makes the results table of the series that the runner left. Prints Markdown.

#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/result.hpp"
#include "common/table.hpp"

namespace {

namespace fs = std::filesystem;

constexpr int moved = 3; // the exit status of --accepted for a series that has to be measured again

/// In sorted order: round-1, round-2 ...; only folders.
std::set<fs::path> folders_in(const fs::path &folder) {
    std::set<fs::path> found;
    for (const auto &entry : fs::directory_iterator(folder)) {
        if (entry.is_directory()) {
            found.insert(entry.path());
        }
    }
    return found;
}

/// `FOLDER/round-N/STAGE` are the series, `FOLDER/rejected/*-STAGE` those that were measured again.
nlohmann::json table_of(const fs::path &folder, const fs::path &reference) {
    std::vector<std::map<std::string, nlohmann::json>> rounds;
    std::map<std::string, std::size_t> rejected;
    for (const fs::path &round : folders_in(folder)) {
        if (round.filename() == "rejected") {
            for (const fs::path &series : folders_in(round)) {
                const std::string name = series.filename();
                ++rejected[name.substr(name.find('-') + 1)];
            }
            continue;
        }
        auto &stages = rounds.emplace_back();
        for (const fs::path &series : folders_in(round)) {
            stages[series.filename()] = ladder::read_series(series);
        }
    }
    return ladder::make_table(rounds, rejected, ladder::read_reference(reference));
}

} // namespace

int main(int argc, char **argv) {
    CLI::App app("Makes the results table of the series in a folder.", "ladder-table");
    std::string folder;
    std::string reference;
    std::string json_file;
    bool accepted = false;
    app.add_option("folder", folder, "the rounds' folders; with --accepted one series' folder")
        ->required()
        ->check(CLI::ExistingDirectory);
    app.add_option("--reference", reference, "the original's table (CSV)")->check(CLI::ExistingFile);
    app.add_option("--json", json_file, "write the table as JSON, too");
    app.add_flag("--accepted", accepted, "only say whether the floor held still: exit status 0, or 3");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        if (accepted) {
            return ladder::floor_moved(ladder::read_series(folder)) ? moved : 0;
        }
        const nlohmann::json table = table_of(folder, reference);
        if (!json_file.empty()) {
            ladder::write_json(json_file, table);
        }
        fmt::print("{}", ladder::to_markdown(table));
        return 0;
    } catch (const std::exception &error) {
        fmt::print(stderr, "ladder-table: {}\n", error.what());
        return 1;
    }
}
