// SPDX-License-Identifier: MIT
/// @file
/// Steps that are about /dev/hft as a file: open(), read(), dup(), close().

#include <cerrno>
#include <climits>
#include <cstring>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/fuzz/worker.hpp"

// open(), fcntl() and ioctl() are what they are: NOLINTBEGIN(cppcoreguidelines-pro-type-vararg)

namespace ladder::fuzz {

namespace {

constexpr std::size_t message_size = sizeof(hft_message);

void close_place(State &state, int &place) {
    state.note(Call::close, close(place));
    place = -1;
}

/// Each message has a greater number than the last one that this process took, whoever else takes some.
void check_messages(State &state, const char *buffer, std::size_t size) {
    if (size % message_size != 0) {
        state.record.complain("read() returned a part of a message");
    }
    for (std::size_t at = 0; at + message_size <= size; at += message_size) {
        hft_message message{};
        std::memcpy(&message, buffer + at, message_size);
        if (message.sequence <= state.last_sequence || message.stamp == 0) {
            state.record.complain("read() returned message " + std::to_string(message.sequence) + " after " +
                                  std::to_string(state.last_sequence));
        }
        state.last_sequence = message.sequence;
    }
}

/// Opens the device in a place that is free afterwards if that fails.
bool open_in(State &state, int &place, bool writable) {
    if (place >= 0) {
        close_place(state, place);
    }
    place = open("/dev/hft", (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
    return state.note(writable ? Call::open_read_write : Call::open_read_only, place);
}

/// Mostly while it is open already, seldom in place of what was open.
void open_again(State &state, Random &random) {
    const bool writable = random.one_in(2);
    const bool replace = random.one_in(8);
    const std::uint64_t first = random.below(state.descriptors.size());
    for (std::size_t i = 0; i < state.descriptors.size(); ++i) {
        int &place = state.descriptors[(first + i) % state.descriptors.size()];
        if (place < 0 || replace) {
            open_in(state, place, writable);
            return;
        }
    }
}

void open_odd(State &state, Random &random) {
    constexpr std::array<int, 9> flags{O_WRONLY,
                                       O_ACCMODE,
                                       O_RDWR | O_DIRECT,
                                       O_PATH,
                                       O_RDONLY | O_NOFOLLOW | O_NOCTTY,
                                       O_RDONLY | O_DIRECTORY,
                                       O_RDWR | O_TRUNC,
                                       O_RDWR | O_APPEND,
                                       O_RDWR | O_SYNC | O_NOATIME};
    const int descriptor = open("/dev/hft", random.pick(flags) | O_CLOEXEC, 0600);
    if (state.note(Call::open_odd, descriptor)) {
        state.note(Call::close, close(descriptor));
    }
}

void duplicate(State &state, Random &random) {
    const int from = state.descriptor(random);
    int &to = state.descriptors[random.below(state.descriptors.size())];
    if (to == from) {
        return;
    }
    if (to >= 0 && random.one_in(2)) {
        state.note(Call::dup, dup2(from, to)); // closes what was there
        return;
    }
    if (to >= 0) {
        close_place(state, to);
    }
    to = random.one_in(2) ? dup(from) : fcntl(from, F_DUPFD_CLOEXEC, 10);
    state.note(Call::dup, to);
}

void close_one(State &state, Random &random) {
    close_place(state, state.descriptors[random.below(state.descriptors.size())]);
}

/// All of @p size bytes, or what fits before memory ends.
void read_some(State &state, Random &random) {
    constexpr std::array<std::size_t, 8> sizes{
        message_size,           message_size + 7, 3 * message_size,  9 * message_size,
        100 * message_size + 1, page_size,        Scratch::capacity, 1 << 20};
    const std::size_t size = random.pick(sizes);
    const std::size_t there = size > Scratch::capacity ? message_size * (1 + random.below(64)) + 3 : size;
    read_messages(state, state.descriptor(random), state.scratch.before_end(there), size);
}

void read_too_little(State &state, Random &random) {
    state.note(Call::read_too_little,
               read(state.descriptor(random), state.scratch.before_end(64), random.below(message_size)));
}

/// No whole message fits before memory ends.
void read_bad_buffer(State &state, Random &random) {
    char *const kernels =
        reinterpret_cast<char *>(0xffff'8880'0000'0000); // NOLINT(performance-no-int-to-ptr)
    char *const buffer = random.one_in(4) ? kernels : state.scratch.before_end(random.below(message_size));
    const std::size_t size = random.one_in(8) ? SSIZE_MAX : message_size * (1 + random.below(8));
    state.note(Call::read_bad_buffer, read(state.descriptor(random), buffer, size));
}

/// The device's own memory as a buffer: read() must not write where the process must not.
void read_into_device(State &state, Random &random) {
    const Area &area = state.area(random.one_in(2) ? Door::mailbox : Door::ring, random);
    if (area.mapped()) {
        state.note(Call::read_read_only_buffer,
                   read(state.descriptor(random), area.memory, message_size * (1 + random.below(8))));
    }
}

void read_vector(State &state, Random &random) {
    std::array<iovec, 3> parts{};
    for (iovec &part : parts) {
        const std::size_t size = random.below(6 * message_size);
        part = {.iov_base = state.scratch.before_end(random.below(6 * message_size)), .iov_len = size};
    }
    state.note(Call::readv, readv(state.descriptor(random), parts.data(), static_cast<int>(parts.size())));
}

/// Empties the queue, and then waits for a message.
void read_and_wait(State &state, Random &random) {
    const int descriptor = state.descriptor(random);
    char *const buffer = state.scratch.before_end(page_size);
    if (descriptor < 0 || !start_simulator(state)) {
        return;
    }
    bool empty = false;
    for (int i = 0; i < 8 && !empty; ++i) {
        empty = read_messages(state, descriptor, buffer, page_size) == -1;
    }
    const int flags = fcntl(descriptor, F_GETFL);
    fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
    const long size = read(descriptor, buffer, message_size);
    state.note(empty || size < 0 ? Call::read_after_waiting : Call::read_one, size);
    if (size > 0) {
        check_messages(state, buffer, static_cast<std::size_t>(size));
    }
    fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

/// What the device has not got.
void unsupported(State &state, Random &random) {
    const int descriptor = state.descriptor(random);
    char *const buffer = state.scratch.before_end(64);
    long result = 0;
    switch (random.below(5)) {
    case 0:
        result = pread(descriptor, buffer, 64, static_cast<off_t>(random.below(1 << 20)));
        break;
    case 1:
        result = write(descriptor, buffer, random.below(65));
        break;
    case 2:
        result = ioctl(descriptor, random.next(), random.next());
        break;
    case 3:
        result = lseek(descriptor, static_cast<off_t>(random.below(1 << 20)), SEEK_SET);
        break;
    default:
        result = ftruncate(descriptor, 0);
        break;
    }
    state.note(Call::unsupported, result);
}

constexpr std::array<Step, 11> steps{{
    {open_again, {2, 3, 2}},
    {open_odd, {1, 1, 1}},
    {duplicate, {0, 10, 5}},
    {close_one, {0, 2, 1}},
    {read_some, {0, 24, 4}},
    {read_too_little, {0, 3, 1}},
    {read_bad_buffer, {0, 3, 1}},
    {read_into_device, {0, 0, 3}},
    {read_vector, {0, 4, 1}},
    {read_and_wait, {0, 6, 0}},
    {unsupported, {1, 2, 2}},
}};

} // namespace

long read_messages(State &state, int descriptor, char *buffer, std::size_t size) {
    const long result = read(descriptor, buffer, size);
    const bool one = result == static_cast<long>(message_size);
    state.note(result < 0 ? Call::read : one ? Call::read_one : Call::read_many, result);
    if (result > 0) {
        check_messages(state, buffer, static_cast<std::size_t>(result));
    }
    return result;
}

void open_for(State &state, Random &random) {
    const bool writable = !random.one_in(3);
    int &place = state.descriptors[0];
    for (int tries = 0; tries < 60 && !open_in(state, place, writable) && errno == EBUSY; ++tries) {
        usleep(1000);
    }
}

void close_all(State &state) {
    for (int &place : state.descriptors) {
        if (place >= 0) {
            close_place(state, place);
        }
    }
}

std::span<const Step> file_steps() {
    return steps;
}

} // namespace ladder::fuzz

// NOLINTEND(cppcoreguidelines-pro-type-vararg)
