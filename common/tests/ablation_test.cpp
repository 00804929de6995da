// SPDX-License-Identifier: MIT
#include "common/measure/ablation/report.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/measure/ablation/configuration.hpp"
#include "common/tests/series_json.hpp"

namespace {

using ladder::ablation::Configuration;
using ladder::ablation::Measured;
using ladder::ablation::Switch;
using nlohmann::json;

using Medians = std::vector<ladder::Cycles>;

/// A result with one contender or more, each with its medians round by round.
json result(const std::vector<std::pair<std::string, Medians>> &contenders) {
    json all{
        {"schema", 1}, {"contenders", json::array()}, {"rounds", json::array()}, {"rejected", json::array()}};
    for (const auto &[name, medians] : contenders) {
        all["contenders"].push_back(name);
        for (std::size_t round = 0; round < medians.size(); ++round) {
            json one = ladder::series(name, medians[round]);
            all["environment"] = one["environment"];
            all["host"] = one["host"];
            one["figures"] = json::object();
            all["rounds"][round][name] = one;
        }
    }
    return all;
}

/// The result of one boot, with the host's threads pinned or not.
json boot(const std::string &name, ladder::Cycles median, bool pinned) {
    json one = result({{name, {median}}});
    one["host"]["pinned"] = pinned;
    return one;
}

/// Ten boots in turn: unchanged ones at 100 cycles, changed ones at @p median.
std::vector<json> ten_boots(ladder::Cycles median, bool takes_effect = true) {
    std::vector<json> boots;
    for (int pair = 0; pair < 5; ++pair) {
        boots.push_back(boot("best", 100, true));
        boots.push_back(boot("threads: pinned to unpinned", median, !takes_effect));
    }
    return boots;
}

Measured in_one_boot() {
    return {.start = "best",
            .in_one_boot = {result({{"best", {100, 100, 100, 100, 100}},
                                    {"wait: poll to sleep", {900, 500, 700, 800, 600}},
                                    {"tail: own copy to shared", {90, 110, 100, 120, 95}}})},
            .by_boot = {}};
}

std::string error_of(const std::vector<Measured> &all) {
    try {
        ladder::ablation::make_ablation(all);
    } catch (const std::runtime_error &error) {
        return error.what();
    }
    return "";
}

} // namespace

TEST(Ablation, NothingMeasuredIsAnError) {
    EXPECT_NE(error_of({}), "");
    EXPECT_NE(error_of({{.start = "best", .in_one_boot = {}, .by_boot = {}}}), "");
}

TEST(Ablation, RowSaysWhatWasChangedHowAndWhatCameOfIt) {
    const json ablation = ladder::ablation::make_ablation({in_one_boot()});
    const json &rows = ablation["from"]["best"];
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0]["switch"], "wait");
    EXPECT_EQ(rows[0]["change"], "poll to sleep");
    EXPECT_EQ(rows[0]["kind"], "in one boot");
    EXPECT_EQ(rows[0]["p50"], 700);
    EXPECT_EQ(rows[0]["p50_ci"], json({500, 900}));
    EXPECT_EQ(rows[0]["start"]["p50"], 100);
    EXPECT_EQ(rows[0]["ratio"]["p50"], 7.0);
    EXPECT_EQ(rows[0]["ratio"]["p50_ci"], json({5.0, 9.0}));
    EXPECT_EQ(rows[0]["effect"]["p50"], true);
}

TEST(Ablation, IntervalThatIncludesOneIsNoEffect) {
    const json ablation = ladder::ablation::make_ablation({in_one_boot()});
    EXPECT_EQ(ablation["from"]["best"][1]["effect"]["p50"], false);
    const std::string text = ladder::ablation::ablation_to_markdown(ablation);
    EXPECT_NE(text.find("no measurable effect"), std::string::npos);
    EXPECT_NE(text.find("7.00 [5.00, 9.00]"), std::string::npos);
}

