// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the tests that run inside the guest share. They say what a call came to in words ("success", "EBUSY",
/// "SIGSEGV"), so that a test that fails is read without a table of numbers.

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <future>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/affinity.hpp"
#include "common/deadline.hpp"
#include "common/device.hpp"

namespace ladder::guest {

/// How long a test waits for what has to come. Most of it comes within milliseconds, but the guest may be
/// emulated on a busy host.
constexpr std::chrono::seconds patience{15};

/// The size of a page on x86-64.
constexpr std::size_t page_size = 4096;

/// What a system call came to: "success", or the name of its errno such as "EINVAL".
inline std::string outcome(long result) {
    return result == -1 ? strerrorname_np(errno) : "success";
}
/// As above, for mmap() and mremap().
inline std::string outcome(const void *result) {
    return outcome(result == MAP_FAILED ? -1L : 0L);
}

/// Waits until @p condition is true. @throws std::runtime_error, which fails the test, if it never is
template <class Condition>
void await(const std::string &what, Condition condition) {
    const Deadline deadline(patience);
    while (!condition()) {
        if (deadline.passed()) {
            throw std::runtime_error("waited in vain: " + what);
        }
        usleep(500);
    }
}

/// Runs @p work in a thread bound to @p cpu and returns what it returns (or throws what it throws).
template <class Work>
auto on_cpu(int cpu, Work work) {
    return std::async(std::launch::async,
                      [&] {
                          pin_to_cpu(cpu);
                          return work();
                      })
        .get();
}

/// The first line of a file, such as those in /sys.
inline std::string first_line(const std::string &path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// How often the timer of @p cpu has interrupted it (the line LOC of /proc/interrupts).
inline std::uint64_t timer_interrupts(int cpu) {
    std::ifstream file("/proc/interrupts");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string name;
        words >> name;
        if (name != "LOC:") {
            continue;
        }
        std::uint64_t count = 0;
        for (int column = 0; column <= cpu; ++column) {
            words >> count;
        }
        return count;
    }
    throw std::runtime_error("/proc/interrupts has no line LOC");
}

/// Memory that this process shares with the children that it forks. Starts as zeros.
template <class T>
class Shared {
public:
    Shared()
        : memory_(static_cast<T *>(
              mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
        if (memory_ == MAP_FAILED) {
            throw std::runtime_error("no memory to share with a child");
        }
    }
    ~Shared() { munmap(memory_, sizeof(T)); }
    Shared(const Shared &) = delete;
    Shared &operator=(const Shared &) = delete;

    T &operator*() const { return *memory_; }
    T *operator->() const { return memory_; }

private:
    T *memory_;
};

/// A forked process that runs @p work and exits with what it returns. It is killed at the end of the scope.
class Child {
public:
    template <class Work>
    explicit Child(Work work) : pid_(fork()) {
        if (pid_ == 0) {
            int status = 1;
            try {
                status = work();
            } catch (const std::exception &error) {
                std::fprintf(stderr, "child: %s\n", error.what());
            }
            _exit(status);
        }
    }
    ~Child() {
        if (pid_ > 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
    }
    Child(const Child &) = delete;
    Child &operator=(const Child &) = delete;

    void send(int signal) const { kill(pid_, signal); }

    /// Waits for its end. @returns how it ended: "exit 0", "SIGSEGV", ...
    std::string end() {
        int status = 0;
        await("the end of a child", [&] { return waitpid(pid_, &status, WNOHANG) == pid_; });
        pid_ = 0;
        return WIFSIGNALED(status) ? std::string("SIG") + sigabbrev_np(WTERMSIG(status))
                                   : "exit " + std::to_string(WEXITSTATUS(status));
    }

private:
    pid_t pid_;
};

/// Runs @p work in a child. @returns how that ended: "exit 0" if it returned 0, "SIGSEGV", ...
template <class Work>
std::string in_child(Work work) {
    return Child(work).end();
}

/// What a system call comes to in a process that has given up root's privileges.
template <class Call>
std::string unprivileged(Call call) {
    const Shared<int> error;
    constexpr uid_t nobody = 65534;
    const std::string end = in_child([&] {
        if (setresuid(nobody, nobody, nobody) != 0) {
            return 2;
        }
        *error = call() == -1 ? errno : 0;
        return 0;
    });
    if (end != "exit 0") {
        return "a child that ended with " + end;
    }
    errno = *error;
    return outcome(*error == 0 ? 0 : -1);
}

/// Sends this process SIGALRM after some time, and again every 100 ms until the end of the scope: a system
/// call that waits then fails with EINTR. (Again, so that one that begins to wait a moment later fails too.)
class Alarm {
public:
    explicit Alarm(std::chrono::milliseconds after) {
        struct sigaction action {};
        action.sa_handler = [](int) {}; // and without SA_RESTART
        sigaction(SIGALRM, &action, nullptr);
        set(after, std::chrono::milliseconds(100));
    }
    ~Alarm() { set(std::chrono::milliseconds(0), std::chrono::milliseconds(0)); }
    Alarm(const Alarm &) = delete;
    Alarm &operator=(const Alarm &) = delete;

private:
    static timeval time_of(std::chrono::milliseconds time) {
        return {.tv_sec = time.count() / 1000, .tv_usec = time.count() % 1000 * 1000};
    }
    static void set(std::chrono::milliseconds first, std::chrono::milliseconds again) {
        const itimerval timer{.it_interval = time_of(again), .it_value = time_of(first)};
        setitimer(ITIMER_REAL, &timer, nullptr);
    }
};

#ifdef HFT_CTL_SETUP // from stage 1 on

/// Waits until the packet simulator, which runs, has made @p count more messages.
inline void await_messages(std::uint64_t count) {
    const std::uint64_t enough = Device::produced() + count;
    await(std::to_string(count) + " messages", [&] { return Device::produced() >= enough; });
}

/// Runs the packet simulator until it has made @p count messages or a few more, and stops it.
/// @returns how many it made
inline std::uint64_t make_messages(std::uint64_t count, unsigned int burst = 1,
                                   unsigned int period_us = 1000) {
    const std::uint64_t before = Device::produced();
    {
        const Simulator simulator(period_us, burst);
        await(std::to_string(count) + " messages", [&] { return Device::produced() >= before + count; });
    }
    return Device::produced() - before;
}

/// Reads @p count messages. They have to be in the queue: this is no test of waiting.
inline std::vector<hft_message> read_messages(const Device &device, std::uint64_t count) {
    std::vector<hft_message> messages(count);
    std::size_t have = 0;
    while (have < count) {
        const ssize_t size = read(device.descriptor(), &messages[have], (count - have) * sizeof(hft_message));
        if (size <= 0 || static_cast<std::size_t>(size) % sizeof(hft_message) != 0) {
            throw std::runtime_error("read() of message " + std::to_string(have + 1) + " of " +
                                     std::to_string(count) + " came to " + outcome(size) + ", " +
                                     std::to_string(size) + " bytes");
        }
        have += static_cast<std::size_t>(size) / sizeof(hft_message);
    }
    return messages;
}

/// What a second open() of the device comes to.
inline std::string open_once_more() {
    const int descriptor = open("/dev/hft", O_RDWR | O_CLOEXEC); // NOLINT(cppcoreguidelines-pro-type-vararg)
    const std::string result = outcome(descriptor);
    if (descriptor >= 0) {
        close(descriptor);
    }
    return result;
}

/// What it comes to to map @p size bytes of the device, with what a test makes wrong.
inline std::string map(const Device &device, std::size_t size, off_t offset, int protection,
                       int kind = MAP_SHARED) {
    void *const memory = mmap(nullptr, size, protection, kind, device.descriptor(), offset);
    const std::string result = outcome(memory);
    if (memory != MAP_FAILED) {
        munmap(memory, size);
    }
    return result;
}

/// What it comes to that a mapping of @p size bytes grows by a page.
inline std::string grow(void *memory, std::size_t size) {
    void *const larger = mremap(memory, size, size + page_size, MREMAP_MAYMOVE);
    const std::string result = outcome(larger);
    if (larger != MAP_FAILED) {
        munmap(larger, size + page_size);
    }
    return result;
}

/// A test that finds the device set up and the packet simulator stopped, and leaves it stopped. What waits
/// for ever in a system call is interrupted.
class DeviceTest : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(outcome(hft_ctl(HFT_CTL_SETUP)), "success");
        ASSERT_EQ(outcome(hft_ctl(HFT_CTL_STOP)), "success");
    }
    void TearDown() override { hft_ctl(HFT_CTL_STOP); }

private:
    Alarm alarm_{patience};
};

#endif // HFT_CTL_SETUP

} // namespace ladder::guest
