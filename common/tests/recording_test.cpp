// SPDX-License-Identifier: MIT
#include "common/recording.hpp"

#include <gtest/gtest.h>

#include "common/series.hpp"

TEST(Recording, CostsSomethingFromTheFirstSampleToTheLast) {
    // One sample, a block that does not divide the number, and both ways of keeping them.
    for (const std::size_t samples :
         {std::size_t{1}, std::size_t{19}, std::size_t{1234}, ladder::Series::most_raw + 1}) {
        for (const bool raw : {false, true}) {
            const ladder::RecordingCost cost = ladder::cost_of_recording(samples, raw);
            EXPECT_GT(cost.first, 0) << samples;
            EXPECT_GT(cost.last, 0) << samples;
        }
    }
}
