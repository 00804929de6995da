// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "common/deadline.hpp"

namespace ladder::ablation {

/// How a message gets from the producer to the consumer: one choice for each switch. The first value is the
/// ladder's own, that of stage 3; `true` takes it back.
struct Configuration {
    bool sleeps = false;            ///< polls, or sleeps in read() until the producer wakes it
    bool pauses = false;            ///< looks again at once, or after a `pause`
    bool fences = false;            ///< acquire and release, or plain accesses and `mfence`
    bool waits_for_head = false;    ///< waits for the slot, or for the head
    bool packed = false;            ///< head, tail and slots in lines of their own, or side by side
    bool shared_tail = false;       ///< the producer has a copy of the tail, or reads the consumer's
    bool unpinned = false;          ///< the consumer is pinned, or runs where the scheduler puts it
    bool interrupts_itself = false; ///< the simulator is on the producer's CPU, or on the consumer's
    bool soft = false;              ///< the simulator's tick is a hard interrupt, or a soft one
};

/// One choice that can be changed alone.
struct Switch {
    std::string name;            ///< as in SWITCHES=, for example "wait"
    bool Configuration::*choice; ///< what it changes
    std::string own;             ///< the ladder's choice in words, for example "poll"
    std::string taken_back;      ///< the other one, for example "sleep in read()"
};

/// All switches that can be changed within a boot, in the order of the table.
const std::vector<Switch> &all_switches();

/// The switches of these names, separated by commas, in the order of the table; "none" is none.
/// @throws std::invalid_argument that names what is no switch
std::vector<Switch> chosen_switches(const std::string &names);

/// The configuration of stage 3. @param spin  how it polls: chosen by measuring `pause`
Configuration best(Spin spin);

/// The best one with every choice changed.
Configuration naive(Spin spin);

/// @p from with one choice changed.
Configuration changed(const Configuration &from, const Switch &one);

/// What that changes in words, for example "wait: poll to sleep in read()".
std::string describe_change(const Configuration &from, const Switch &one);

} // namespace ladder::ablation
