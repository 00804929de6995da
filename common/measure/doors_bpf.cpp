// SPDX-License-Identifier: MIT
/// @file
/// A door that needs no driver: a BPF program at the tracepoint hft_message copies each message into a BPF
/// ring buffer, which the consumer maps and polls. The program is ten instructions, so they are written by
/// hand.

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "common/measure/door.hpp"
#include "common/measure/sleeping.hpp"
#include "common/memory_order.hpp"

namespace ladder {
namespace {

/// Room for more messages than the ladder's ring has; a power of two, and whole pages.
constexpr std::uint32_t data_bytes = 64 * 1024;

int bpf(int command, bpf_attr &attributes) {
    return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof(attributes)));
}

int make_ring_buffer() {
    bpf_attr attributes{};
    attributes.map_type = BPF_MAP_TYPE_RINGBUF;
    attributes.max_entries = data_bytes;
    return bpf(BPF_MAP_CREATE, attributes);
}

constexpr bpf_insn instruction(int code, int to, int from, int offset, std::int32_t immediate) {
    return {static_cast<__u8>(code), static_cast<__u8>(to & 15), static_cast<__u8>(from & 15),
            static_cast<__s16>(offset), immediate};
}
constexpr bpf_insn set(int to, std::int32_t value) {
    return instruction(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}
constexpr bpf_insn copy(int to, int from) {
    return instruction(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}
constexpr bpf_insn add(int to, std::int32_t value) {
    return instruction(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value);
}
constexpr bpf_insn load(int to, int from, int offset) {
    return instruction(BPF_LDX | BPF_MEM | BPF_DW, to, from, offset, 0);
}
constexpr bpf_insn store(int to, int offset, int from) {
    return instruction(BPF_STX | BPF_MEM | BPF_DW, to, from, offset, 0);
}

/// bpf_ringbuf_output(ring, the tracepoint's two arguments, without a wake-up)
int load_program(int ring) {
    constexpr int arguments = BPF_REG_1;
    constexpr int stack = BPF_REG_10;
    const std::array program{
        load(BPF_REG_2, arguments, 0), // the sequence number
        load(BPF_REG_3, arguments, 8), // the stamp
        store(stack, -16, BPF_REG_2),
        store(stack, -8, BPF_REG_3),
        instruction(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, ring),
        instruction(0, 0, 0, 0, 0), // the upper half of the map's address, which the kernel fills in
        copy(BPF_REG_2, stack),
        add(BPF_REG_2, -16),
        set(BPF_REG_3, sizeof(hft_message)),
        set(BPF_REG_4, BPF_RB_NO_WAKEUP),
        instruction(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_output),
        set(BPF_REG_0, 0),
        instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };
    bpf_attr attributes{};
    attributes.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
    attributes.insns = reinterpret_cast<std::uintptr_t>(program.data());
    attributes.insn_cnt = program.size();
    attributes.license = reinterpret_cast<std::uintptr_t>("GPL");
    return bpf(BPF_PROG_LOAD, attributes);
}

int attach(int program) {
    bpf_attr attributes{};
    attributes.raw_tracepoint.name = reinterpret_cast<std::uintptr_t>("hft_message");
    attributes.raw_tracepoint.prog_fd = static_cast<__u32>(program);
    return bpf(BPF_RAW_TRACEPOINT_OPEN, attributes);
}

/// Memory of a map, until the end of the scope.
class MapMemory {
public:
    MapMemory(int map, off_t offset, std::size_t size, int protection)
        : memory_(mmap(nullptr, size, protection, MAP_SHARED, map, offset)), size_(size) {
        check(memory_ == MAP_FAILED ? -1 : 0, "mmap() of the BPF ring buffer");
    }
    ~MapMemory() { munmap(memory_, size_); }
    MapMemory(const MapMemory &) = delete;
    MapMemory &operator=(const MapMemory &) = delete;

    std::byte *bytes() const { return static_cast<std::byte *>(memory_); }
    /// The position at the beginning.
    std::uint64_t &position() const { return *static_cast<std::uint64_t *>(memory_); }

private:
    void *memory_;
    std::size_t size_;
};

class BpfDoor : public Door {
public:
    explicit BpfDoor(const Place &place) : place_(place) {
        hft_ctl_or_throw("set the device up", HFT_CTL_SETUP);
    }

    void start(unsigned int period_us, unsigned int burst) override {
        last_before_ = Device::produced();
        simulator_.emplace(period_us, burst, static_cast<unsigned int>(place_.producer_cpu));
    }

    Taken take(std::span<hft_message> room) override {
        // The producer's position is behind a record whose message may still be on its way in.
        Taken taken = spin_for_messages(place_, [&] { return there(); });
        taken.count = 0;
        do {
            const std::byte *const record = next();
            std::memcpy(&room[taken.count++], record + BPF_RINGBUF_HDR_SZ, sizeof(hft_message));
            consumed_ += BPF_RINGBUF_HDR_SZ + sizeof(hft_message);
        } while (taken.count < room.size() && there());
        store_release(consumer_.position(), consumed_);
        return taken;
    }

    std::uint64_t last_before() const override { return last_before_; }
    std::uint64_t dropped() const override { return 0; } // nobody counts: a gap is what was dropped

private:
    /// Two views of the data, one behind the other: no record is broken by the end.
    const std::byte *next() const { return producer_.bytes() + HFT_PAGE + consumed_ % data_bytes; }

    bool there() const {
        if (load_acquire(producer_.position()) == consumed_) {
            return false;
        }
        const auto &length = *reinterpret_cast<const std::uint32_t *>(next());
        return (load_acquire(length) & BPF_RINGBUF_BUSY_BIT) == 0;
    }

    Place place_;
    Descriptor map_{make_ring_buffer(), "BPF_MAP_CREATE"};
    Descriptor program_{load_program(map_.number()), "BPF_PROG_LOAD"};
    Descriptor link_{attach(program_.number()), "BPF_RAW_TRACEPOINT_OPEN"};
    MapMemory consumer_{map_.number(), 0, HFT_PAGE, PROT_READ | PROT_WRITE};
    MapMemory producer_{map_.number(), HFT_PAGE, HFT_PAGE + 2 * data_bytes, PROT_READ};
    std::optional<Simulator> simulator_;
    std::uint64_t last_before_ = 0;
    std::uint64_t consumed_ = 0;
};

} // namespace

std::vector<DoorKind> bpf_doors() {
    const int map = make_ring_buffer();
    if (map < 0) {
        return {{"BPF ring buffer", true, nullptr,
                 std::string("this kernel has none (") + std::strerror(errno) + ")"}};
    }
    close(map);
    return {door_kind<BpfDoor>("BPF ring buffer", true)};
}

} // namespace ladder
