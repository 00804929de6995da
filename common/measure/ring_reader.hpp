// SPDX-License-Identifier: MIT
#pragma once

#include "common/device.hpp"
#include "common/memory_order.hpp"

namespace ladder {

/// The ring, mapped: its consumer's place in it.
class RingReader {
public:
    explicit RingReader(const Device &device)
        : tail_(device, HFT_OFFSET_TAIL, sizeof(hft_ring_tail), PROT_READ | PROT_WRITE),
          ring_(device, HFT_OFFSET_RING, sizeof(hft_ring), PROT_READ) {}

    /// The slot in which the next message will be.
    const hft_slot &slot() const { return ring_->slots[next_ % HFT_RING_SLOTS]; }
    /// Gives the slot back.
    void release() { store_release(tail_->tail, ++next_); }

private:
    Mapping<hft_ring_tail> tail_;
    Mapping<const hft_ring> ring_;
    __u64 next_ = 0;
};

} // namespace ladder
