// SPDX-License-Identifier: MIT
#include "common/recording.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/series.hpp"
#include "common/tsc.hpp"

namespace ladder {
namespace {

constexpr std::size_t most_in_block = 1000;
constexpr std::size_t most_blocks = 10; // at each end

/// Latencies that go all over the buckets below a million, as those of a real series do not: this is the dear
/// case.
class Latencies {
public:
    Cycles next() {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U; // Knuth's MMIX generator
        return state_ >> 44;
    }

private:
    std::uint64_t state_ = 1;
};

} // namespace

RecordingCost cost_of_recording(std::size_t samples, bool raw) {
    Series series("recording", samples, 0, raw);
    const std::size_t block = std::clamp<std::size_t>(samples / (2 * most_blocks), 1, most_in_block);
    const std::size_t blocks = samples / block;
    const std::size_t counted = std::min(most_blocks, blocks);
    std::vector<double> first;
    std::vector<double> last;
    Latencies latencies;
    std::uint64_t sequence = 0;
    for (std::size_t i = 0; i < blocks; ++i) {
        const Cycles start = tsc_now();
        for (std::size_t sample = 0; sample < block; ++sample) {
            series.record(++sequence, 0, latencies.next());
        }
        const double cost = static_cast<double>(tsc_now() - start) / static_cast<double>(block);
        if (i < counted) {
            first.push_back(cost);
        }
        if (i >= blocks - counted) {
            last.push_back(cost);
        }
    }
    return {median(std::move(first)), median(std::move(last))};
}

} // namespace ladder
