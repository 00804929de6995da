// SPDX-License-Identifier: MIT
#include "common/fuzz/outcomes.hpp"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace ladder::fuzz {

Here here;

namespace {

/// What a kind of call may come to.
struct CallInfo {
    Call call;
    const char *name;
    int stage;        ///< from which on the rest holds
    const char *path; ///< the outcome that has to be frequent, if one has
    const char *rest; ///< all others that it may have
};

/// As <linux/hft.h> says; EBADF is a call without an open device, ENOMEM or EFAULT one without a mapping.
constexpr std::array<CallInfo, calls> infos{{
    {Call::ping, "hft_ctl ping", 0, "success", ""},
    {Call::other_mode, "hft_ctl, another mode", 0, nullptr, "EINVAL"},
    {Call::setup_again, "hft_ctl setup again", 1, "success", ""},
    {Call::start_default, "hft_ctl start, default", 1, "success", "EBUSY"},
    {Call::start_struct, "hft_ctl start, struct", 1, "success", "EBUSY"},
    {Call::start_larger, "hft_ctl start, larger struct of zeros", 1, "success", "EBUSY"},
    {Call::start_larger_unknown, "hft_ctl start, larger struct", 1, nullptr, "E2BIG"},
    {Call::start_wrong_size, "hft_ctl start, wrong size", 1, nullptr, "EINVAL"},
    {Call::start_wrong_member, "hft_ctl start, wrong member", 1, nullptr, "EINVAL EBUSY"},
    {Call::start_bad_pointer, "hft_ctl start, bad pointer", 1, nullptr, "EFAULT"},
    {Call::start_half_mapped, "hft_ctl start, half mapped", 1, nullptr, "EFAULT"},
    {Call::start_in_tail, "hft_ctl start, struct in the tail's page", 3, nullptr, "success EBUSY"},
    {Call::stop, "hft_ctl stop", 1, "success", ""},

    {Call::open_read_only, "open, read only", 1, "success", "EBUSY"},
    {Call::open_read_write, "open, read and write", 1, "success", "EBUSY"},
    {Call::open_odd, "open, odd flags", 1, nullptr, "success EBUSY EINVAL ENOTDIR"},
    {Call::dup, "dup", 1, "success", "EBADF"},
    {Call::close, "close", 1, "success", "EBADF"},
    {Call::read, "read", 1, nullptr, "EAGAIN EINTR EBADF"},
    {Call::read_one, "read of one message", 1, "success", ""},
    {Call::read_many, "read of many messages", 1, "success", ""},
    {Call::read_after_waiting, "read after waiting", 1, "success", "EAGAIN EINTR EBADF"},
    {Call::read_too_little, "read of less than a message", 1, nullptr, "EINVAL EBADF"},
    {Call::read_bad_buffer, "read into a bad buffer", 1, nullptr, "EFAULT EAGAIN EINTR EBADF"},
    {Call::read_read_only_buffer, "read into the ring or mailbox", 2, nullptr, "EFAULT EAGAIN EINTR EBADF"},
    {Call::readv, "readv", 1, nullptr, "success EINVAL EFAULT EAGAIN EINTR EBADF"},
    {Call::unsupported, "pread, write, ioctl, lseek, ftruncate", 1, nullptr, "EBADF EINVAL ENOTTY ESPIPE"},

    {Call::mmap_mailbox, "mmap of the mailbox", 2, "success", "EBADF"},
    {Call::mmap_tail, "mmap of the tail", 3, "success", "EBADF EACCES"},
    {Call::mmap_ring, "mmap of the ring", 3, "success", "EBADF"},
    {Call::mmap_wrong, "mmap, wrong", 3, nullptr, "EINVAL EPERM EACCES EBADF ENOMEM EOVERFLOW EOPNOTSUPP"},
    {Call::munmap, "munmap", 3, "success", "EINVAL"},
    {Call::munmap_part, "munmap of a part", 3, nullptr, "success EINVAL"},
    {Call::mprotect_less, "mprotect to less", 3, "success", "ENOMEM"},
    {Call::mprotect_back, "mprotect back", 3, "success", "ENOMEM EACCES"},
    {Call::mprotect_denied, "mprotect, denied", 2, nullptr, "EACCES ENOMEM"},
    {Call::mremap_shrink, "mremap, shrink", 3, "success", "EFAULT"},
    {Call::mremap_move, "mremap, move", 3, "success", "EFAULT"},
    {Call::mremap_grow, "mremap, grow or copy", 2, nullptr, "EFAULT EINVAL"},
    {Call::madvise, "madvise", 2, nullptr,
     "success ENOSYS EINVAL ENODEV EACCES ENOMEM EBADF EOPNOTSUPP EFAULT EPERM"},
    {Call::scribble, "scribble over the tail, simulator running", 3, "success", ""},
    {Call::look, "look at shared memory", 3, "success", ""},
    {Call::force_write_denied, "write to ring or mailbox by /proc/self/mem", 2, nullptr, "EIO EFAULT"},
    {Call::force_write_tail, "write to tail by /proc/self/mem", 3, nullptr, "success EIO EFAULT"},

    {Call::fork, "fork", 1, "success", ""},
    {Call::child_ended, "end of a child", 1, "success", ""},
    {Call::child_killed, "kill of a child", 1, nullptr, "success SIGKILL"},
    {Call::write_to_read_only, "store to ring or mailbox", 2, "SIGSEGV", "EBADF"},
    {Call::unprivileged_ping, "hft_ctl ping, unprivileged", 0, nullptr, "success"},
    {Call::unprivileged_setup, "hft_ctl setup, unprivileged", 1, "EPERM", ""},
    {Call::unprivileged_start, "hft_ctl start, unprivileged", 1, "EPERM", ""},
    {Call::unprivileged_stop, "hft_ctl stop, unprivileged", 1, "EPERM", ""},
    {Call::other_cpu, "sched_setaffinity to the other CPU", 0, nullptr, "success"},
}};

std::size_t index_of(Call call) {
    return static_cast<std::size_t>(call);
}

int outcome_of(const std::string &name) {
    for (int outcome = 0; outcome < static_cast<int>(outcomes); ++outcome) {
        if (outcome_name(outcome) == name) {
            return outcome;
        }
    }
    throw std::logic_error("no outcome is called " + name);
}

} // namespace

