// SPDX-License-Identifier: MIT
/// @file
/// ladder-cdf: the cumulative distribution of all samples in some series' folders, for `make plots`.

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/samples.hpp"

int main(int argc, char **argv) {
    CLI::App app("Prints the cumulative distribution of the samples in the folders.", "ladder-cdf");
    std::vector<std::string> folders;
    app.add_option("folders", folders, "each with samples.csv or histogram.csv")
        ->required()
        ->check(CLI::ExistingDirectory);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    try {
        ladder::Histogram all;
        for (const std::string &folder : folders) {
            all.merge(ladder::read_samples(folder));
        }
        ladder::write_cdf(std::cout, all);
        return 0;
    } catch (const std::exception &error) {
        fmt::print(stderr, "ladder-cdf: {}\n", error.what());
        return 1;
    }
}
