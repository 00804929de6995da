// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the calls of the fuzzer came to: counted in memory that all its processes share.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ladder::fuzz {

/// A kind of call. What is known to be wrong with it is part of its kind, so that the outcome can be judged.
/// outcomes.cpp says of each what it may come to.
enum class Call : unsigned {
    // hft_ctl()
    ping,
    other_mode,
    setup_again,
    start_default,
    start_struct,
    start_larger,
    start_larger_unknown,
    start_wrong_size,
    start_wrong_member,
    start_bad_pointer,
    start_half_mapped,
    start_in_tail,
    stop,
    // /dev/hft as a file
    open_read_only,
    open_read_write,
    open_odd,
    dup,
    close,
    read,
    read_one,
    read_many,
    read_after_waiting,
    read_too_little,
    read_bad_buffer,
    read_read_only_buffer,
    readv,
    unsupported,
    // Its memory
    mmap_mailbox,
    mmap_tail,
    mmap_ring,
    mmap_wrong,
    munmap,
    munmap_part,
    mprotect_less,
    mprotect_back,
    mprotect_denied,
    mremap_shrink,
    mremap_move,
    mremap_grow,
    madvise,
    scribble,
    look,
    force_write_denied,
    force_write_tail,
    // Processes
    fork,
    child_ended,
    child_killed,
    write_to_read_only,
    unprivileged_ping,
    unprivileged_setup,
    unprivileged_start,
    unprivileged_stop,
    other_cpu,
    count_
};

constexpr std::size_t calls = static_cast<std::size_t>(Call::count_);

/// What a call came to: 0 for success, an errno, or this and the number of a signal.
constexpr int killed_by = 160;
constexpr std::size_t outcomes = 256;

/// "success", "EINVAL", "SIGSEGV", ...
std::string outcome_name(int outcome);

/// How something that was checked turned out.
struct Check {
    enum class Result { passed, failed, skipped };
    std::string name;
    Result result;
    std::string detail;
};

/// The counters: in memory that is shared with every process that is forked, so all of it is atomic.
class Record {
public:
    /// @param stage  what the kernel has: calls of later stages are counted, and not judged
    explicit Record(int stage);

    /// What the kernel has.
    int stage() const { return stage_; }

    /// Counts a call, and complains about an outcome that it must not have.
    void add(Call call, int outcome);

    /// Something that must never be: says it on the console, with where to find it again.
    void complain(const std::string &what);

    /// @returns whether the workers have to end
    bool ending() const { return ending_; }
    void set_ending(bool ending) { ending_ = ending; }

    /// For messages, and to go on from: which step a worker has come to.
    std::atomic<std::uint64_t> &step(int worker) { return steps_.at(static_cast<std::size_t>(worker)); }

    /// All calls so far.
    std::uint64_t total() const;
    std::uint64_t complaints() const { return complaints_; }

    /// One check for each success path: was it taken @p least times?
    std::vector<Check> check_paths(std::uint64_t least) const;
    /// {call: {outcome: count}}
    nlohmann::ordered_json to_json() const;
    /// The same as lines of text.
    void print() const;

private:
    int stage_;
    std::atomic<bool> ending_{false};
    std::atomic<std::uint64_t> complaints_{0};
    std::array<std::atomic<std::uint64_t>, 2> steps_{};
    std::array<std::array<std::atomic<std::uint64_t>, outcomes>, calls> counts_{};
    std::array<std::array<bool, outcomes>, calls> allowed_{};
};

/// Which worker this process is (or is a child of), and its step: what complain() names.
struct Here {
    int worker = -1;
    bool child = false;
    std::uint64_t step = 0;
};
extern Here here;

} // namespace ladder::fuzz
