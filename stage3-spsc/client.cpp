// SPDX-License-Identifier: MIT
/// @file
/// Stage 3: a ring for a single producer and a single consumer. Nothing is overwritten before it is read,
/// nothing is written by both sides, and one message moves one cache line.
///
/// The client waits for the slot itself, not for the head: the slot's sequence number says that the message
/// is there, in the same cache line that brings it.

#include "common/affinity.hpp"
#include "common/device.hpp"
#include "common/memory_order.hpp"
#include "common/run.hpp"
#include "common/tsc.hpp"

namespace {

void poll_ring(const hft_ring &ring, hft_ring_tail &shared, ladder::Measurement &measurement) {
    ladder::Series &series = measurement.series;
    __u64 tail = 0; // the consumer owns it; the kernel only reads what is published

    while (!series.complete()) {
        const hft_slot &slot = ring.slots[tail % HFT_RING_SLOTS];
        std::uint64_t sequence = 0;
        ladder::spin_until(
            [&] {
                // Pairs with the smp_wmb() before the kernel's store: the stamp is there, too. A slot of
                // the last lap has a number that is not greater than the last one taken.
                sequence = ladder::load_acquire(slot.sequence);
                return sequence > series.last();
            },
            measurement.options.spin, measurement.deadline, "a message in the ring");
        const ladder::Cycles received = ladder::tsc_now();
        series.record(sequence, ladder::load_relaxed(slot.stamp), received);

        // Only after the slot was read: from here on the kernel may use it again.
        ladder::store_release(shared.tail, ++tail);
    }
}

void measure(ladder::Measurement &measurement) {
    ladder::pin_to_cpu(measurement.options.consumer_cpu);
    const ladder::Device device;
    const ladder::Mapping<hft_ring_tail> tail(device, HFT_OFFSET_TAIL, sizeof(hft_ring_tail),
                                              PROT_READ | PROT_WRITE);
    const ladder::Mapping<const hft_ring> ring(device, HFT_OFFSET_RING, sizeof(hft_ring), PROT_READ);

    const std::uint64_t dropped = ladder::Device::dropped();
    measurement.series.start_after(ladder::Device::produced());
    {
        const ladder::Simulator simulator(measurement.options.period_us, 1, measurement.options.producer_cpu);
        poll_ring(*ring, *tail, measurement);
    }
    measurement.series.count_dropped(ladder::Device::dropped() - dropped);
}

} // namespace

int main(int argc, char **argv) {
    const ladder::Stage stage{
        .name = "stage3-spsc",
        .description = "Times a message from the kernel to a client that polls a lock-free ring.",
        .pinned = true,
    };
    return ladder::run(stage, argc, argv, measure);
}
