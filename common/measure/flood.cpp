// SPDX-License-Identifier: MIT
#include "common/measure/flood.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>

#include <fmt/core.h>

#include "common/markdown.hpp"
#include "common/statistics.hpp"

namespace ladder {
namespace {

using nlohmann::json;
using ByBurst = std::map<unsigned int, std::vector<Flood>>;

void put(json &row, const std::string &key, const std::vector<double> &values) {
    const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
    row[key] = median(values);
    row[key + "_ci"] = {*least, *greatest};
}

std::vector<double> figures(const std::vector<Flood> &rounds, double Flood::*figure) {
    std::vector<double> values;
    values.reserve(rounds.size());
    for (const Flood &round : rounds) {
        values.push_back(round.*figure);
    }
    return values;
}

const ByBurst &of(const Floods &floods, const std::string &door) {
    const auto found = floods.find(door);
    if (found == floods.end() || found->second.empty()) {
        throw std::runtime_error("no figures of the door '" + door + "'");
    }
    return found->second;
}

/// The most messages a second, whatever the burst, by round.
std::vector<double> best(const ByBurst &door) {
    std::vector<double> most(door.begin()->second.size(), 0);
    for (const auto &[burst, rounds] : door) {
        if (rounds.size() != most.size()) {
            throw std::runtime_error("a door was not measured in every round");
        }
        for (std::size_t round = 0; round < most.size(); ++round) {
            most[round] = std::max(most[round], rounds[round].arrived_per_second);
        }
    }
    return most;
}

/// How many times as many messages the ring delivers at best; the rounds' own ratios.
json delivers(const Floods &floods, const std::string &door, double least, const std::string &text) {
    const std::vector<double> ring = best(of(floods, the_ring));
    const std::vector<double> other = best(of(floods, door));
    std::vector<double> ratios;
    for (std::size_t round = 0; round < ring.size(); ++round) {
        ratios.push_back(ring.at(round) / other.at(round));
    }
    json goal{{"goal", text}};
    put(goal, "ratio", ratios);
    goal["reached"] = goal["ratio"].get<double>() >= least;
    return goal;
}

/// In any round: one message that is lost is one too many, whoever stopped the consumer.
json loses_nothing(const Floods &floods, unsigned int capacity) {
    double most = 0;
    for (const auto &[burst, rounds] : of(floods, the_ring)) {
        for (const Flood &round : rounds) {
            most = burst <= capacity ? std::max(most, round.lost_share) : most;
        }
    }
    return {{"goal",
             fmt::format("the ring loses nothing in bursts of up to {} messages, its capacity", capacity)},
            {"most_lost_share", most},
            {"reached", most == 0}};
}

std::string finding(const json &goals) {
    const auto word = [](const json &goal) {
        return goal.at("reached").get<bool>() ? "reached" : "NOT reached";
    };
    return fmt::format(
        "at its best the ring delivers {:.1f} times what one read a message does (goal 10: {}) and "
        "{:.1f} times what batched read does (goal more than 1: {}); in bursts up to its capacity it "
        "lost at most {:.4f} % (goal 0: {})",
        goals[0]["ratio"].get<double>(), word(goals[0]), goals[1]["ratio"].get<double>(), word(goals[1]),
        100 * goals[2]["most_lost_share"].get<double>(), word(goals[2]));
}

/// One figure of all rows: a line a door, a column a burst.
std::string table(const json &rows, const std::string &title, const std::string &key,
                  const std::function<std::string(double)> &format) {
    std::vector<std::string> doors;
    std::vector<unsigned int> bursts;
    std::map<std::pair<std::string, unsigned int>, double> values;
    for (const json &row : rows) {
        const auto door = row.at("door").get<std::string>();
        const auto burst = row.at("burst").get<unsigned int>();
        if (std::find(doors.begin(), doors.end(), door) == doors.end()) {
            doors.push_back(door);
        }
        if (std::find(bursts.begin(), bursts.end(), burst) == bursts.end()) {
            bursts.push_back(burst);
        }
        values[{door, burst}] = row.at(key).get<double>();
    }
    std::string text = fmt::format("{:<22}", title);
    for (const unsigned int burst : bursts) {
        text += fmt::format("{:>12}", burst);
    }
    for (const std::string &door : doors) {
        text += fmt::format("\n  {:<20}", door);
        for (const unsigned int burst : bursts) {
            const auto value = values.find({door, burst});
            text += fmt::format("{:>12}", value == values.end() ? "" : format(value->second));
        }
    }
    return text + "\n";
}

} // namespace

json flood_result(const Floods &floods, const std::vector<std::string> &doors, unsigned int capacity) {
    json result{{"rows", json::array()}};
    for (const std::string &door : doors) {
        for (const auto &[burst, rounds] : of(floods, door)) {
            json row{{"door", door}, {"burst", burst}, {"rounds", rounds.size()}};
            put(row, "arrived_per_second", figures(rounds, &Flood::arrived_per_second));
            put(row, "lost_share", figures(rounds, &Flood::lost_share));
            put(row, "cycles_per_message", figures(rounds, &Flood::cycles_per_message));
            result["rows"].push_back(std::move(row));
        }
    }
    result["goals"] = {
        delivers(floods, one_read, 10, "the ring delivers at least 10 times what one read a message does"),
        delivers(floods, batched_read, std::nextafter(1.0, 2.0), "the ring delivers more than batched read"),
        loses_nothing(floods, capacity)};
    result["finding"] = finding(result["goals"]);
    return result;
}

std::string flood_tables(const json &result) {
    const json &rows = result.at("rows");
    const auto whole = [](double value) { return grouped(static_cast<Cycles>(std::llround(value))); };
    std::string text = table(rows, "arrived a second", "arrived_per_second", whole) + "\n";
    const auto share = [](double value) { return value == 0 ? "0" : fmt::format("{:.3f} %", 100 * value); };
    text += table(rows, "lost", "lost_share", share);
    text += "\n" + table(rows, "cycles per message", "cycles_per_message", whole) + "\n";
    for (const json &goal : result.at("goals")) {
        text += fmt::format("goal: {}: {}\n", goal.at("goal").get<std::string>(),
                            goal.at("reached").get<bool>() ? "reached" : "NOT reached");
    }
    return text;
}

} // namespace ladder
