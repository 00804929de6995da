// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "common/deadline.hpp"
#include "common/interleave.hpp"
#include "common/series.hpp"

namespace ladder {

/// What every client takes from its command line; `--help` says the same to its user.
struct Options {
    std::size_t samples = 1000;    ///< how many messages to keep
    std::size_t warmup = 0;        ///< how many to count, but not to keep, before the first
    unsigned int period_us = 1000; ///< microseconds from one message to the next, 50 to 10,000,000
    unsigned int deadline_s = 0;   ///< seconds for everything; 0 is ten times what it should take, plus 20
    int producer_cpu = 0;          ///< the CPU of the packet simulator
    int consumer_cpu = 1;          ///< the CPU of a pinned client
    Spin spin = Spin::plain;       ///< chosen by measuring `pause`, unless forced with --spin
    bool raw = false;              ///< keep each sample of a series with more than Series::most_raw
    std::string output;            ///< a folder for result.json and the raw samples; empty for none
};

/// A stage's name and how to measure it.
struct Stage {
    std::string name;        ///< as its folder, for example "stage3-spsc"
    std::string description; ///< one sentence for --help
    bool pinned;             ///< whether the client pins itself to Options::consumer_cpu
};

/// What a client fills in: its own series, and others of the same boot to compare it with.
class Measurement {
public:
    /// @param stage  its name is the series' name
    /// @param how    the command line; has to outlive the measurement
    /// @param until  the end of every wait; has to outlive the measurement
    Measurement(const Stage &stage, const Options &how, const Deadline &until)
        : options(how), deadline(until), series(stage.name, how.samples, how.warmup, how.raw) {}

    /// A series beside the stage's own, for example "pipe". The reference stays valid.
    Series &neighbour(const std::string &name) {
        return neighbours.emplace_back(name, options.samples, options.warmup);
    }

    const Options &options;        ///< the command line
    const Deadline &deadline;      ///< the end of every wait
    Series series;                 ///< the stage's own
    std::deque<Series> neighbours; ///< what neighbour() made, in order
};

/// @brief The main function of every client.
///
/// Reads the command line, measures the floor, calls @p measure, measures the floor again, prints a row and
/// writes the result. Errors go to standard error in one line.
/// @returns the exit status: 0, 1 for an error, 2 for a command line that is wrong, 3 for a deadline
int run(const Stage &stage, int argc, char **argv, const std::function<void(Measurement &)> &measure);

/// Makes the contenders. The deadline has to be looked at when they measure: it begins after this.
using MakeContenders =
    std::function<std::vector<Contender>(const Options &options, const Deadline &deadline)>;

/// @brief The main function of a program that compares several ways in one boot.
///
/// The command line is run()'s, and `--rounds`. Writes what interleave() returns to result.json in
/// Options::output.
/// @param name,description  for --help and for errors
/// @param make  called once; has 20 seconds
/// @returns the exit status, as run() does
int run_interleaved(const std::string &name, const std::string &description, int argc, char **argv,
                    const MakeContenders &make);

} // namespace ladder
