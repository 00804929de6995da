// SPDX-License-Identifier: MIT
#include "common/run.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "common/affinity.hpp"

namespace {

const ladder::Stage stage{.name = "stage9-test", .description = "A test.", .pinned = false};

/// Runs a client with the arguments; the floor's two CPUs are the first two that the test may use.
int run_client(std::vector<std::string> arguments,
               const std::function<void(ladder::Measurement &)> &measure) {
    arguments.insert(arguments.begin(), "stage9-test");
    std::vector<char *> pointers;
    pointers.reserve(arguments.size());
    for (std::string &argument : arguments) {
        pointers.push_back(argument.data());
    }
    return ladder::run(stage, static_cast<int>(pointers.size()), pointers.data(), measure);
}

std::vector<std::string> short_run() {
    const std::vector<int> cpus = ladder::allowed_cpus();
    return {"--samples",      "10",
            "--period-us",    "100",
            "--producer-cpu", std::to_string(cpus.at(0)),
            "--consumer-cpu", std::to_string(cpus.at(1))};
}

void fill(ladder::Measurement &measurement) {
    for (ladder::Cycles i = 1; !measurement.series.complete(); ++i) {
        measurement.series.record(i, 0, i);
    }
}

void must_not_run(ladder::Measurement &) {
    FAIL() << "measured in spite of a wrong command line";
}

} // namespace

TEST(Run, WrongCommandLinesAreRefused) {
    const std::vector<std::vector<std::string>> wrong{
        {"--samples", "0"}, {"--samples", "-1"},  {"--samples", "99999999999999999999"},
        {"--samples", "x"}, {"--period-us", "1"}, {"--spin", "sideways"},
        {"--nonsense"},     {"left-over"},        {"--output", "/nowhere"},
    };
    for (const auto &arguments : wrong) {
        EXPECT_EQ(run_client(arguments, must_not_run), 2) << arguments[0];
    }
}

TEST(Run, HelpIsNoError) {
    EXPECT_EQ(run_client({"--help"}, must_not_run), 0);
}

TEST(Run, ErrorIsStatusOne) {
    if (ladder::allowed_cpus().size() < 2) {
        GTEST_SKIP() << "the floor needs two CPUs";
    }
    EXPECT_EQ(run_client(short_run(), [](ladder::Measurement &) { throw std::runtime_error("no device"); }),
              1);
}

TEST(Run, DeadlineIsStatusThree) {
    if (ladder::allowed_cpus().size() < 2) {
        GTEST_SKIP() << "the floor needs two CPUs";
    }
    std::vector<std::string> arguments = short_run();
    arguments.insert(arguments.end(), {"--deadline", "1"});
    EXPECT_EQ(run_client(arguments,
                         [](ladder::Measurement &measurement) {
                             ladder::spin_until([] { return false; }, measurement.options.spin,
                                                measurement.deadline, "what never comes");
                         }),
              3);
}

TEST(Run, ResultSaysWhatWasMeasuredAndWhere) {
    if (ladder::allowed_cpus().size() < 2) {
        GTEST_SKIP() << "the floor needs two CPUs";
    }
    const auto folder = std::filesystem::temp_directory_path() / ("ladder-run-" + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    std::vector<std::string> arguments = short_run();
    arguments.insert(arguments.end(), {"--output", folder.string()});
    EXPECT_EQ(run_client(arguments, fill), 0);
    std::ifstream in(folder / "result.json");
    const auto result = nlohmann::json::parse(in);
    EXPECT_TRUE(std::filesystem::exists(folder / "samples.csv"));
    std::filesystem::remove_all(folder);

    EXPECT_EQ(result["stage"], "stage9-test");
    EXPECT_EQ(result["series"]["p50"], 5);
    EXPECT_EQ(result["series"]["p999_ci"][1], nullptr);
    EXPECT_EQ(result["series"]["exact"], true);
    EXPECT_EQ(result["recording"]["memory_bytes"], 10 * sizeof(ladder::Sample));
    EXPECT_GT(result["recording"]["first_cycles"], 0);
    EXPECT_GT(result["recording"]["last_cycles"], 0);
    EXPECT_GT(result["floor_before"]["p50"], 0);
    EXPECT_GT(result["environment"]["tsc_khz"], 0);
    EXPECT_NE(result["environment"]["kernel"], "");
}