std::string outcome_name(int outcome) {
    if (outcome == 0) {
        return "success";
    }
    const bool signal = outcome >= killed_by;
    const char *const name = signal ? sigabbrev_np(outcome - killed_by) : strerrorname_np(outcome);
    return name == nullptr ? "outcome " + std::to_string(outcome) : (signal ? "SIG" : "") + std::string(name);
}

Record::Record(int stage) : stage_(stage) {
    for (std::size_t i = 0; i < calls; ++i) {
        if (index_of(infos[i].call) != i) {
            throw std::logic_error(std::string("the table of calls is out of order at ") + infos[i].name);
        }
        std::istringstream words(std::string(infos[i].path == nullptr ? "" : infos[i].path) + " " +
                                 infos[i].rest);
        for (std::string word; words >> word;) {
            allowed_[i][static_cast<std::size_t>(outcome_of(word))] = true;
        }
    }
}

void Record::add(Call call, int outcome) {
    const std::size_t i = index_of(call);
    const auto o = static_cast<std::size_t>(outcome) % outcomes;
    ++counts_[i][o];
    if (stage_ >= infos[i].stage && !allowed_[i][o]) {
        complain(std::string(infos[i].name) + " came to " + outcome_name(outcome));
    }
}

void Record::complain(const std::string &what) {
    constexpr std::uint64_t enough = 50;
    if (++complaints_ <= enough) {
        fmt::print(stderr, "hft-fuzz: worker {}{}, step {}: {}\n", here.worker, here.child ? "'s child" : "",
                   here.step, what);
    }
}

std::uint64_t Record::total() const {
    std::uint64_t sum = 0;
    for (const auto &row : counts_) {
        for (const auto &count : row) {
            sum += count;
        }
    }
    return sum;
}

std::vector<Check> Record::check_paths(std::uint64_t least) const {
    std::vector<Check> checks;
    for (const CallInfo &info : infos) {
        if (info.path == nullptr || stage_ < info.stage) {
            continue;
        }
        const std::uint64_t count =
            counts_[index_of(info.call)][static_cast<std::size_t>(outcome_of(info.path))];
        checks.push_back({fmt::format("{}: {}", info.name, info.path),
                          count >= least ? Check::Result::passed : Check::Result::failed,
                          fmt::format("{} times, at least {}", count, least)});
    }
    return checks;
}

nlohmann::ordered_json Record::to_json() const {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const CallInfo &info : infos) {
        for (std::size_t outcome = 0; outcome < outcomes; ++outcome) {
            const std::uint64_t count = counts_[index_of(info.call)][outcome];
            if (count > 0) {
                json[info.name][outcome_name(static_cast<int>(outcome))] = count;
            }
        }
    }
    return json;
}

void Record::print() const {
    for (const CallInfo &info : infos) {
        std::string line;
        for (std::size_t outcome = 0; outcome < outcomes; ++outcome) {
            const std::uint64_t count = counts_[index_of(info.call)][outcome];
            if (count > 0) {
                line += fmt::format("  {} {}", outcome_name(static_cast<int>(outcome)), count);
            }
        }
        fmt::print("{:<44}{}\n", info.name, line.empty() ? "  never" : line);
    }
}

} // namespace ladder::fuzz
