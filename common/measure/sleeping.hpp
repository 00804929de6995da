// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What doors share that make system calls.

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>

#include <unistd.h>

#include "common/deadline.hpp"
#include "common/device.hpp"

namespace ladder {

/// @throws std::system_error that names @p what if a call came to -1
inline void check(long result, const char *what) {
    if (result < 0) {
        throw std::system_error(errno, std::generic_category(), std::string(what) + " failed");
    }
}

/// A descriptor that is closed at the end of the scope.
class Descriptor {
public:
    /// @throws std::system_error that names @p what if @p number is -1
    Descriptor(int number, const char *what) : number_(number) { check(number, what); }
    ~Descriptor() { close(number_); }
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;

    /// For system calls.
    int number() const { return number_; }

private:
    int number_;
};

/// A signal that this thread does not get, until the end of the scope.
class BlockedSignal {
public:
    /// @param signal  for example SIGIO
    explicit BlockedSignal(int signal) {
        sigemptyset(&set_);
        sigaddset(&set_, signal);
        pthread_sigmask(SIG_BLOCK, &set_, &before_);
    }
    ~BlockedSignal() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    BlockedSignal(const BlockedSignal &) = delete;
    BlockedSignal &operator=(const BlockedSignal &) = delete;

    /// The signal alone, for signalfd().
    const sigset_t &set() const { return set_; }

private:
    sigset_t set_{};
    sigset_t before_{};
};

/// Makes a call until it succeeds: a signal is no reason to end, but for the deadline's.
/// @param call  returns whether it succeeded, and sets errno if not
/// @throws DeadlinePassed, or std::system_error that names @p what
template <class Call>
void until_done(const Deadline &deadline, const char *what, Call call) {
    while (!call()) {
        if (errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), std::string(what) + " failed");
        }
        deadline.check("a message");
    }
}

/// How many messages read() returned. @throws std::runtime_error if it was no whole number of them, or none
inline std::size_t messages_in(ssize_t size) {
    if (size <= 0 || static_cast<std::size_t>(size) % sizeof(hft_message) != 0) {
        throw std::runtime_error("read() returned " + std::to_string(size) + " bytes: no whole messages");
    }
    return static_cast<std::size_t>(size) / sizeof(hft_message);
}

/// What read() gives of a device that does not block. @returns bytes, or -1 if there is nothing
/// @throws std::system_error
inline ssize_t read_some(const Device &device, std::span<hft_message> room) {
    const ssize_t size = read(device.descriptor(), room.data(), room.size_bytes());
    if (size < 0 && errno != EAGAIN && errno != EINTR) {
        throw std::system_error(errno, std::generic_category(), "read() failed");
    }
    return size;
}

} // namespace ladder
