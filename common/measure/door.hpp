// SPDX-License-Identifier: MIT
#pragma once
/// @file
/// The doors by which a message can reach this process, all with one interface: for `make alternatives` and
/// `make throughput`.

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/deadline.hpp"
#include "common/device.hpp"
#include "common/statistics.hpp"
#include "common/tsc.hpp"

namespace ladder {

/// What a door has to know of where it is.
struct Place {
    int producer_cpu;         ///< where messages are made
    Spin spin;                ///< how to poll
    const Deadline &deadline; ///< the end of every wait; it has to outlive the door
    bool measure_idle;        ///< whether Taken::idle is wanted: it costs a look at the clock per look
};

/// What came at once.
struct Taken {
    std::size_t count; ///< messages, at least 1
    Cycles received;   ///< TSC when they were seen
    Cycles idle;       ///< cycles spent looking in vain before, if asked for; 0 for a consumer that sleeps
};

/// A way for messages to reach this process. Its constructor opens it; it throws std::system_error if the
/// kernel refuses.
class Door {
public:
    Door() = default;
    virtual ~Door() = default;
    Door(const Door &) = delete;
    Door &operator=(const Door &) = delete;

    /// From here on messages come. @param period_us  from tick to tick  @param burst  messages per tick
    virtual void start(unsigned int period_us, unsigned int burst) = 0;

    /// Waits until there is a message, and takes as many as there are, or as the door gives at once.
    /// @param room  where to put them; at least one
    /// @throws DeadlinePassed if none comes, std::system_error if a call fails
    virtual Taken take(std::span<hft_message> room) = 0;

    /// The number of the last message before start(); the next one is no gap.
    virtual std::uint64_t last_before() const = 0;
    /// Messages since start() for which there was no place.
    virtual std::uint64_t dropped() const = 0;
    /// Reads that saw half of one message and half of the next.
    virtual std::uint64_t torn() const { return 0; }
};

/// A door of /dev/hft: the messages are the packet simulator's.
class DeviceDoor : public Door {
public:
    /// @param flags  for open()
    explicit DeviceDoor(const Place &place, int flags = O_RDWR) : place_(place), device_(flags) {}

    void start(unsigned int period_us, unsigned int burst) override {
        last_before_ = Device::produced();
        dropped_before_ = Device::dropped();
        simulator_.emplace(period_us, burst, static_cast<unsigned int>(place_.producer_cpu));
    }
    std::uint64_t last_before() const override { return last_before_; }
    std::uint64_t dropped() const override { return Device::dropped() - dropped_before_; }

protected:
    const Place &place() const { return place_; }
    const Device &device() const { return device_; }

private:
    Place place_;
    Device device_;
    std::optional<Simulator> simulator_; // ends before the device is closed
    std::uint64_t last_before_ = 0;
    std::uint64_t dropped_before_ = 0;
};

/// A kind of door, and how to open one.
struct DoorKind {
    std::string name; ///< in tables
    bool spins;       ///< it polls, on a CPU of its own; if not it sleeps, wherever the scheduler puts it
    std::function<std::unique_ptr<Door>(const Place &)> open; ///< opens it; empty if this kernel cannot
    std::string why_not;                                      ///< why it cannot
};

/// read() on /dev/hft, and the ways to be told that there is something to read.
std::vector<DoorKind> read_doors();
/// io_uring, plain and with a kernel thread that polls.
std::vector<DoorKind> uring_doors();
/// A pipe, from a process that plays the packet simulator.
std::vector<DoorKind> pipe_doors();
/// The BPF ring buffer, without a driver.
std::vector<DoorKind> bpf_doors();
/// What is mapped and polled: mailbox and ring.
std::vector<DoorKind> mapped_doors();

/// Takes the CPU time of this process and its kernel threads, from here on.
class CpuTime {
public:
    CpuTime();
    /// CPU time since then, as a share of the time since then: 1 is one whole CPU.
    double share() const;
    /// CPU time since then, in nanoseconds.
    std::uint64_t nanoseconds() const;

private:
    timespec cpu_{};
    timespec wall_{};
};

/// Makes a kind whose doors are of class @p Kind and take the place alone.
template <class Kind>
DoorKind door_kind(const std::string &name, bool spins) {
    return {name, spins, [](const Place &place) { return std::make_unique<Kind>(place); }, ""};
}

/// Opens a door. What the one before it held may be on its way out: waits for that, for the deadline at most.
/// @throws std::system_error, DeadlinePassed
std::unique_ptr<Door> open_door(const DoorKind &kind, const Place &place);

/// Calls @p look until it returns true. @returns one message, to be corrected, and its moment
/// @throws DeadlinePassed
template <class Look>
Taken spin_for_messages(const Place &place, Look look) {
    const Cycles begun = place.measure_idle ? tsc_now() : 0;
    Cycles in_vain = begun; // the end of the last look that found nothing
    spin_until(
        [&] {
            const bool there = look();
            if (!there && place.measure_idle) {
                in_vain = __rdtsc();
            }
            return there;
        },
        place.spin, place.deadline, "a message");
    return {1, tsc_now(), in_vain - begun};
}

} // namespace ladder
