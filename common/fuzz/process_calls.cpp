// SPDX-License-Identifier: MIT
/// @file
/// Steps that are about processes: fork(), kill(), privileges, CPUs.

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/affinity.hpp"
#include "common/device.hpp"
#include "common/fuzz/worker.hpp"

namespace ladder::fuzz {

namespace {

/// Waits for the end of a process. @returns 0, its exit status (an errno), or the signal that killed it
int end_of(pid_t process) {
    int status = 0;
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? killed_by + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Runs @p work in a child, to its end. @returns as end_of()
template <class Work>
int in_child(const State &state, Work work) {
    const pid_t process = fork();
    if (process == 0) {
        here.child = true;
        work();
        _exit(0);
    }
    state.note(Call::fork, process);
    return process > 0 ? end_of(process) : 0;
}

/// A child on the other CPU that goes on with what it inherits, while this process goes on, too.
void fork_off(State &state, Random &random) {
    if (state.is_child) { // enough is enough
        return;
    }
    reap(state);
    const std::uint64_t seed = random.next();
    const std::uint64_t count = 1 + random.below(48);
    state.kill_child = random.one_in(4);
    state.child = fork();
    if (state.child == 0) {
        state.is_child = true;
        state.seed = seed;
        forget_uncopied(state);
        settle(state, state.cpu ^ 1);
        if (random.one_in(4)) {
            _exit(0); // the kernel closes what it has
        }
        make_steps(state, 0, count);
        _exit(0);
    }
    state.note(Call::fork, state.child);
}

/// Where the consumer must only read, it writes, and dies of it.
void write_to_read_only(State &state, Random &random) {
    if (state.is_child) {
        return;
    }
    const int descriptor = state.descriptor(random);
    const bool ring = random.one_in(2) && state.record.stage() >= 3;
    const std::size_t size = ring ? sizeof(hft_ring) : page_size;
    const std::size_t at = random.below(size);
    const int outcome = in_child(state, [&] {
        void *const memory = mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor,
                                  ring ? HFT_OFFSET_RING : HFT_OFFSET_MAILBOX);
        if (memory == MAP_FAILED) {
            _exit(errno);
        }
        static_cast<volatile char *>(memory)[at] = 1;
    });
    state.record.add(Call::write_to_read_only, outcome);
}

void unprivileged(State &state, Random &random) {
    if (state.is_child) {
        return;
    }
    const std::uint64_t argument = random.next();
    const int end = in_child(state, [&] {
        constexpr uid_t nobody = 65534;
        if (setresuid(nobody, nobody, nobody) != 0) {
            _exit(errno);
        }
        state.note(Call::unprivileged_ping, hft_ctl(HFT_CTL_PING, argument));
        state.note(Call::unprivileged_setup, hft_ctl(HFT_CTL_SETUP, argument));
        state.note(Call::unprivileged_start, hft_ctl(HFT_CTL_START, argument));
        state.note(Call::unprivileged_start, hft_ctl(HFT_CTL_START));
        state.note(Call::unprivileged_stop, hft_ctl(HFT_CTL_STOP, argument));
    });
    if (end != 0) {
        state.record.complain("the unprivileged child ended with " + outcome_name(end));
    }
}

void other_cpu(State &state, Random & /*random*/) {
    state.cpu ^= 1;
    pin_to_cpu(state.cpu);
    state.note(Call::other_cpu, 0);
}

constexpr std::array<Step, 4> steps{{
    {fork_off, {0, 5, 4}},
    {write_to_read_only, {0, 0, 4}},
    {unprivileged, {3, 1, 1}},
    {other_cpu, {1, 1, 1}},
}};

} // namespace

void reap(State &state) {
    if (state.child <= 0) {
        return;
    }
    if (state.kill_child) {
        kill(state.child, SIGKILL);
    }
    state.record.add(state.kill_child ? Call::child_killed : Call::child_ended, end_of(state.child));
    state.child = 0;
}

std::span<const Step> process_steps() {
    return steps;
}

} // namespace ladder::fuzz
