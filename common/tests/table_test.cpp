// SPDX-License-Identifier: MIT
#include "common/table.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/tests/series_json.hpp"

namespace {

using ladder::series;
using nlohmann::json;

std::map<std::string, json> round_of(ladder::Cycles slow, ladder::Cycles fast) {
    return {{"stage1-blocking", series("stage1-blocking", slow)},
            {"stage3-spsc", series("stage3-spsc", fast)}};
}

class Csv {
public:
    explicit Csv(const std::string &text)
        : path(std::filesystem::temp_directory_path() / ("ladder-reference-" + std::to_string(getpid()))) {
        std::ofstream(path) << text;
    }
    ~Csv() { std::filesystem::remove(path); }
    Csv(const Csv &) = delete;
    Csv &operator=(const Csv &) = delete;
    const std::filesystem::path path;
};

} // namespace

TEST(Table, NoSeriesIsAnError) {
    EXPECT_THROW(ladder::make_table({}, {}, {}), std::runtime_error);
}

TEST(Table, FigureIsTheMedianOfTheRoundsAndIntervalTheirEnds) {
    const json table = ladder::make_table({round_of(900, 9), round_of(500, 10), round_of(700, 11)}, {}, {});
    const json &row = table["rows"][0];
    EXPECT_EQ(row["stage"], "stage1-blocking");
    EXPECT_EQ(row["rounds"], 3);
    EXPECT_EQ(row["p50"], 700);
    EXPECT_EQ(row["p50_ci"], json({500, 900}));
    EXPECT_EQ(row["max"], 3600);
}

TEST(Table, CountsAreSums) {
    const json table = ladder::make_table({round_of(900, 9), round_of(500, 10)}, {{"stage3-spsc", 4}}, {});
    EXPECT_EQ(table["rows"][1]["lost"], 2);
    EXPECT_EQ(table["rows"][1]["dropped"], 4);
    EXPECT_EQ(table["rows"][1]["torn"], 6);
    EXPECT_EQ(table["rows"][1]["rejected_series"], 4);
    EXPECT_EQ(table["rows"][0]["rejected_series"], 0);
}

TEST(Table, SeriesThatStayThoughTheFloorMovedAreCounted) {
    auto rounds = std::vector{round_of(900, 9), round_of(900, 9)};
    rounds[1]["stage3-spsc"] = series("stage3-spsc", 9, 100, 200);
    const json table = ladder::make_table(rounds, {}, {});
    EXPECT_EQ(table["rows"][0]["unsettled_series"], 0);
    EXPECT_EQ(table["rows"][1]["unsettled_series"], 1);
}

TEST(Table, RatioIsTheMedianOfTheRoundsOwnRatios) {
    // The ratio of the medians would be 70: 700 over 10.
    const json table = ladder::make_table({round_of(900, 10), round_of(500, 5), round_of(700, 20)}, {}, {});
    EXPECT_EQ(table["ratios"]["p50"], 90);
    EXPECT_EQ(table["ratios"]["p50_ci"], json({35, 100}));
}

TEST(Table, OneRoundHasTheSeriesOwnIntervals) {
    const json table = ladder::make_table({round_of(900, 9)}, {}, {});
    EXPECT_EQ(table["rows"][0]["p50_ci"], json({899, 901}));
    EXPECT_EQ(table["rows"][0]["p999_ci"], json({900, nullptr}));
    EXPECT_NE(ladder::to_markdown(table).find("[900, unbounded]"), std::string::npos);
}

TEST(Table, FloorIsTheMeanOfBeforeAndAfter) {
    const json table = ladder::make_table({round_of(900, 40)}, {}, {});
    EXPECT_EQ(table["rows"][1]["floor_p50"], 20);
    EXPECT_EQ(table["rows"][1]["floor_p99"], 30);
    EXPECT_EQ(table["rows"][1]["floor_ratio"]["p50"], 2.0);
}

