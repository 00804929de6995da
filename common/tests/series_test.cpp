// SPDX-License-Identifier: MIT
#include "common/series.hpp"

#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

using ladder::Series;

TEST(Series, NoSamplesWantedIsAnError) {
    EXPECT_THROW(Series("x", 0, 0), std::invalid_argument);
}

TEST(Series, NoSampleHasNoSummary) {
    EXPECT_THROW(Series("x", 1, 0).summary(), std::invalid_argument);
}

TEST(Series, UserStampBeforeKernelStampIsCountedAndNoHugeNumber) {
    Series series("x", 2, 0);
    series.record(1, 100, 99);
    series.record(2, 100, 103);
    EXPECT_EQ(series.stamp_errors(), 1U);
    ASSERT_EQ(series.samples().size(), 1U);
    EXPECT_EQ(series.summary().max, 3U);
}

TEST(Series, LargestLatencyIsKept) {
    constexpr auto most = std::numeric_limits<ladder::Cycles>::max();
    Series series("x", 1, 0);
    series.record(1, 0, most);
    EXPECT_EQ(series.summary().p50, most);
}

TEST(Series, GapIsMissing) {
    Series series("x", 10, 0);
    series.start_after(100);
    series.record(101, 0, 1);
    series.record(105, 0, 1);
    EXPECT_EQ(series.missing(), 3U);
    EXPECT_EQ(series.lost(), 3U);
}

TEST(Series, GapBeforeTheFirstMessageIsMissing) {
    Series series("x", 10, 0);
    series.start_after(100);
    series.record(103, 0, 1);
    EXPECT_EQ(series.missing(), 2U);
}

TEST(Series, DroppedIsNotLost) {
    Series series("x", 10, 0);
    series.record(6, 0, 1);
    series.count_dropped(3);
    EXPECT_EQ(series.missing(), 5U);
    EXPECT_EQ(series.dropped(), 3U);
    EXPECT_EQ(series.lost(), 2U);
}

TEST(Series, DroppedAfterTheLastMessageDoesNotMakeLostNegative) {
    Series series("x", 10, 0);
    series.record(1, 0, 1);
    series.count_dropped(3);
    EXPECT_EQ(series.lost(), 0U);
}

TEST(Series, RepeatedAndReorderedMessagesAreNoSamples) {
    Series series("x", 10, 0);
    series.record(5, 0, 1);
    series.record(5, 0, 1);
    series.record(4, 0, 1);
    EXPECT_EQ(series.repeated(), 2U);
    EXPECT_EQ(series.samples().size(), 1U);
}

TEST(Series, WarmupIsCountedAndNotKept) {
    Series series("x", 2, 3);
    for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
        EXPECT_FALSE(series.complete());
        series.record(sequence, 0, sequence);
    }
    EXPECT_TRUE(series.complete());
    EXPECT_EQ(series.samples().front().sequence, 4U);
    EXPECT_EQ(series.missing(), 0U);
}

TEST(Series, CompleteSeriesTakesNoMore) {
    Series series("x", 1, 0);
    series.record(1, 0, 7);
    series.record(2, 0, 9);
    EXPECT_EQ(series.samples().size(), 1U);
    EXPECT_EQ(series.last(), 2U);
}

TEST(Series, WritesEverySample) {
    const auto file =
        std::filesystem::temp_directory_path() / ("ladder-series-" + std::to_string(getpid()) + ".csv");
    Series series("x", 2, 0);
    series.record(1, 10, 15);
    series.record(2, 20, 27);
    series.write_csv(file);
    std::ifstream in(file);
    const std::string all((std::istreambuf_iterator<char>(in)), {});
    std::filesystem::remove(file);
    EXPECT_EQ(all, "sequence,sent,latency\n1,10,5\n2,20,7\n");
}

TEST(Series, FileThatCannotBeWrittenIsNamed) {
    try {
        Series("x", 1, 0).write_csv("/nowhere/samples.csv");
        FAIL();
    } catch (const std::system_error &error) {
        EXPECT_NE(std::string(error.what()).find("/nowhere/samples.csv"), std::string::npos);
    }
}
