// SPDX-License-Identifier: MIT
#include "common/series.hpp"

#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
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

TEST(Series, MemoryDoesNotGrowWithTheLength) {
    const Series most("x", Series::most_raw, 0);
    for (const std::size_t samples : {Series::most_raw + 1, std::size_t{10'000'000}, std::size_t{1} << 40}) {
        const Series longer("x", samples, 0);
        EXPECT_FALSE(longer.exact());
        EXPECT_EQ(longer.memory_bytes(), ladder::Histogram::memory_bytes());
        EXPECT_LE(longer.memory_bytes(), most.memory_bytes());
    }
}

TEST(Series, MemoryIsThereBeforeTheFirstSample) {
    Series series("x", 1000, 0);
    const std::size_t before = series.memory_bytes();
    EXPECT_EQ(before, 1000 * sizeof(ladder::Sample));
    for (std::uint64_t sequence = 1; sequence <= 1000; ++sequence) {
        series.record(sequence, 0, 1);
    }
    EXPECT_EQ(series.memory_bytes(), before);
}

TEST(Series, LongOneIsWithinItsErrorOfTheExactOne) {
    constexpr std::size_t samples = 50'000;
    Series counted("x", samples, 10);
    Series kept("x", samples, 10, true);
    ASSERT_TRUE(kept.exact());
    ASSERT_FALSE(counted.exact());
    EXPECT_EQ(kept.relative_error(), 0);
    std::mt19937_64 random(6);
    for (std::uint64_t sequence = 1; !kept.complete(); ++sequence) {
        const ladder::Cycles latency = random() >> (20 + random() % 44);
        counted.record(sequence, 0, latency);
        kept.record(sequence, 0, latency);
    }
    EXPECT_TRUE(counted.complete());
    EXPECT_EQ(counted.count(), samples);
    EXPECT_TRUE(counted.samples().empty());
    const ladder::Summary exact = kept.summary();
    const ladder::Summary close = counted.summary();
    EXPECT_EQ(close.count, exact.count);
    EXPECT_EQ(close.min, exact.min);
    EXPECT_EQ(close.max, exact.max);
    const auto expect_close = [&](ladder::Cycles value, ladder::Cycles right) {
        EXPECT_GE(value, right);
        EXPECT_LE(static_cast<double>(value), static_cast<double>(right) * (1 + counted.relative_error()));
    };
    expect_close(close.p50, exact.p50);
    expect_close(close.p99, exact.p99);
    expect_close(close.p999, exact.p999);
    expect_close(*close.p50_interval.low, *exact.p50_interval.low);
    expect_close(*close.p999_interval.high, *exact.p999_interval.high);
}

TEST(Series, LongOneCountsWhatWentWrong) {
    Series series("x", Series::most_raw + 1, 0);
    series.record(3, 0, 1);
    series.record(3, 0, 1);
    series.record(4, 9, 1);
    EXPECT_EQ(series.missing(), 2U);
    EXPECT_EQ(series.repeated(), 1U);
    EXPECT_EQ(series.stamp_errors(), 1U);
    EXPECT_EQ(series.count(), 1U);
}

namespace {

class Folder {
public:
    Folder() : path(std::filesystem::temp_directory_path() / ("ladder-series-" + std::to_string(getpid()))) {
        std::filesystem::create_directory(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder &) = delete;
    Folder &operator=(const Folder &) = delete;
    const std::filesystem::path path;
};

std::string text_of(const std::filesystem::path &file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace

TEST(Series, WritesEverySample) {
    const Folder folder;
    std::ofstream(folder.path / "histogram.csv") << "of an earlier series";
    Series series("x", 2, 0);
    series.record(1, 10, 15);
    series.record(2, 20, 27);
    EXPECT_EQ(series.write_csv(folder.path), folder.path / "samples.csv");
    EXPECT_EQ(text_of(folder.path / "samples.csv"), "sequence,sent,latency\n1,10,5\n2,20,7\n");
    EXPECT_FALSE(std::filesystem::exists(folder.path / "histogram.csv"));
}

TEST(Series, LongOneWritesTheBucketsThatAreNotEmpty) {
    const Folder folder;
    Series series("x", Series::most_raw + 1, 0);
    series.record(1, 0, 5);
    series.record(2, 0, 5);
    series.record(3, 0, 1025);
    EXPECT_EQ(series.write_csv(folder.path), folder.path / "histogram.csv");
    EXPECT_EQ(text_of(folder.path / "histogram.csv"), "lowest,highest,count\n5,5,2\n1024,1031,1\n");
}

TEST(Series, FileThatCannotBeWrittenIsNamed) {
    try {
        Series("x", 1, 0).write_csv("/nowhere");
        FAIL();
    } catch (const std::system_error &error) {
        EXPECT_NE(std::string(error.what()).find("/nowhere/samples.csv"), std::string::npos);
    }
}
