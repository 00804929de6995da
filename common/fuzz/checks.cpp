// SPDX-License-Identifier: MIT
#include "common/fuzz/checks.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <fmt/core.h>
#include <sys/mount.h>

#include "common/deadline.hpp"
#include "common/device.hpp"
#include "common/memory_order.hpp"

namespace ladder::fuzz {

namespace {

constexpr std::size_t page_size = 4096;
constexpr std::chrono::seconds patience{30};
const std::string debug = "/sys/kernel/debug";

void write_to(const std::string &path, const char *what) {
    std::ofstream(path) << what << std::flush;
}

std::string all_of(const std::string &path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::uint64_t meminfo(const std::string &wanted) {
    std::ifstream file("/proc/meminfo");
    for (std::string name, rest; file >> name; std::getline(file, rest)) {
        std::uint64_t kib = 0;
        file >> kib;
        if (name == wanted) {
            return kib;
        }
    }
    throw std::runtime_error("/proc/meminfo has no line " + wanted);
}

/// Pages whose allocation went through the driver: the kernel keeps the stack of each with page_owner=on.
long driver_pages() {
    std::ifstream file(debug + "/page_owner");
    long pages = -1;
    long order = 0;
    for (std::string line; std::getline(file, line);) {
        constexpr const char *begin = "Page allocated via order ";
        if (line.rfind(begin, 0) == 0) {
            pages = pages < 0 ? 0 : pages;
            order = std::stol(line.substr(std::string(begin).size()));
        } else if (order >= 0 && line.find("hft_setup") != std::string::npos) {
            pages += 1L << order;
            order = -1; // once a page, however long its stack
        }
    }
    return pages;
}

/// Number @p index of a file of 64-bit words, such as /proc/kpagecount; 0 if it cannot be read.
std::uint64_t word_of(const char *path, std::uint64_t index) {
    // Not a stream: what it reads ahead is no multiple of 8, which these files refuse.
    const int file = open(path, O_RDONLY | O_CLOEXEC); // NOLINT(cppcoreguidelines-pro-type-vararg)
    std::uint64_t word = 0;
    const bool whole = pread(file, &word, sizeof(word), static_cast<off_t>(index * 8)) == sizeof(word);
    close(file);
    return whole ? word : 0;
}

/// How often the page at @p address is mapped, this mapping included.
std::uint64_t times_mapped(const void *address) {
    constexpr std::uint64_t frame_bits = (1ULL << 55) - 1;
    const std::uint64_t page = reinterpret_cast<std::uintptr_t>(address) / page_size;
    const std::uint64_t frame = word_of("/proc/self/pagemap", page) & frame_bits;
    return word_of("/proc/kpagecount", frame);
}

std::uint64_t times_mapped_in_all(int stage) {
    const Device device;
    std::uint64_t sum = 0;
    if (stage >= 2) {
        const Mapping<hft_mailbox> mailbox(device, HFT_OFFSET_MAILBOX, page_size, PROT_READ);
        sum += times_mapped(mailbox.get()) - 1;
    }
    if (stage >= 3) {
        const Mapping<hft_ring_tail> tail(device, HFT_OFFSET_TAIL, sizeof(hft_ring_tail), PROT_READ);
        const Mapping<hft_ring> ring(device, HFT_OFFSET_RING, sizeof(hft_ring), PROT_READ);
        sum += times_mapped(tail.get()) - 1;
        for (std::size_t at = 0; at < sizeof(hft_ring); at += page_size) {
            sum += times_mapped(reinterpret_cast<const char *>(ring.get()) + at) - 1;
        }
    }
    return sum;
}

void expect(bool condition, const std::string &otherwise) {
    if (!condition) {
        throw std::runtime_error(otherwise);
    }
}

template <class Work>
Check check(const std::string &name, Work work) {
    try {
        work();
    } catch (const std::exception &error) {
        return {name, Check::Result::failed, error.what()};
    }
    return {name, Check::Result::passed, ""};
}

void nothing_runs() {
    hft_ctl_or_throw("stop", HFT_CTL_STOP);
    const std::uint64_t before = Device::produced();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    expect(Device::produced() == before, "messages are made after hft_ctl stop");
}

/// Waits for the condition with the simulator running.
template <class Ready>
void await_messages(const char *what, Ready ready) {
    const Simulator simulator(1000);
    const Deadline deadline(patience);
    while (!ready()) {
        deadline.check(what);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

void read_works() {
    const Device device(O_RDWR | O_NONBLOCK);
    std::uint64_t last = Device::produced();
    int taken = 0;
    await_messages("a message to read", [&] {
        hft_message message{};
        if (read(device.descriptor(), &message, sizeof(message)) == sizeof(message)) {
            expect(message.sequence == ++last, "the wrong message came to read()");
            ++taken;
        }
        return taken == 20;
    });
}

void mailbox_works() {
    const Device device;
    const Mapping<hft_mailbox> mailbox(device, HFT_OFFSET_MAILBOX, page_size, PROT_READ);
    const std::uint64_t first = Device::produced() + 20;
    await_messages("a message in the mailbox", [&] { return load_acquire(mailbox->sequence_end) >= first; });
}

void ring_works() {
    const Device device;
    const Mapping<hft_ring_tail> tail(device, HFT_OFFSET_TAIL, sizeof(hft_ring_tail), PROT_READ | PROT_WRITE);
    const Mapping<hft_ring> ring(device, HFT_OFFSET_RING, sizeof(hft_ring), PROT_READ);
    expect(load_acquire(ring->head) == 0 && load_acquire(tail->tail) == 0, "the ring is not empty");
    const std::uint64_t before = Device::produced();
    std::uint64_t taken = 0;
    await_messages("a message in the ring", [&] {
        while (taken < load_acquire(ring->head)) {
            expect(load_acquire(ring->slots[taken].sequence) == before + taken + 1,
                   "the wrong message is in a slot");
            store_release(tail->tail, __u64{++taken});
        }
        return taken >= 20;
    });
}

/// A kernel that has complained or seen corruption is tainted.
void kernel_is_untainted() {
    const std::string taint = all_of("/proc/sys/kernel/tainted");
    expect(taint == "0\n" || taint.empty(), "/proc/sys/kernel/tainted is " + taint);
}

} // namespace

void prepare_checks() {
    mount("debug", debug.c_str(), "debugfs", 0, nullptr); // not every kernel has it
    write_to("/proc/sys/debug/exception-trace", "0");
}

Memory measure_memory(int stage) {
    Memory memory;
    memory.mapped = stage >= 1 ? times_mapped_in_all(stage) : 0;
    memory.driver_pages = driver_pages();
    write_to("/proc/sys/vm/drop_caches", "3");
    std::this_thread::sleep_for(std::chrono::seconds(1)); // for what RCU frees
    memory.free_kib = meminfo("MemFree:");
    memory.unreclaim_kib = meminfo("SUnreclaim:");
    return memory;
}

std::vector<Check> check_memory(const Memory &before, const Memory &after) {
    // Caches of each CPU, and whatever the system does. One page for each of 1,000 opens would be 4,000 KiB.
    constexpr std::uint64_t noise_kib = 2048;
    const bool freed = after.free_kib + noise_kib >= before.free_kib;
    std::vector<Check> checks;
    checks.push_back({"free memory did not shrink", freed ? Check::Result::passed : Check::Result::failed,
                      fmt::format("{} KiB, then {}; slabs {} KiB, then {}", before.free_kib, after.free_kib,
                                  before.unreclaim_kib, after.unreclaim_kib)});
    checks.push_back({"no page of the device is mapped any more",
                      after.mapped == 0 ? Check::Result::passed : Check::Result::failed,
                      fmt::format("{} mappings left", after.mapped)});
    const bool known = before.driver_pages >= 0 && after.driver_pages >= 0;
    const bool same = before.driver_pages == after.driver_pages;
    checks.push_back({"the driver has as many pages",
                      known ? (same ? Check::Result::passed : Check::Result::failed) : Check::Result::skipped,
                      known ? fmt::format("{}, then {}", before.driver_pages, after.driver_pages)
                            : "this kernel does not keep the owners of pages (page_owner=on)"});
    return checks;
}

void shorten_grace_periods(bool shorten) {
    write_to("/sys/kernel/rcu_expedited", shorten ? "1" : "0");
}

std::vector<Check> check_device(int stage) {
    std::vector<Check> checks;
    if (stage >= 1) {
        checks.push_back(check("nothing runs after hft_ctl stop", nothing_runs));
        checks.push_back(check("read() works", read_works));
    }
    if (stage >= 2) {
        checks.push_back(check("the mailbox works", mailbox_works));
    }
    if (stage >= 3) {
        checks.push_back(check("the ring works", ring_works));
    }
    checks.push_back(check("the kernel has not complained", kernel_is_untainted));
    return checks;
}

Check check_kmemleak() {
    const std::string name = "no slab object leaked (kmemleak)";
    const std::string path = debug + "/kmemleak";
    if (!std::filesystem::exists(path)) {
        return {name, Check::Result::skipped, "this kernel has no kmemleak"};
    }
    // What is found in one scan can be a pointer on its way; it has to be there in a later one, too.
    for (int scan = 0; scan < 2; ++scan) {
        std::this_thread::sleep_for(std::chrono::seconds(6));
        write_to(path, "scan");
    }
    const std::string leaks = all_of(path);
    return {name, leaks.empty() ? Check::Result::passed : Check::Result::failed, leaks.substr(0, 2000)};
}

} // namespace ladder::fuzz
