// SPDX-License-Identifier: MIT
#include "common/compare.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/tests/series_json.hpp"

namespace {

using nlohmann::json;

/// A result of rounds in which "slow" and "fast" have these medians.
json result(const std::vector<std::pair<ladder::Cycles, ladder::Cycles>> &medians) {
    json all{{"schema", 1},
             {"contenders", {"slow", "fast"}},
             {"rounds", json::array()},
             {"rejected", json::array()}};
    for (const auto &[slow, fast] : medians) {
        json round;
        for (const auto &[name, p50] : {std::pair{"slow", slow}, std::pair{"fast", fast}}) {
            json one = ladder::series(name, p50);
            all["environment"] = one["environment"];
            all["host"] = one["host"];
            one["figures"] = {{"cpu_share", static_cast<double>(p50) / 1000}};
            round[name] = one;
        }
        all["rounds"].push_back(round);
    }
    return all;
}

const json five = result({{900, 90}, {500, 100}, {700, 110}, {800, 40}, {600, 70}});

ladder::Comparison against(const std::string &baseline) {
    return {.title = "", .baseline = baseline, .to_floor = false, .varies = {}};
}

class Folder {
public:
    Folder() : path(std::filesystem::temp_directory_path() / ("ladder-compare-" + std::to_string(getpid()))) {
        std::filesystem::create_directory(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder &) = delete;
    Folder &operator=(const Folder &) = delete;
    void write(const char *name, const std::string &text) const { std::ofstream(path / name) << text; }
    const std::filesystem::path path;
};

std::string error_of(const std::vector<json> &results, const ladder::Comparison &how) {
    try {
        ladder::compare(results, how);
    } catch (const std::runtime_error &error) {
        return error.what();
    }
    return "";
}

} // namespace

TEST(Compare, NothingToCompareIsAnError) {
    EXPECT_THROW(ladder::compare({}, {}), std::runtime_error);
    EXPECT_THROW(ladder::compare({result({})}, {}), std::runtime_error);
}

TEST(Compare, RowsComeInTheOrderOfTheContenders) {
    const json comparison = ladder::compare({five}, {});
    EXPECT_EQ(comparison["rows"][0]["name"], "slow");
    EXPECT_EQ(comparison["rows"][1]["name"], "fast");
    EXPECT_EQ(comparison["baseline"], "slow");
}

TEST(Compare, FigureIsTheMedianAndItsEnds) {
    const json row = ladder::compare({five}, {})["rows"][0];
    EXPECT_EQ(row["p50"], 700);
    EXPECT_EQ(row["p50_ci"], json({500, 900}));
    EXPECT_EQ(row["figures"]["cpu_share"], 0.7);
    EXPECT_EQ(row["figures_ci"]["cpu_share"], json({0.5, 0.9}));
}

TEST(Compare, RatioIsTheMedianOfTheRoundsOwn) {
    // 10, 5, 6.364, 20, 8.571: the ratio of the medians would be 7.778
    const json comparison = ladder::compare({five}, against("fast"));
    EXPECT_EQ(comparison["rows"][0]["ratio"]["p50"], 8.571);
    EXPECT_EQ(comparison["rows"][0]["ratio"]["p50_ci"], json({5.0, 20.0}));
    EXPECT_EQ(comparison["rows"][1]["ratio"]["p50"], 1.0);
}

TEST(Compare, EffectOnlyIfTheIntervalExcludesOne) {
    EXPECT_EQ(ladder::compare({five}, {})["rows"][1]["effect"]["p50"], true);
    EXPECT_EQ(ladder::compare({five}, {})["rows"][0]["effect"]["p50"], false) << "the baseline has none";
    const json crossing = result({{10, 9}, {10, 9}, {10, 9}, {10, 9}, {10, 10}});
    EXPECT_EQ(ladder::compare({crossing}, {})["rows"][1]["effect"]["p50"], false) << "1 is in the interval";
}

TEST(Compare, FewRoundsSayNothingOfAnEffect) {
    const json comparison = ladder::compare({result({{900, 9}, {900, 9}})}, {});
    EXPECT_TRUE(comparison["rows"][1]["effect"]["p50"].is_null());
    EXPECT_NE(comparison["finding"].get<std::string>().find("too few rounds to say: fast"),
              std::string::npos);
}

TEST(Compare, BaselineOfZeroHasNoRatio) {
    const json comparison = ladder::compare({result({{0, 9}})}, {});
    EXPECT_TRUE(comparison["rows"][1]["ratio"]["p50"].is_null());
    EXPECT_NE(ladder::comparison_to_markdown(comparison).find('?'), std::string::npos);
}

TEST(Compare, FindingSaysWhatTheIntervalsSay) {
    EXPECT_EQ(ladder::compare({five}, {})["finding"],
              "at P50, against slow, faster: fast 0.12x [0.05x, 0.20x]");
    EXPECT_EQ(ladder::compare({five}, against("fast"))["finding"],
              "at P50, against fast, slower: slow 8.57x [5.00x, 20.0x]");
}

TEST(Compare, RoundsOfSeveralResultsAddUp) {
    const json comparison = ladder::compare({result({{900, 9}, {500, 9}}), result({{700, 9}})}, {});
    EXPECT_EQ(comparison["rows"][0]["rounds"], 3);
    EXPECT_EQ(comparison["rows"][0]["p50"], 700);
}

TEST(Compare, SeriesOfDifferentBootsArePaired) {
    json first = result({{900, 9}});
    json second = result({{500, 10}});
    first["contenders"] = {"slow"};
    first["rounds"][0].erase("fast");
    second["contenders"] = {"fast"};
    second["rounds"][0].erase("slow");
    second["host"]["cmdline"] = "another";
    EXPECT_NE(error_of({first, second}, {}).find("cmdline"), std::string::npos);
    const json comparison = ladder::compare(
        {first, second}, {.title = "", .baseline = "", .to_floor = false, .varies = {"cmdline"}});
    EXPECT_EQ(comparison["rows"][1]["ratio"]["p50"], 0.011);
    EXPECT_FALSE(comparison["environment"].contains("cmdline"));
    EXPECT_NE(ladder::comparison_to_markdown(comparison).find("Command line: (differs)"), std::string::npos);
}

TEST(Compare, DistanceToTheFloorCancelsWhatTheHostDid) {
    // Twice as slow, on a floor twice as slow: no difference.
    json both = result({{900, 1800}});
    for (const char *when : {"floor_before", "floor_after"}) {
        for (auto &[key, value] : both["rounds"][0]["fast"][when].items()) {
            value = 2 * value.get<int>();
        }
    }
    const json comparison =
        ladder::compare({both}, {.title = "", .baseline = "", .to_floor = true, .varies = {}});
    for (const char *percentile : {"p50", "p99", "p999"}) {
        EXPECT_EQ(comparison["rows"][1]["ratio"][percentile], 1.0) << percentile;
    }
}

TEST(Compare, MissingRoundIsAnError) {
    json lacking = result({{900, 9}, {900, 9}});
    lacking["rounds"][1].erase("fast");
    EXPECT_NE(error_of({lacking}, {}).find("fast has 1 rounds, but another has 2"), std::string::npos);
}

TEST(Compare, UnknownBaselineIsNamed) {
    EXPECT_NE(error_of({five}, against("none")).find("only: slow, fast"), std::string::npos);
}

TEST(Compare, RejectedSeriesAreCounted) {
    json rejected = five;
    rejected["rejected"] = json::array({{{"name", "fast"}}, {{"name", "fast"}}});
    EXPECT_EQ(ladder::compare({rejected}, {})["rows"][1]["rejected_series"], 2);
}

TEST(Compare, TableFitsTheTerminal) {
    json wide = five;
    for (json &round : wide["rounds"]) {
        for (json &one : round) {
            for (int i = 0; i < 9; ++i) {
                one["figures"]["a_figure_with_a_name_" + std::to_string(i)] = 123456789.0 * i;
            }
        }
    }
    const std::string text = ladder::comparison_to_markdown(ladder::compare({wide}, {}));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('|')) {
            EXPECT_LE(line.size(), 110U) << line;
        }
    }
    EXPECT_NE(text.find("a_figure_with_a_name_8"), std::string::npos);
    EXPECT_NE(text.find("987,654,312"), std::string::npos);
}

TEST(ReadComparison, MissingAndDamagedFilesAreNamed) {
    const Folder folder;
    EXPECT_THROW(ladder::read_comparison(folder.path / "none.json"), std::runtime_error);
    folder.write("result.json", "[]");
    try {
        ladder::read_comparison(folder.path / "result.json");
        ADD_FAILURE();
    } catch (const std::runtime_error &error) {
        EXPECT_NE(std::string(error.what()).find("result.json is no comparison"), std::string::npos);
    }
    folder.write("result.json", five.dump());
    EXPECT_THROW(ladder::read_comparison(folder.path / "result.json"), std::runtime_error) << "no host.json";
    folder.write("host.json", R"({"accel": "kvm"})");
    EXPECT_EQ(ladder::read_comparison(folder.path / "result.json")["host"]["accel"], "kvm");
}