TEST(Table, ReferenceStandsBesideTheRow) {
    const json table = ladder::make_table(
        {round_of(900, 40)}, {},
        {{"stage1-blocking", {570492, 965693, 1383176}}, {"stage3-spsc", {8190, 11634, 63280}}});
    EXPECT_EQ(table["rows"][0]["reference"]["p50"], 570492);
    EXPECT_EQ(table["ratios"]["reference"], json({{"p50", 69.7}, {"p99", 83.0}, {"p999", 21.9}}));
}

TEST(Table, SeriesOfDifferentSystemsAreNotInOneTable) {
    auto rounds = std::vector{round_of(900, 9), round_of(900, 9)};
    rounds[1]["stage3-spsc"]["host"]["commit"] = "def";
    try {
        ladder::make_table(rounds, {}, {});
        FAIL();
    } catch (const std::runtime_error &error) {
        EXPECT_NE(std::string(error.what()).find("commit"), std::string::npos);
    }
}

TEST(Table, EveryCountAndTheProvenanceArePrinted) {
    const std::string text = ladder::to_markdown(ladder::make_table({round_of(900, 9)}, {}, {}));
    for (const char *word :
         {"lost", "dropped", "repeated", "torn", "stamps", "rejected", "floor moved", "6.1", "tcg", "abc"}) {
        EXPECT_NE(text.find(word), std::string::npos) << word;
    }
}

TEST(Table, ARatioOfOneRoundHasNoInterval) {
    const std::map<std::string, ladder::Reference> original{{"stage3-spsc", {8190, 11634, 63280}}};
    const std::string one = ladder::to_markdown(ladder::make_table({round_of(900, 9)}, {}, original));
    EXPECT_NE(one.find("100.0x |"), std::string::npos) << one;
    EXPECT_EQ(one.find("x ["), std::string::npos) << one;
    const std::string two =
        ladder::to_markdown(ladder::make_table({round_of(900, 9), round_of(900, 9)}, {}, original));
    EXPECT_NE(two.find("100.0x [100.0x, 100.0x]"), std::string::npos) << two;
}

TEST(Table, SaysThatTheHostWasBusy) {
    json table = ladder::make_table({round_of(900, 9)}, {}, {});
    table["rows"][1]["floor_p50"] = 100;
    table["rows"][1]["floor_p99"] = 3'000;
    EXPECT_EQ(ladder::to_markdown(table).find("BUSY"), std::string::npos);
    table["rows"][1]["floor_p99"] = 3'100;
    EXPECT_NE(ladder::to_markdown(table).find("up to 31 times"), std::string::npos);
}

TEST(FloorMoved, OnlyTheFloorDecides) {
    EXPECT_FALSE(ladder::floor_moved(series("x", 1, 100, 150)));
    EXPECT_TRUE(ladder::floor_moved(series("x", 1, 100, 151)));
    EXPECT_TRUE(ladder::floor_moved(series("x", 1, 151, 100)));
    EXPECT_FALSE(ladder::floor_moved(series("x", 1'000'000, 100, 100)));
}

TEST(ReadReference, ReadsTheOriginalsTable) {
    const Csv csv("# comment\nmethod,stage,p50,p99,p99.9,architecture\nX,stage3-spsc,8190,11634,63280,Y\n");
    EXPECT_EQ(ladder::read_reference(csv.path).at("stage3-spsc").p999, 63280U);
}

TEST(ReadReference, DamagedLineIsNamed) {
    const Csv csv("# comment\nX,stage3-spsc,8190,eleven,63280\n");
    try {
        ladder::read_reference(csv.path);
        FAIL();
    } catch (const std::runtime_error &error) {
        EXPECT_NE(std::string(error.what()).find(":2:"), std::string::npos) << error.what();
    }
}

TEST(ReadSeries, MissingAndDamagedFilesAreNamed) {
    EXPECT_THROW(ladder::read_series("/nowhere"), std::runtime_error);
    const auto folder =
        std::filesystem::temp_directory_path() / ("ladder-series-" + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    std::ofstream(folder / "result.json") << "{\"half\":";
    try {
        ladder::read_series(folder);
        ADD_FAILURE();
    } catch (const std::runtime_error &error) {
        EXPECT_NE(std::string(error.what()).find("result.json is damaged"), std::string::npos);
    }
    std::filesystem::remove_all(folder);
}
