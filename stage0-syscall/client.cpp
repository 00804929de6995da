// SPDX-License-Identifier: MIT
/// @file
/// Stage 0: what does it cost to cross the border between user space and the kernel, and to come back?
///
/// hft_ctl(HFT_CTL_PING) does nothing: the round trip is all border. Beside it, so that the row has
/// neighbours: getpid(), the smallest system call that every kernel has, and clock_gettime(), which the vDSO
/// answers without crossing the border at all.

#include <cerrno>
#include <ctime>
#include <system_error>

#include <sys/syscall.h>
#include <unistd.h>

#include "common/affinity.hpp"
#include "common/device.hpp"
#include "common/run.hpp"
#include "common/tsc.hpp"

namespace {

/// Takes one sample: the round trip of @p call.
template <class Call>
void time_call(ladder::Series &series, Call call) {
    const ladder::Cycles before = ladder::tsc_now();
    const bool succeeded = call();
    const ladder::Cycles after = ladder::tsc_now();
    if (!succeeded) {
        throw std::system_error(errno, std::generic_category(), series.name() + " failed");
    }
    series.record(series.last() + 1, before, after);
}

void measure(ladder::Measurement &measurement) {
    ladder::pin_to_cpu(measurement.options.consumer_cpu);
    ladder::Series &getpid = measurement.neighbour("getpid");
    ladder::Series &vdso = measurement.neighbour("vdso-clock");

    // In turn, so that all three see the same moods of the host.
    while (!measurement.series.complete()) {
        time_call(measurement.series, [] { return ladder::hft_ctl(HFT_CTL_PING) == 0; });
        time_call(getpid, [] { return syscall(SYS_getpid) > 0; });
        time_call(vdso, [] {
            timespec now{};
            return clock_gettime(CLOCK_MONOTONIC, &now) == 0;
        });
    }
}

} // namespace

int main(int argc, char **argv) {
    const ladder::Stage stage{
        .name = "stage0-syscall",
        .description = "Times a system call that does nothing, from the call to its return.",
        .pinned = true,
    };
    return ladder::run(stage, argc, argv, measure);
}
