// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// One of the processes that make calls, and what it holds. Which call it makes, with which arguments,
/// depends on the seed and the number of the step alone. What the arguments stand for (which descriptor,
/// which memory) and the outcome depend on the calls before, and those on the other worker, too: the choices
/// replay exactly, how the calls of two CPUs meet does not.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <linux/hft.h>
#include <sys/types.h>

#include "common/fuzz/outcomes.hpp"
#include "common/fuzz/random.hpp"

namespace ladder::fuzz {

constexpr std::size_t page_size = 4096;

/// A mapping of the device's memory, as far as this process knows.
struct Area {
    char *memory = nullptr;
    std::size_t size = 0;
    bool readable = false;
    bool writable = false;
    bool lost = false;   ///< madvise() took its pages: an access is a SIGBUS now
    bool forked = false; ///< madvise() lets a child have it

    bool mapped() const { return memory != nullptr; }
};

/// Which of the device's memory. Each kind has two places in State::areas.
enum class Door : std::size_t { mailbox, tail, ring };
constexpr std::size_t doors = 3;

/// Memory for arguments: some pages, and after them nothing.
class Scratch {
public:
    Scratch();
    /// The address from which @p size bytes are left before memory ends.
    char *before_end(std::size_t size) const { return end_ - size; }
    /// How much there is.
    static constexpr std::size_t capacity = 4 * page_size;

private:
    char *end_;
};

/// What a process that makes calls knows and holds.
struct State {
    Record &record;
    std::uint64_t seed;
    int worker;
    bool is_child = false;
    int cpu = 0;
    std::array<int, 3> descriptors{-1, -1, -1};
    std::array<std::array<Area, 2>, doors> areas{};
    std::uint64_t last_sequence = 0; ///< of the messages that were read
    pid_t child = 0;
    bool kill_child = false;
    Scratch scratch{};

    /// Counts what a system call came to. @returns whether it succeeded
    bool note(Call call, long result) const;
    /// One of the descriptors: an open one, if there is one; once in a while the next best, open or not.
    int descriptor(Random &random) const;
    /// One of the mappings of a kind, in the same way.
    Area &area(Door door, Random &random);
    /// One of all mappings, in the same way.
    Area &any_area(Random &random);
};

/// What a worker is about for a while.
enum class Mood : std::size_t { control, reader, mapper };
constexpr std::size_t moods = 3;

/// A kind of step: what it does, and how often in each mood.
struct Step {
    void (*make)(State &, Random &);
    std::array<unsigned, moods> weight;
};

/// The steps, by what they are about.
std::span<const Step> control_steps();
std::span<const Step> file_steps();
std::span<const Step> memory_steps();
std::span<const Step> process_steps();

/// Opens the device for a mood that needs it, in place 0; another consumer gets some time to let go of it.
void open_for(State &state, Random &random);
/// Closes all descriptors.
void close_all(State &state);
/// Unmaps all mappings.
void unmap_all(State &state);
/// Forgets the mappings that fork() did not copy into this child.
void forget_uncopied(State &state);
/// Waits for the child, if there is one.
void reap(State &state);
/// Starts the simulator, if it does not run. @returns whether it runs
bool start_simulator(State &state);
/// Reads and checks messages. @returns what read() returns
long read_messages(State &state, int descriptor, char *buffer, std::size_t size);

/// Binds this process to a CPU, and has a signal interrupt each of its system calls that waits.
void settle(State &state, int cpu);

/// Makes steps from number @p first on: @p count of them, or until the end is called for.
void make_steps(State &state, std::uint64_t first, std::uint64_t count);

/// Steps of one mood: the number at which a worker begins is a multiple of it.
constexpr std::uint64_t steps_per_mood = 64;

} // namespace ladder::fuzz
