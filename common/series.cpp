// SPDX-License-Identifier: MIT
#include "common/series.hpp"

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace ladder {

Series::Series(std::string name, std::size_t samples, std::size_t warmup)
    : name_(std::move(name)), wanted_(samples), warmup_(warmup) {
    if (samples == 0) {
        throw std::invalid_argument("a series needs at least one sample");
    }
    // Now, not while messages arrive: a growing vector copies, and touches pages for the first time.
    samples_.resize(samples);
    samples_.clear();
}

Summary Series::summary() const {
    std::vector<Cycles> latencies;
    latencies.reserve(samples_.size());
    for (const Sample &sample : samples_) {
        latencies.push_back(sample.latency);
    }
    return summarize(std::move(latencies));
}

void Series::write_csv(const std::filesystem::path &file) const {
    std::ofstream out(file);
    out << "sequence,sent,latency\n";
    for (const Sample &sample : samples_) {
        out << sample.sequence << ',' << sample.sent << ',' << sample.latency << '\n';
    }
    out.close();
    if (!out) {
        throw std::system_error(errno, std::generic_category(), "cannot write " + file.string());
    }
}

} // namespace ladder