TEST(Ablation, BootsAreComparedByTheirDistanceToTheFloorIfTheCyclesAgree) {
    const Measured measured{.start = "best", .in_one_boot = {}, .by_boot = {{"threads", ten_boots(200)}}};
    const json row = ladder::ablation::make_ablation({measured})["from"]["best"][0];
    EXPECT_EQ(row["kind"], "by boot");
    EXPECT_EQ(row["ratio"]["p50"], 2.0);
    EXPECT_EQ(row["cycles_ratio"]["p50"], 2.0);
    EXPECT_EQ(row["effect"]["p50"], true);
    EXPECT_EQ(row["only_distance"]["p50"], false);
}

TEST(Ablation, SwitchThatMovesTheFloorHasNoKnownEffect) {
    Measured measured{.start = "best", .in_one_boot = {}, .by_boot = {{"threads", ten_boots(100)}}};
    for (std::size_t i = 1; i < 10; i += 2) { // twice as fast a floor under the same latency
        for (const char *when : {"floor_before", "floor_after"}) {
            json &floor = measured.by_boot[0].second[i]["rounds"][0].begin().value()[when];
            floor["p50"] = floor["p50"].get<double>() / 2;
        }
    }
    const json ablation = ladder::ablation::make_ablation({measured});
    const json &row = ablation["from"]["best"][0];
    EXPECT_EQ(row["p50"], 100);
    EXPECT_EQ(row["ratio"]["p50"], 2.0);
    EXPECT_EQ(row["cycles_ratio"]["p50"], 1.0);
    EXPECT_TRUE(row["effect"]["p50"].is_null());
    EXPECT_EQ(row["only_distance"]["p50"], true);
    EXPECT_EQ(row["effect"]["p99"], false);
    EXPECT_NE(ladder::ablation::ablation_to_markdown(ablation).find("only against the floor"),
              std::string::npos);
    EXPECT_NE(ablation["finding"].get<std::string>().find("1 changed only the distance"), std::string::npos);
}

TEST(Ablation, TooFewRoundsSayNothing) {
    Measured few{
        .start = "best", .in_one_boot = {result({{"best", {100}}, {"wait: x to y", {900}}})}, .by_boot = {}};
    const json ablation = ladder::ablation::make_ablation({few});
    EXPECT_TRUE(ablation["from"]["best"][0]["effect"]["p50"].is_null());
    EXPECT_NE(ladder::ablation::ablation_to_markdown(ablation).find("too few rounds"), std::string::npos);
    EXPECT_NE(ablation["finding"].get<std::string>().find("too few rounds"), std::string::npos);
}

TEST(Ablation, SwitchThatChangedNothingIsAnError) {
    const std::string error =
        error_of({{.start = "best", .in_one_boot = {}, .by_boot = {{"threads", ten_boots(900, false)}}}});
    EXPECT_NE(error.find("threads: the switch changed nothing"), std::string::npos) << error;
}

TEST(Ablation, BootOutOfTurnIsAnError) {
    auto boots = ten_boots(900);
    boots[7]["host"]["pinned"] = true;
    const std::string error =
        error_of({{.start = "best", .in_one_boot = {}, .by_boot = {{"threads", boots}}}});
    EXPECT_NE(error.find("pinned is true in boot 8"), std::string::npos) << error;
}

TEST(Ablation, BootsOfDifferentSystemsAreNotInOneTable) {
    auto boots = ten_boots(900);
    boots[3]["host"]["commit"] = "def";
    EXPECT_NE(error_of({{.start = "best", .in_one_boot = {}, .by_boot = {{"threads", boots}}}}), "");
    Measured other = in_one_boot();
    other.start = "naive";
    other.in_one_boot = {result({{"naive", {100}}, {"wait: x to y", {90}}})};
    other.in_one_boot[0]["host"]["commit"] = "def";
    EXPECT_NE(error_of({in_one_boot(), other}), "");
}

TEST(Ablation, FindingNamesEveryEffectAndCountsTheRest) {
    Measured measured = in_one_boot();
    measured.by_boot = {{"threads", ten_boots(50)}};
    const std::string finding = ladder::ablation::make_ablation({measured})["finding"];
    EXPECT_NE(finding.find("wait (7.00x) made P50 larger"), std::string::npos) << finding;
    EXPECT_NE(finding.find("threads (0.50x) made it smaller"), std::string::npos) << finding;
    EXPECT_NE(finding.find("1 of 3 had no measurable effect"), std::string::npos) << finding;
}

