// SPDX-License-Identifier: MIT
#include "common/measure/door.hpp"

#include <cerrno>
#include <system_error>
#include <thread>

namespace ladder {
namespace {

timespec now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return time;
}

std::uint64_t nanoseconds_since(const timespec &begin, clockid_t clock) {
    const timespec end = now(clock);
    return static_cast<std::uint64_t>((end.tv_sec - begin.tv_sec) * 1'000'000'000 + end.tv_nsec -
                                      begin.tv_nsec);
}

} // namespace

CpuTime::CpuTime() : cpu_(now(CLOCK_PROCESS_CPUTIME_ID)), wall_(now(CLOCK_MONOTONIC)) {}

std::uint64_t CpuTime::nanoseconds() const {
    return nanoseconds_since(cpu_, CLOCK_PROCESS_CPUTIME_ID);
}

double CpuTime::share() const {
    return static_cast<double>(nanoseconds()) /
           static_cast<double>(nanoseconds_since(wall_, CLOCK_MONOTONIC));
}

std::unique_ptr<Door> open_door(const DoorKind &kind, const Place &place) {
    for (;;) {
        try {
            return kind.open(place);
        } catch (const std::system_error &error) {
            if (error.code() != std::errc::device_or_resource_busy) {
                throw;
            }
            place.deadline.check("the end of the consumer before '" + kind.name + "'");
            std::this_thread::yield();
        }
    }
}

} // namespace ladder
