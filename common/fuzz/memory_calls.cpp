// SPDX-License-Identifier: MIT
/// @file
/// Steps that are about the memory of the device: mmap() and all that can be done with a mapping.

#include <algorithm>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fuzz/worker.hpp"
#include "common/memory_order.hpp"

namespace ladder::fuzz {

namespace {

/// What the contract says of each.
struct Kind {
    Call call;
    std::uint64_t offset;
    std::size_t size;
    bool writable;
};
constexpr std::array<Kind, doors> kinds{{
    {Call::mmap_mailbox, HFT_OFFSET_MAILBOX, page_size, false},
    {Call::mmap_tail, HFT_OFFSET_TAIL, sizeof(hft_ring_tail), true},
    {Call::mmap_ring, HFT_OFFSET_RING, sizeof(hft_ring), false},
}};

void unmap(State &state, Area &area) {
    state.note(Call::munmap, munmap(area.memory, area.size));
    area = {};
}

/// As mmap(), but with offsets and addresses that the C library would refuse itself.
void *map(std::uintptr_t address, std::size_t size, int protection, int flags, int descriptor,
          std::uint64_t offset) {
    const long result = syscall(SYS_mmap, address, size, protection, flags, descriptor, offset);
    return reinterpret_cast<void *>(result); // NOLINT(performance-no-int-to-ptr)
}

void map_right(State &state, Random &random) {
    const std::size_t door = random.below(doors);
    const Kind &kind = kinds[door];
    Area &area = state.areas[door][random.below(2)];
    const int descriptor = state.descriptor(random);
    constexpr std::array<int, 6> protections{PROT_READ, PROT_READ, PROT_READ,
                                             PROT_READ, PROT_NONE, PROT_READ};
    constexpr std::array<int, 6> writable{PROT_READ | PROT_WRITE,
                                          PROT_READ | PROT_WRITE,
                                          PROT_READ | PROT_WRITE,
                                          PROT_WRITE,
                                          PROT_READ,
                                          PROT_NONE};
    const int protection = random.pick(kind.writable ? writable : protections);
    const int flags =
        MAP_SHARED | (random.one_in(8) ? MAP_POPULATE : 0) | (random.one_in(16) ? MAP_LOCKED : 0);
    if (area.mapped()) {
        unmap(state, area);
    }
    void *const memory = map(0, kind.size, protection, flags, descriptor, kind.offset);
    if (state.note(kind.call, memory == MAP_FAILED ? -1 : 0)) {
        area = {.memory = static_cast<char *>(memory),
                .size = kind.size,
                .readable = protection != PROT_NONE,
                .writable = (protection & PROT_WRITE) != 0};
    }
}

void map_wrong(State &state, Random &random) {
    const Kind &kind = random.pick(kinds);
    std::uintptr_t address = 0;
    std::size_t size = kind.size;
    std::uint64_t offset = kind.offset;
    int protection = PROT_READ;
    int flags = MAP_SHARED;
    constexpr std::array<std::uint64_t, 8> offsets{1,
                                                   page_size,
                                                   HFT_OFFSET_TAIL - page_size,
                                                   HFT_OFFSET_TAIL + page_size,
                                                   HFT_OFFSET_RING + page_size,
                                                   1ULL << 32,
                                                   0x7fff'ffff'ffff'f000,
                                                   0xffff'ffff'ffff'f000};
    constexpr std::array<std::size_t, 8> sizes{
        0,          2 * page_size, sizeof(hft_ring) - page_size, sizeof(hft_ring) + page_size, 1 << 30,
        1ULL << 46, SIZE_MAX,      SIZE_MAX - page_size};
    switch (random.below(7)) {
    case 0:
        offset = random.one_in(2) ? random.pick(offsets) : random.next() | 1ULL << 40;
        break;
    case 1:
        size = random.pick(sizes);
        break;
    case 2:
        size = page_size * (18 + random.below(1000));
        break;
    case 3:
        flags = MAP_PRIVATE;
        break;
    case 4:
        protection |= kind.writable ? PROT_EXEC : PROT_WRITE;
        break;
    case 5:
        protection |= PROT_EXEC;
        break;
    default:
        flags |= MAP_FIXED;
        address = random.one_in(2) ? 0x0000'7fff'ffff'f000 : 1;
        break;
    }
    void *const memory = map(address, size, protection, flags, state.descriptor(random), offset);
    state.note(Call::mmap_wrong, memory == MAP_FAILED ? -1 : 0);
    if (memory != MAP_FAILED) {
        munmap(memory, size);
    }
}

void unmap_one(State &state, Random &random) {
    unmap(state, state.any_area(random));
}

/// Its last pages; or the first ones, so that what is left begins elsewhere.
void unmap_part(State &state, Random &random) {
    Area &area = state.any_area(random);
    const std::size_t part = page_size * random.below(area.size / page_size + 1);
    const bool front = random.one_in(2);
    char *const from = front ? area.memory : area.memory + (area.size - part);
    if (!state.note(Call::munmap_part, munmap(from, part))) {
        return;
    }
    area.memory += front ? part : 0;
    area.size -= part;
    if (area.size == 0) {
        area = {};
    }
}

void protect(State &state, Area &area, Call call, int protection) {
    const std::size_t size = area.mapped() ? area.size : page_size;
    if (state.note(call, mprotect(area.memory, size, protection))) {
        area.readable = protection != PROT_NONE;
        area.writable = (protection & PROT_WRITE) != 0;
    }
}

void protect_less(State &state, Random &random) {
    protect(state, state.any_area(random), Call::mprotect_less, random.one_in(2) ? PROT_NONE : PROT_READ);
}

void protect_back(State &state, Random &random) {
    const std::size_t door = random.below(doors);
    Area &area = state.area(static_cast<Door>(door), random);
    protect(state, area, Call::mprotect_back, PROT_READ | (kinds[door].writable ? PROT_WRITE : 0));
}

void protect_denied(State &state, Random &random) {
    const std::size_t door = random.below(doors);
    Area &area = state.area(static_cast<Door>(door), random);
    const int denied = kinds[door].writable || random.one_in(2) ? PROT_EXEC : PROT_WRITE;
    protect(state, area, Call::mprotect_denied, denied | (random.one_in(2) ? PROT_READ : 0));
}

void remap_shrink(State &state, Random &random) {
    Area &area = state.area(Door::ring, random);
    const std::size_t pages = area.size / page_size;
    if (pages < 2) {
        return;
    }
    const std::size_t size = page_size * (pages - 1 - random.below(std::min<std::size_t>(pages - 1, 3)));
    if (state.note(Call::mremap_shrink, mremap(area.memory, area.size, size, 0) == MAP_FAILED ? -1 : 0)) {
        area.size = size;
    }
}

void remap_move(State &state, Random &random) {
    Area &area = state.any_area(random);
    const std::size_t size = area.mapped() ? area.size : page_size;
    void *const place = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *const moved = mremap(area.memory, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    if (state.note(Call::mremap_move, moved == MAP_FAILED ? -1 : 0)) {
        area.memory = static_cast<char *>(moved);
    } else {
        munmap(place, size);
    }
}

/// Larger, or (from size 0) a second mapping of the same, or (DONTUNMAP) an empty one left behind.
void remap_grow(State &state, Random &random) {
    const Area &area = state.any_area(random);
    if (!area.mapped()) {
        return;
    }
    const std::uint64_t way = random.below(3);
    const std::size_t from = way == 1 ? 0 : area.size;
    const std::size_t to = way == 2 ? area.size : area.size + page_size * (1 + random.below(32));
    const int flags = MREMAP_MAYMOVE | (way == 2 ? MREMAP_DONTUNMAP : 0);
    void *const grown = mremap(area.memory, from, to, flags);
    state.note(Call::mremap_grow, grown == MAP_FAILED ? -1 : 0);
}

void advise(State &state, Random &random) {
    // All that are harmless to the machine: hardware poison is not among them.
    constexpr std::array<int, 16> advices{
        MADV_DONTNEED,      MADV_DONTNEED,       MADV_DOFORK, MADV_DOFORK,   MADV_DONTFORK,   MADV_REMOVE,
        MADV_FREE,          MADV_WILLNEED,       MADV_COLD,   MADV_PAGEOUT,  MADV_WIPEONFORK, MADV_HUGEPAGE,
        MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_DODUMP, MADV_MERGEABLE};
    Area &area = state.any_area(random);
    const int advice = random.pick(advices);
    if (!area.mapped() || !state.note(Call::madvise, madvise(area.memory, area.size, advice))) {
        return;
    }
    area.lost = area.lost || advice == MADV_DONTNEED;
    area.forked = advice == MADV_DOFORK || (area.forked && advice != MADV_DONTFORK);
}

/// A consumer that has gone mad: wild tails, and noise all over its page.
void scribble(State &state, Random &random) {
    const Area &area = state.area(Door::tail, random);
    if (!area.mapped() || !area.writable || area.lost || !start_simulator(state)) {
        return;
    }
    auto &words = *reinterpret_cast<std::array<std::uint64_t, page_size / 8> *>(area.memory);
    const std::uint64_t times = 1 + random.below(64);
    for (std::uint64_t i = 0; i < times; ++i) {
        switch (random.below(4)) {
        case 0:
            store_release(words[0], random.next());
            break;
        case 1:
            store_release(words[0], words[0] + random.below(2 * HFT_RING_SLOTS));
            break;
        case 2:
            store_release(words[0], words[0] - random.below(2 * HFT_RING_SLOTS));
            break;
        default:
            store_release(words[random.below(words.size())], random.next());
            break;
        }
    }
    state.note(Call::scribble, 0);
}

/// A consumer that has kept up, so that messages flow through the ring again.
void keep_up(State &state, Random &random) {
    const Area &tail = state.area(Door::tail, random);
    const Area &ring = state.area(Door::ring, random);
    const bool whole = ring.size == sizeof(hft_ring);
    if (whole && ring.readable && !ring.lost && tail.mapped() && tail.writable && !tail.lost) {
        store_release(reinterpret_cast<hft_ring_tail *>(tail.memory)->tail,
                      load_acquire(reinterpret_cast<const hft_ring *>(ring.memory)->head));
    }
}

bool is_zero(const char *from, const char *to) {
    return std::all_of(from, to, [](char byte) { return byte == 0; });
}

/// Each byte of the mailbox and the ring that no message owns is zero, whatever was scribbled next to it.
void look(State &state, Random &random) {
    const Area &mailbox = state.area(Door::mailbox, random);
    if (mailbox.mapped() && mailbox.readable && !mailbox.lost) {
        if (!is_zero(mailbox.memory + sizeof(hft_mailbox), mailbox.memory + page_size)) {
            state.record.complain("the mailbox's page has something after the message");
        }
        state.note(Call::look, 0);
    }
    const Area &ring = state.area(Door::ring, random);
    if (ring.size != sizeof(hft_ring) || !ring.readable || ring.lost) {
        return;
    }
    const auto &r = *reinterpret_cast<const hft_ring *>(ring.memory);
    const hft_slot &slot = r.slots[random.below(HFT_RING_SLOTS)];
    const char *const slot_begin = reinterpret_cast<const char *>(&slot);
    if (!is_zero(ring.memory + sizeof(r.head), ring.memory + page_size)) {
        state.record.complain("the ring's first page has something after the head");
    }
    if (!is_zero(slot_begin + 16, slot_begin + sizeof(slot))) {
        state.record.complain("a slot has something after the message");
    }
    state.note(Call::look, 0);
}

/// As a debugger writes: through the kernel, which may ignore a protection, but not of shared memory.
void force_write(State &state, Random &random) {
    const std::size_t door = random.below(doors);
    const Area &area = state.area(static_cast<Door>(door), random);
    if (!area.mapped()) {
        return;
    }
    const int memory =
        open("/proc/self/mem", O_RDWR | O_CLOEXEC); // NOLINT(cppcoreguidelines-pro-type-vararg)
    const std::uint64_t noise = random.next();
    const long result = pwrite(memory, &noise, sizeof(noise), reinterpret_cast<off_t>(area.memory));
    state.note(kinds[door].writable ? Call::force_write_tail : Call::force_write_denied, result);
    close(memory);
}

constexpr std::array<Step, 15> steps{{
    {map_right, {0, 0, 24}},
    {map_wrong, {0, 1, 6}},
    {unmap_one, {0, 0, 3}},
    {unmap_part, {0, 0, 2}},
    {protect_less, {0, 0, 5}},
    {protect_back, {0, 0, 8}},
    {protect_denied, {0, 0, 3}},
    {remap_shrink, {0, 0, 6}},
    {remap_move, {0, 0, 6}},
    {remap_grow, {0, 0, 3}},
    {advise, {0, 0, 2}},
    {scribble, {0, 0, 10}},
    {keep_up, {0, 0, 10}},
    {look, {0, 0, 8}},
    {force_write, {0, 0, 3}},
}};

} // namespace

void unmap_all(State &state) {
    for (auto &places : state.areas) {
        for (Area &area : places) {
            if (area.mapped()) {
                unmap(state, area);
            }
        }
    }
}

void forget_uncopied(State &state) {
    for (auto &places : state.areas) {
        for (Area &area : places) {
            if (!area.forked) {
                area = {};
            }
        }
    }
}

std::span<const Step> memory_steps() {
    return steps;
}

} // namespace ladder::fuzz
