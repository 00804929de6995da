// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "common/device.hpp"
#include "common/memory_order.hpp"

namespace ladder {

/// The ring of stage 3, mapped, and the consumer's place in it.
class RingReader {
public:
    /// @throws std::system_error as Mapping does
    explicit RingReader(const Device &device)
        : tail_(device, HFT_OFFSET_TAIL, sizeof(hft_ring_tail), PROT_READ | PROT_WRITE),
          ring_(device, HFT_OFFSET_RING, sizeof(hft_ring), PROT_READ) {}

    /// The slot of the next message, or the one @p ahead of it.
    const hft_slot &slot(std::size_t ahead = 0) const {
        return ring_->slots[(next_ + ahead) % HFT_RING_SLOTS];
    }

    /// How many slots are filled, by the head.
    std::size_t there() const { return static_cast<std::size_t>(load_acquire(ring_->head) - next_); }

    /// Gives slots back: from here on the kernel may use them again.
    void release(std::size_t count = 1) {
        next_ += count;
        store_release(tail_->tail, next_);
    }

private:
    Mapping<hft_ring_tail> tail_;
    Mapping<const hft_ring> ring_;
    __u64 next_ = 0;
};

} // namespace ladder
