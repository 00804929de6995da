// SPDX-License-Identifier: MIT
#include "common/progress.hpp"

#include <atomic>
#include <string>

#include <gtest/gtest.h>

using ladder::progress_line;
using std::chrono::seconds;

TEST(ProgressLine, NothingIsKnownBeforeTheFirstSample) {
    EXPECT_FALSE(progress_line(0, 1000, seconds(10)));
    EXPECT_FALSE(progress_line(1001, 1000, seconds(10)));
}

TEST(ProgressLine, SaysWhatTheRestWillTake) {
    EXPECT_EQ(progress_line(250, 1000, seconds(30)), "  250 of 1,000 samples; about 1:30 left");
    EXPECT_EQ(progress_line(1000, 1000, seconds(30)), "  1,000 of 1,000 samples; about 0:00 left");
}

TEST(ProgressOf, EndsAtOnceWithTheSeries) {
    const ladder::Series series("x", 10, 0);
    const auto begun = std::chrono::steady_clock::now();
    { const ladder::ProgressOf progress(series, std::chrono::hours(1)); }
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::minutes(1));
}

TEST(ProgressOf, ShortSeriesShowsNothing) {
    ladder::Series series("x", 1, 0);
    series.record(1, 0, 1);
    {
        const ladder::ProgressOf progress(series, seconds(9),
                                          [](const std::string &line) { ADD_FAILURE() << line; });
    }
}

TEST(ProgressOf, ShowsASeriesWhileItIsMeasured) {
    ladder::Series series("x", 1'000'000'000, 0);
    std::atomic<bool> shown{false};
    const ladder::ProgressOf progress(series, seconds(10), [&](const std::string &line) {
        EXPECT_NE(line.find(" of 1,000,000,000 samples; about "), std::string::npos) << line;
        shown = true;
    });
    // Messages arrive until a line was shown: at the first look, in about a second.
    for (std::uint64_t sequence = 1; !shown; ++sequence) {
        series.record(sequence, 0, 1);
    }
}
