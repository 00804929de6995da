// SPDX-License-Identifier: MIT
/// @file
/// Stage 2: no system call, no sleep. The client maps the page that the kernel writes, and looks at it until
/// it changes, on a CPU of its own.
///
/// A mailbox holds the newest message only. So the client counts what it never saw (the sequence number
/// jumps) and what it saw half of (the numbers at both ends differ).

#include "common/affinity.hpp"
#include "common/device.hpp"
#include "common/memory_order.hpp"
#include "common/run.hpp"
#include "common/tsc.hpp"

namespace {

void poll_mailbox(const hft_mailbox &mailbox, ladder::Measurement &measurement) {
    ladder::Series &series = measurement.series;
    while (!series.complete()) {
        std::uint64_t end = 0;
        ladder::spin_until(
            [&] {
                end = ladder::load_acquire(mailbox.sequence_end);
                return end > series.last();
            },
            measurement.options.spin, measurement.deadline, "a message in the mailbox");
        const ladder::Cycles received = ladder::tsc_now();

        // From the end to the beginning, the other way round than the kernel writes: each acquire pairs
        // with an smp_wmb() there. If the beginning is not as new as the end, the stamp may be either's.
        const ladder::Cycles stamp = ladder::load_acquire(mailbox.stamp);
        const std::uint64_t begin = ladder::load_relaxed(mailbox.sequence_begin);
        if (begin != end) {
            series.count_torn();
            continue;
        }
        series.record(end, stamp, received);
    }
}

void measure(ladder::Measurement &measurement) {
    ladder::pin_to_cpu(measurement.options.consumer_cpu);
    const ladder::Device device;
    const ladder::Mapping<const hft_mailbox> mailbox(device, HFT_OFFSET_MAILBOX,
                                                     static_cast<std::size_t>(getpagesize()), PROT_READ);

    measurement.series.start_after(ladder::Device::produced());
    const ladder::Simulator simulator(measurement.options.period_us, 1, measurement.options.producer_cpu);
    poll_mailbox(*mailbox, measurement);
}

} // namespace

int main(int argc, char **argv) {
    const ladder::Stage stage{
        .name = "stage2-mmap",
        .description = "Times a message from the kernel to a client that polls a shared page.",
        .pinned = true,
    };
    return ladder::run(stage, argc, argv, measure);
}
