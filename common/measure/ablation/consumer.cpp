// SPDX-License-Identifier: MIT
#include "common/measure/ablation/consumer.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <unistd.h>

#include "common/affinity.hpp"
#include "common/device.hpp"
#include "common/measure/ablation/rings.hpp"
#include "common/measure/ablation/simulator.hpp"
#include "common/memory_order.hpp"
#include "common/tsc.hpp"

namespace ladder::ablation {
namespace {

/// What a series is measured with.
struct Setting {
    const Configuration &how;
    const Deadline &deadline;
    int descriptor; ///< of the device, to sleep in read()
};

/// Reads a word that the producer publishes: what it wrote before is visible afterwards.
template <bool fences>
std::uint64_t look(const __u64 &word) {
    if constexpr (fences) {
        const __u64 value = load_relaxed(word);
        _mm_mfence();
        return value;
    } else {
        return load_acquire(word);
    }
}

/// Publishes the tail: what was read before was read before the producer sees it.
template <bool fences>
void publish(__u64 &word, __u64 value) {
    if constexpr (fences) {
        _mm_mfence();
        __atomic_store_n(&word, value, __ATOMIC_RELAXED);
    } else {
        store_release(word, value);
    }
}

/// A message as it is in the consumer's hands.
struct Message {
    std::uint64_t sequence;
    Cycles stamp;
};

/// Sleeps until the ring has a message; returns early for a signal, so that the deadline can be looked at.
void sleep_until_message(const Setting &setting) {
    __u64 waiting = 0;
    const ssize_t size = read(setting.descriptor, &waiting, sizeof(waiting));
    if (size < 0 && errno != EINTR) {
        throw std::system_error(errno, std::generic_category(), "cannot wait for a message");
    }
    setting.deadline.check("a message to wake up for");
}

/// Waits as the configuration says until @p ready returns true.
template <class Ready>
void wait_until(Ready ready, const Setting &setting) {
    if (!setting.how.sleeps) {
        spin_until(ready, setting.how.pauses ? Spin::pause : Spin::plain, setting.deadline,
                   "a message in the ring");
        return;
    }
    while (!ready()) {
        if (setting.how.pauses) {
            _mm_pause();
        }
        sleep_until_message(setting);
    }
}

template <bool fences, bool waits_for_head, class Ring>
void consume(const Ring &ring, const Setting &setting, Series &series) {
    __u64 tail = 0; // the consumer owns it; the kernel only reads what is published

    while (!series.complete()) {
        const auto &slot = ring.slot(tail);
        Message message{};
        const auto ready = [&] {
            if constexpr (waits_for_head) {
                if (look<fences>(ring.head()) == tail) {
                    return false;
                }
                message.sequence = load_relaxed(slot.sequence);
            } else {
                // A slot of the last lap has a number that is not greater than the last one taken.
                message.sequence = look<fences>(slot.sequence);
                if (message.sequence <= series.last()) {
                    return false;
                }
            }
            message.stamp = load_relaxed(slot.stamp);
            return true;
        };
        wait_until(ready, setting);
        // Not before the whole message is here: the head's cache line alone is none.
        const Cycles received = tsc_now();
        series.record(message.sequence, message.stamp, received);
        publish<fences>(ring.tail(), ++tail);
    }
}

template <class Ring>
void consume_as_configured(const Ring &ring, const Setting &setting, Series &series) {
    if (setting.how.fences && setting.how.waits_for_head) {
        consume<true, true>(ring, setting, series);
    } else if (setting.how.fences) {
        consume<true, false>(ring, setting, series);
    } else if (setting.how.waits_for_head) {
        consume<false, true>(ring, setting, series);
    } else {
        consume<false, false>(ring, setting, series);
    }
}

std::uint64_t kernel_switches(const Configuration &how) {
    return (how.sleeps ? HFT_SWITCH_WAKE : 0U) | (how.shared_tail ? HFT_SWITCH_SHARED_TAIL : 0U) |
           (how.soft ? HFT_SWITCH_SOFT : 0U);
}

template <class Ring>
void measure_ring(const Configuration &how, const Options &options, const Deadline &deadline,
                  Series &series) {
    const Device device;
    const Ring ring(device);
    const int producer_cpu = how.interrupts_itself ? current_cpu() : options.producer_cpu;

    const std::uint64_t dropped = Device::dropped();
    series.start_after(Device::produced());
    {
        const Simulator simulator(options.period_us, static_cast<unsigned int>(producer_cpu),
                                  kernel_switches(how));
        consume_as_configured(ring, {how, deadline, device.descriptor()}, series);
    }
    series.count_dropped(Device::dropped() - dropped);
}

} // namespace

void measure(const Configuration &how, const Options &options, const Deadline &deadline, Series &series) {
    if (!how.unpinned) {
        pin_to_cpu(options.consumer_cpu);
    }
    if (how.packed) {
        measure_ring<PackedRing>(how, options, deadline, series);
    } else {
        measure_ring<PaddedRing>(how, options, deadline, series);
    }
}

} // namespace ladder::ablation
