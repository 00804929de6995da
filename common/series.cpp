// SPDX-License-Identifier: MIT
#include "common/series.hpp"

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace ladder {

Series::Series(std::string name, std::size_t samples, std::size_t warmup, bool raw)
    : name_(std::move(name)), wanted_(samples), warmup_(warmup) {
    if (samples == 0) {
        throw std::invalid_argument("a series needs at least one sample");
    }
    // Now, not while messages arrive: a growing vector copies, and touches pages for the first time.
    if (raw || samples <= most_raw) {
        samples_.resize(samples);
        samples_.clear();
    } else {
        histogram_ = std::make_unique<Histogram>();
    }
}

Summary Series::summary() const {
    if (histogram_) {
        return histogram_->summary();
    }
    std::vector<Cycles> latencies;
    latencies.reserve(samples_.size());
    for (const Sample &sample : samples_) {
        latencies.push_back(sample.latency);
    }
    return summarize(std::move(latencies));
}

std::filesystem::path Series::write_csv(const std::filesystem::path &folder) const {
    const std::filesystem::path file = folder / (exact() ? "samples.csv" : "histogram.csv");
    std::filesystem::remove(folder / (exact() ? "histogram.csv" : "samples.csv"));
    std::ofstream out(file);
    if (exact()) {
        out << "sequence,sent,latency\n";
        for (const Sample &sample : samples_) {
            out << sample.sequence << ',' << sample.sent << ',' << sample.latency << '\n';
        }
    } else {
        out << "lowest,highest,count\n";
        for (std::size_t i = 0; i < Histogram::bucket_count; ++i) {
            if (const std::uint64_t count = histogram_->count_in(i); count != 0) {
                out << Histogram::lowest_value(i) << ',' << Histogram::highest_value(i) << ',' << count
                    << '\n';
            }
        }
    }
    out.close();
    if (!out) {
        throw std::system_error(errno, std::generic_category(), "cannot write " + file.string());
    }
    return file;
}

} // namespace ladder
