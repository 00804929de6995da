// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <linux/hft.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ladder {

/// Calls hft_ctl(), x86-64 syscall 548. <linux/hft.h> lists the modes.
/// @returns 0 or more, or -1 with errno set, as any system call of the C library
inline long hft_ctl(unsigned int mode, std::uintptr_t argument = 0) {
    return syscall(__NR_hft_ctl, mode, argument);
}

#ifdef HFT_CTL_SETUP // from stage 1 on

/// As hft_ctl(). @throws std::system_error that names @p what
inline void hft_ctl_or_throw(const char *what, unsigned int mode, std::uintptr_t argument = 0) {
    if (hft_ctl(mode, argument) < 0) {
        throw std::system_error(errno, std::generic_category(), std::string("hft_ctl: cannot ") + what);
    }
}

/// The open device: the single consumer.
class Device {
public:
    /// Sets the device up, which is done once a boot, and opens it.
    /// @param flags  as for open(): O_RDWR, and O_NONBLOCK if wanted
    /// @throws std::system_error EPERM without CAP_SYS_ADMIN, EBUSY if another consumer has it, ENOSYS on a
    ///         kernel without the ladder
    explicit Device(int flags = O_RDWR) {
        hft_ctl_or_throw("set the device up", HFT_CTL_SETUP);
        descriptor_ = open("/dev/hft", flags | O_CLOEXEC); // NOLINT(cppcoreguidelines-pro-type-vararg)
        if (descriptor_ < 0) {
            throw std::system_error(errno, std::generic_category(), "cannot open /dev/hft");
        }
    }
    ~Device() { close(descriptor_); }
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;

    /// For read() and the like; the device closes it.
    int descriptor() const { return descriptor_; }

    /// Messages made since boot (/sys/class/misc/hft/produced).
    static std::uint64_t produced() { return counter("produced"); }
    /// Messages for which no place was free, since boot (/sys/class/misc/hft/dropped).
    static std::uint64_t dropped() { return counter("dropped"); }

private:
    static std::uint64_t counter(const std::string &name) {
        std::ifstream file("/sys/class/misc/hft/" + name);
        std::uint64_t value = 0;
        if (!(file >> value)) {
            throw std::system_error(ENODEV, std::generic_category(),
                                    "cannot read /sys/class/misc/hft/" + name);
        }
        return value;
    }

    int descriptor_;
};

/// The packet simulator, running from here to the end of the scope.
class Simulator {
public:
    /// @param period_us  microseconds from one tick to the next, 50 to 10,000,000
    /// @param burst      messages per tick
    /// @param cpu        the CPU that makes them: not the consumer's
    /// @throws std::system_error EBUSY if it runs already, EINVAL for a value out of range
    explicit Simulator(unsigned int period_us, unsigned int burst = 1, int cpu = 0) {
        hft_start start{};
        start.size = sizeof(start);
        start.cpu = static_cast<unsigned int>(cpu);
        start.period_ns = std::uint64_t{period_us} * 1000;
        start.burst = burst;
        hft_ctl_or_throw("start the packet simulator", HFT_CTL_START,
                         reinterpret_cast<std::uintptr_t>(&start));
    }
    ~Simulator() { hft_ctl(HFT_CTL_STOP); }
    Simulator(const Simulator &) = delete;
    Simulator &operator=(const Simulator &) = delete;
};

/// A `T` in memory that the kernel shares, from here to the end of the scope.
template <class T>
class Mapping {
public:
    /// @param device      the open device; it may be closed before the mapping ends
    /// @param offset      which memory: HFT_OFFSET_*
    /// @param size        its size in bytes, a multiple of the page size
    /// @param protection  as for mmap(): PROT_READ, PROT_WRITE
    /// @throws std::system_error EINVAL, EPERM or EACCES, as <linux/hft.h> says
    Mapping(const Device &device, off_t offset, std::size_t size, int protection)
        : memory_(mmap(nullptr, size, protection, MAP_SHARED, device.descriptor(), offset)), size_(size) {
        if (memory_ == MAP_FAILED) {
            throw std::system_error(errno, std::generic_category(), "cannot map /dev/hft");
        }
    }
    ~Mapping() { munmap(memory_, size_); }
    Mapping(const Mapping &) = delete;
    Mapping &operator=(const Mapping &) = delete;

    /// The object in the shared memory.
    T &operator*() const { return *get(); }
    /// A member of it.
    T *operator->() const { return get(); }
    /// Its address.
    T *get() const { return static_cast<T *>(memory_); }

private:
    void *memory_;
    std::size_t size_;
};

#endif // HFT_CTL_SETUP

} // namespace ladder
