// SPDX-License-Identifier: MIT
#include "common/samples.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/series.hpp"

namespace {

class Samples : public testing::Test {
protected:
    Samples() { std::filesystem::create_directory(folder); }
    ~Samples() override { std::filesystem::remove_all(folder); }
    void write(const char *name, const std::string &text) const { std::ofstream(folder / name) << text; }
    std::string error() const {
        try {
            ladder::read_samples(folder);
        } catch (const std::runtime_error &failure) {
            return failure.what();
        }
        return "";
    }
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("ladder-samples-" + std::to_string(getpid()));
};

std::string cdf_of(const ladder::Histogram &histogram) {
    std::ostringstream out;
    ladder::write_cdf(out, histogram);
    return out.str();
}

} // namespace

TEST_F(Samples, FolderWithoutAnyIsNamed) {
    EXPECT_NE(error().find("has neither samples.csv nor histogram.csv"), std::string::npos);
}

TEST_F(Samples, DamagedLineIsNamed) {
    for (const char *line : {"1,2", "1,2,x", "1,2,-3", "1,2,3x", "1,2,3,4", "", "1,2,99999999999999999999"}) {
        write("samples.csv", std::string("sequence,sent,latency\n1,2,3\n") + line + "\n");
        EXPECT_NE(error().find("samples.csv:3: not three numbers"), std::string::npos) << line;
    }
}

TEST_F(Samples, ReadsWhatASeriesWrote) {
    for (const std::size_t wanted : {std::size_t{4}, ladder::Series::most_raw + 1}) {
        ladder::Series series("x", wanted, 0);
        for (const ladder::Cycles latency : {5U, 1024U, 1030U, 70'000U}) {
            series.record(series.last() + 1, 0, latency);
        }
        series.write_csv(folder);
        const ladder::Histogram histogram = ladder::read_samples(folder);
        EXPECT_EQ(histogram.count(), 4U);
        EXPECT_EQ(histogram.count_in(ladder::Histogram::index_of(1024)), 2U);
        EXPECT_EQ(histogram.min(), 5U);
        EXPECT_EQ(histogram.percentile(ladder::p50), 1031U);
    }
}

TEST(Cdf, OfNothingIsEmpty) {
    EXPECT_EQ(cdf_of(ladder::Histogram()), "");
}

TEST(Cdf, EndsBelowOne) {
    ladder::Histogram histogram;
    histogram.record(10, 3);
    histogram.record(20);
    EXPECT_EQ(cdf_of(histogram), "10 0.000000000\n10 0.750000000\n20 0.750000000\n");
}
