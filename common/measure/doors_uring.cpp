// SPDX-License-Identifier: MIT
/// @file
/// Doors through io_uring: one read of the device is always under way. Plain: the kernel is entered to submit
/// it and to wait. SQPOLL: a kernel thread on the producer's CPU polls for submissions, and the consumer
/// polls for completions, without a system call.

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

// The library's header warns in C++.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <liburing.h>
#pragma GCC diagnostic pop

#include "common/measure/door.hpp"
#include "common/measure/sleeping.hpp"
#include "common/tsc.hpp"

namespace ladder {
namespace {

/// Without O_NONBLOCK each read would occupy a worker thread; with it, io_uring polls the device.
constexpr int device_flags = O_RDWR | O_NONBLOCK;

/// As check(), for calls that return the negative error.
void check_uring(int result, const char *what) {
    if (result < 0) {
        throw std::system_error(-result, std::generic_category(), std::string(what) + " failed");
    }
}

class UringDoor : public DeviceDoor {
public:
    UringDoor(const Place &place, bool kernel_polls)
        : DeviceDoor(place, device_flags), kernel_polls_(kernel_polls) {
        io_uring_params parameters{};
        if (kernel_polls) {
            parameters.flags = IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF;
            parameters.sq_thread_cpu = static_cast<unsigned int>(place.producer_cpu);
            parameters.sq_thread_idle = 10'000; // milliseconds: it does not go to sleep between messages
        }
        check_uring(io_uring_queue_init_params(4, &ring_, &parameters), "io_uring_queue_init()");
    }
    ~UringDoor() override {
        if (under_way_) {
            cancel();
        }
        io_uring_queue_exit(&ring_);
    }

    Taken take(std::span<hft_message> room) override {
        const auto some = room.first(std::min(room.size(), messages_.size()));
        for (;;) {
            submit(some.size());
            const auto [result, taken] = kernel_polls_ ? spin() : sleep();
            under_way_ = false;
            if (result == -EAGAIN || result == -EINTR) {
                place().deadline.check("a message");
                continue;
            }
            check_uring(result, "a read through io_uring");
            Taken all = taken;
            all.count = messages_in(result);
            std::copy_n(messages_.begin(), all.count, room.begin());
            return all;
        }
    }

private:
    struct Completion {
        int result;
        Taken taken;
    };

    /// The buffer is this object's: a read may still be under way when the caller's has gone.
    void submit(std::size_t count) {
        if (under_way_) {
            return;
        }
        io_uring_sqe *const entry = io_uring_get_sqe(&ring_);
        io_uring_prep_read(entry, device().descriptor(), messages_.data(),
                           static_cast<unsigned int>(count * sizeof(hft_message)), 0);
        under_way_ = true;
        if (kernel_polls_) {
            check_uring(io_uring_submit(&ring_), "io_uring_submit()");
        }
    }

    /// Takes the read back that is under way: it holds the device open.
    void cancel() {
        io_uring_sqe *const entry = io_uring_get_sqe(&ring_);
        io_uring_prep_cancel(entry, nullptr, IORING_ASYNC_CANCEL_ANY);
        io_uring_submit_and_wait(&ring_, 2); // the read's completion, and this one's
    }

    Completion sleep() {
        io_uring_cqe *entry = nullptr;
        until_done(place().deadline, "io_uring_submit_and_wait()", [&] {
            const int result = io_uring_submit_and_wait(&ring_, 1);
            errno = result < 0 ? -result : EINTR;
            return result >= 0 && io_uring_peek_cqe(&ring_, &entry) == 0;
        });
        return complete(entry, {1, tsc_now(), 0});
    }

    Completion spin() {
        io_uring_cqe *entry = nullptr;
        const Taken taken =
            spin_for_messages(place(), [&] { return io_uring_peek_cqe(&ring_, &entry) == 0; });
        return complete(entry, taken);
    }

    Completion complete(io_uring_cqe *entry, const Taken &taken) {
        const int result = entry->res;
        io_uring_cqe_seen(&ring_, entry);
        return {result, taken};
    }

    bool kernel_polls_;
    bool under_way_ = false;
    std::array<hft_message, HFT_QUEUE_MESSAGES> messages_{};
    io_uring ring_{};
};

/// Why this kernel's io_uring cannot read; empty if it can.
std::string why_not() {
    const std::unique_ptr<io_uring_probe, void (*)(io_uring_probe *)> probe(io_uring_get_probe(),
                                                                            io_uring_free_probe);
    if (probe && io_uring_opcode_supported(probe.get(), IORING_OP_READ) != 0) {
        return "";
    }
    return "this kernel has no IORING_OP_READ (Linux 5.6 and later have)";
}

} // namespace

std::vector<DoorKind> uring_doors() {
    const std::string reason = why_not();
    const auto kind = [&](const std::string &name, bool kernel_polls) {
        DoorKind door{name, kernel_polls, nullptr, reason};
        if (reason.empty()) {
            door.open = [kernel_polls](const Place &place) {
                return std::make_unique<UringDoor>(place, kernel_polls);
            };
        }
        return door;
    };
    return {kind("io_uring", false), kind("io_uring, SQPOLL", true)};
}

} // namespace ladder
