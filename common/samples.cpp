// SPDX-License-Identifier: MIT
#include "common/samples.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ostream.h>

namespace ladder {
namespace {

/// A line's cells as numbers. @throws std::exception for anything else
std::vector<std::uint64_t> numbers_of(const std::string &line) {
    std::vector<std::uint64_t> numbers;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) {
        std::size_t end = 0;
        numbers.push_back(std::stoull(cell, &end));
        if (end != cell.size() || cell.front() == '-') {
            throw std::invalid_argument("not a number");
        }
    }
    if (numbers.size() != 3) {
        throw std::invalid_argument("not three cells");
    }
    return numbers;
}

} // namespace

Histogram read_samples(const std::filesystem::path &folder) {
    const bool counted = std::filesystem::exists(folder / "histogram.csv");
    const std::filesystem::path file = folder / (counted ? "histogram.csv" : "samples.csv");
    std::ifstream in(file);
    if (!in) {
        throw std::runtime_error(folder.string() + " has neither samples.csv nor histogram.csv");
    }
    Histogram histogram;
    std::string line;
    std::getline(in, line); // the names of the columns
    for (int number = 2; std::getline(in, line); ++number) {
        try {
            const std::vector<std::uint64_t> cells = numbers_of(line);
            if (counted) {
                histogram.record(cells[1], cells[2]); // of a bucket, the end: it is never below the sample
            } else {
                histogram.record(cells[2]);
            }
        } catch (const std::logic_error &) {
            throw std::runtime_error(fmt::format("{}:{}: not three numbers", file.string(), number));
        }
    }
    return histogram;
}

void write_cdf(std::ostream &out, const Histogram &histogram) {
    const auto all = static_cast<double>(histogram.count());
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < Histogram::bucket_count && below < histogram.count(); ++i) {
        const std::uint64_t count = histogram.count_in(i);
        if (count == 0) {
            continue;
        }
        const Cycles end = std::min(Histogram::highest_value(i), histogram.max());
        fmt::print(out, "{} {:.9f}\n", end, static_cast<double>(below) / all);
        below += count;
        if (below < histogram.count()) {
            fmt::print(out, "{} {:.9f}\n", end, static_cast<double>(below) / all);
        }
    }
}

} // namespace ladder