TEST(Ablation, TablesFitATerminal) {
    Measured measured = in_one_boot();
    measured.in_one_boot = {result(
        {{"best", Medians(5, 11'222'333)}, {"wait: poll to sleep in read()", Medians(5, 33'333'333)}})};
    measured.by_boot = {{"threads", ten_boots(12'345'678)}};
    std::istringstream text(
        ladder::ablation::ablation_to_markdown(ladder::ablation::make_ablation({measured})));
    for (std::string line; std::getline(text, line);) {
        if (line.starts_with("|")) {
            EXPECT_LE(line.size(), 110U) << line;
        }
    }
}

TEST(Ablation, EachChanceOfAFalseEffectIsSaid) {
    const std::string text =
        ladder::ablation::ablation_to_markdown(ladder::ablation::make_ablation({in_one_boot()}));
    EXPECT_NE(text.find("With 5 rounds, chance alone shows an effect in 1 of 16"), std::string::npos);
}

TEST(ReadMeasured, FindsRoundsAndBootsInOrder) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("ladder-ablation-" + std::to_string(getpid()));
    const auto write = [&](const std::string &below, const json &one) {
        std::filesystem::create_directories(folder / below);
        std::ofstream(folder / below / "result.json") << one;
        std::ofstream(folder / below / "host.json") << one["host"];
    };
    write("in-one-boot", in_one_boot().in_one_boot[0]);
    write("by-boot/01-idle/002", boot("changed", 2, true));
    write("by-boot/01-idle/001", boot("best", 1, true));
    write("by-boot/00-isolcpus/001", boot("best", 1, true));
    const Measured measured = ladder::ablation::read_measured(folder, "best");
    std::filesystem::remove_all(folder);
    EXPECT_EQ(measured.in_one_boot.size(), 1U);
    ASSERT_EQ(measured.by_boot.size(), 2U);
    EXPECT_EQ(measured.by_boot[0].first, "isolcpus");
    EXPECT_EQ(measured.by_boot[1].first, "idle");
    EXPECT_EQ(measured.by_boot[1].second[0]["contenders"], json({"best"}));
}

TEST(ReadMeasured, NothingThereIsNothing) {
    const Measured measured = ladder::ablation::read_measured("/nowhere", "best");
    EXPECT_TRUE(measured.in_one_boot.empty() && measured.by_boot.empty());
}

TEST(Configurations, NaiveIsTheBestWithEveryChoiceTakenBack) {
    for (const ladder::Spin spin : {ladder::Spin::plain, ladder::Spin::pause}) {
        const Configuration best = ladder::ablation::best(spin);
        const Configuration naive = ladder::ablation::naive(spin);
        for (const Switch &one : ladder::ablation::all_switches()) {
            EXPECT_NE(best.*one.choice, naive.*one.choice) << one.name;
            EXPECT_EQ(changed(best, one).*one.choice, naive.*one.choice) << one.name;
        }
    }
}

TEST(Configurations, ChangeIsOfOneChoiceAlone) {
    const Configuration best = ladder::ablation::best(ladder::Spin::plain);
    for (const Switch &one : ladder::ablation::all_switches()) {
        for (const Switch &other : ladder::ablation::all_switches()) {
            EXPECT_EQ(changed(best, one).*other.choice != best.*other.choice, one.name == other.name);
        }
    }
}

TEST(Configurations, ChangeIsDescribedInItsDirection) {
    const Switch wait = ladder::ablation::all_switches().front();
    EXPECT_EQ(describe_change(ladder::ablation::best(ladder::Spin::plain), wait),
              "wait: poll to sleep in read()");
    EXPECT_EQ(describe_change(ladder::ablation::naive(ladder::Spin::plain), wait),
              "wait: sleep in read() to poll");
}

TEST(Configurations, SwitchesAreChosenByName) {
    EXPECT_TRUE(ladder::ablation::chosen_switches("none").empty());
    const auto chosen = ladder::ablation::chosen_switches("tail,wait");
    ASSERT_EQ(chosen.size(), 2U);
    EXPECT_EQ(chosen[0].name, "wait");
    EXPECT_EQ(chosen[1].name, "tail");
    EXPECT_THROW(ladder::ablation::chosen_switches("wait,nonsense"), std::invalid_argument);
}
