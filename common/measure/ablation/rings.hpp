// SPDX-License-Identifier: MIT
#pragma once

#include "common/device.hpp"

namespace ladder::ablation {

/// Stage 3's ring: head, tail and each slot in a cache line of its own, what the producer owns read-only.
class PaddedRing {
public:
    explicit PaddedRing(const Device &device)
        : tail_(device, HFT_OFFSET_TAIL, sizeof(hft_ring_tail), PROT_READ | PROT_WRITE),
          ring_(device, HFT_OFFSET_RING, sizeof(hft_ring), PROT_READ) {}

    const __u64 &head() const { return ring_->head; }
    const hft_slot &slot(__u64 index) const { return ring_->slots[index % HFT_RING_SLOTS]; }
    __u64 &tail() const { return tail_->tail; }

private:
    Mapping<hft_ring_tail> tail_;
    Mapping<const hft_ring> ring_;
};

/// The same messages, with head, tail and slots side by side.
class PackedRing {
public:
    explicit PackedRing(const Device &device)
        : ring_(device, HFT_OFFSET_PACKED, sizeof(hft_packed), PROT_READ | PROT_WRITE) {}

    const __u64 &head() const { return ring_->head; }
    const hft_packed_slot &slot(__u64 index) const { return ring_->slots[index % HFT_RING_SLOTS]; }
    __u64 &tail() const { return ring_->tail; }

private:
    Mapping<hft_packed> ring_;
};

} // namespace ladder::ablation
