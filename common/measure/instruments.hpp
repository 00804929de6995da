// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// What the kernel with common/measure/instruments.patch can do besides, called from C++.

#include <cerrno>
#include <cstdint>
#include <optional>
#include <system_error>

#include <sys/ioctl.h>

#include "common/device.hpp"
#include "common/memory_order.hpp"
#include "common/statistics.hpp"

namespace ladder {

/// The moments of a message, as struct hft_hop; 0 is a moment that was not written down.
struct Moments {
    Cycles interrupt;   ///< the timer's tick began
    Cycles stamped;     ///< the message was made
    Cycles handed_over; ///< the wake-up was issued, or the slot was stored
    Cycles running;     ///< the reader that slept ran again
    Cycles copied;      ///< the message was copied to user space
};

/// The moments of the last messages, mapped from the kernel.
class Hops {
public:
    /// @throws std::system_error EINVAL on a kernel without the instruments
    explicit Hops(const Device &device)
        : device_(device), hops_(device, HFT_OFFSET_HOPS, sizeof(hft_hops), PROT_READ) {}

    /// From here on moments are written down, or not. @throws std::system_error ENOTTY without the
    /// instruments
    void write_down(bool on) const {
        if (ioctl(device_.descriptor(), HFT_IOC_HOPS, on ? 1 : 0) != 0) { // NOLINT(*-vararg)
            throw std::system_error(errno, std::generic_category(), "cannot switch the hops");
        }
    }

    /// The moments of message @p sequence; nothing if they were not written down, or too long ago. The last
    /// ones may still be missing when the message has just arrived.
    std::optional<Moments> of(std::uint64_t sequence) const {
        const hft_hop &hop = hops_->messages[sequence % HFT_HOPS];
        // Pairs with the release in hft_hop_put().
        if (load_acquire(hop.sequence) != sequence) {
            return std::nullopt;
        }
        const Moments moments{load_acquire(hop.interrupt), load_acquire(hop.stamped),
                              load_acquire(hop.handed_over), load_acquire(hop.running),
                              load_acquire(hop.copied)};
        // Again: the place may have been given to another message meanwhile.
        return load_relaxed(hop.sequence) == sequence ? std::optional(moments) : std::nullopt;
    }

private:
    const Device &device_;
    Mapping<const hft_hops> hops_;
};

} // namespace ladder
