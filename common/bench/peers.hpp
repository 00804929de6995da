// SPDX-License-Identifier: MIT
/// @file
/// The rings of the benchmark behind one interface, each in its best mode. Producer and Consumer are its two
/// sides (or the ring itself, if it has none):
///
///     push(message), pop(message)       one at a time; false if the ring is full or empty
///     write(first, count)               makes up to count messages, numbered from first on; says how many
///     read(first, count, errors)        takes up to count, and checks them
///
/// All have about 1,024 places, and show a message when the call that pushes it returns.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <boost/lockfree/spsc_queue.hpp>
#include <readerwriterqueue.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <rte_ring_peek_zc.h>

#include "common/spsc_ring.hpp"

namespace bench {

constexpr std::size_t places = 1024;
constexpr std::size_t longest_span = 256;

/// Every word of a message follows from its number, and is checked.
template <std::size_t words>
struct Message {
    std::array<std::uint64_t, words> word;

    void fill(std::uint64_t number) {
        for (std::size_t i = 0; i < words; ++i) {
            word[i] = number + i;
        }
    }
    /// 0 if all words are those of the number.
    std::uint64_t differs(std::uint64_t number) const {
        std::uint64_t difference = 0;
        for (std::size_t i = 0; i < words; ++i) {
            difference |= word[i] ^ (number + i);
        }
        return difference;
    }
};

/// The ladder's ring. Its spans are read and written in place.
template <class T>
class Ours {
    using Ring = ladder::SpscRing<T, 961>; // with its spare places: 1,024
    static_assert(Ring::max_size() == places);
    Ring ring_;

public:
    class Producer {
    public:
        explicit Producer(Ours &ours) : producer_(ours.ring_) {}
        bool push(const T &message) { return producer_.try_push(message); }
        std::size_t write(std::uint64_t first, std::size_t count) {
            const auto span = producer_.reserve(count);
            for (T &place : span) {
                place.fill(first++);
            }
            producer_.commit(span.size());
            return span.size();
        }

    private:
        typename Ring::Producer producer_;
    };
    class Consumer {
    public:
        explicit Consumer(Ours &ours) : consumer_(ours.ring_) {}
        bool pop(T &message) { return consumer_.try_pop(message); }
        std::size_t read(std::uint64_t first, std::size_t count, std::uint64_t &errors) {
            const auto span = consumer_.peek(count);
            std::uint64_t difference = 0;
            for (const T &message : span) {
                difference |= message.differs(first++);
            }
            consumer_.release(span.size());
            errors |= difference;
            return span.size();
        }

    private:
        typename Ring::Consumer consumer_;
    };
};

/// boost::lockfree::spsc_queue, its size known at compile time. Spans are arrays that it copies.
template <class T>
class Boost {
public:
    using Producer = Boost &;
    using Consumer = Boost &;
    bool push(const T &message) { return ring_.push(message); }
    bool pop(T &message) { return ring_.pop(message); }
    std::size_t write(std::uint64_t first, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            out_[i].fill(first + i);
        }
        return ring_.push(out_.data(), count);
    }
    std::size_t read(std::uint64_t first, std::size_t count, std::uint64_t &errors) {
        const std::size_t got = ring_.pop(in_.data(), count);
        for (std::size_t i = 0; i < got; ++i) {
            errors |= in_[i].differs(first + i);
        }
        return got;
    }

private:
    boost::lockfree::spsc_queue<T, boost::lockfree::capacity<places>> ring_;
    alignas(128) std::array<T, longest_span> out_;
    alignas(128) std::array<T, longest_span> in_;
};

/// moodycamel::ReaderWriterQueue, without growing. It has no spans.
template <class T>
class Moodycamel {
public:
    using Producer = Moodycamel &;
    using Consumer = Moodycamel &;
    bool push(const T &message) { return ring_.try_enqueue(message); }
    bool pop(T &message) { return ring_.try_dequeue(message); }

private:
    moodycamel::ReaderWriterQueue<T> ring_{places};
};

/// DPDK's rte_ring with elements, single producer and consumer, in the process's own memory. Spans are arrays
/// that it copies.
template <class T>
class RteRing {
public:
    using Producer = RteRing &;
    using Consumer = RteRing &;
    RteRing() {
        const ssize_t size = rte_ring_get_memsize_elem(sizeof(T), 2 * places); // it takes a power of two
        const std::size_t whole = (static_cast<std::size_t>(size) + 127) / 128 * 128;
        memory_.reset(static_cast<rte_ring *>(std::aligned_alloc(128, whole)));
        if (size < 0 || !memory_ ||
            rte_ring_init(memory_.get(), "bench", places, RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ) !=
                0) {
            throw std::runtime_error("cannot set up rte_ring");
        }
    }
    bool push(const T &message) {
        T copy = message; // its argument is not const
        return rte_ring_sp_enqueue_elem(memory_.get(), &copy, sizeof(T)) == 0;
    }
    bool pop(T &message) { return rte_ring_sc_dequeue_elem(memory_.get(), &message, sizeof(T)) == 0; }
    std::size_t write(std::uint64_t first, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            out_[i].fill(first + i);
        }
        return rte_ring_sp_enqueue_burst_elem(memory_.get(), out_.data(), sizeof(T),
                                              static_cast<unsigned int>(count), nullptr);
    }
    std::size_t read(std::uint64_t first, std::size_t count, std::uint64_t &errors) {
        const std::size_t got = rte_ring_sc_dequeue_burst_elem(memory_.get(), in_.data(), sizeof(T),
                                                               static_cast<unsigned int>(count), nullptr);
        for (std::size_t i = 0; i < got; ++i) {
            errors |= in_[i].differs(first + i);
        }
        return got;
    }

protected:
    struct Free {
        void operator()(rte_ring *ring) const { std::free(ring); }
    };
    std::unique_ptr<rte_ring, Free> memory_;

private:
    alignas(128) std::array<T, longest_span> out_;
    alignas(128) std::array<T, longest_span> in_;
};

/// The same with its zero-copy interface: spans are read and written in place.
template <class T>
class RteRingZeroCopy : public RteRing<T> {
public:
    using Producer = RteRingZeroCopy &;
    using Consumer = RteRingZeroCopy &;
    std::size_t write(std::uint64_t first, std::size_t count) {
        rte_ring_zc_data span{};
        const unsigned int got = rte_ring_enqueue_zc_burst_elem_start(
            memory_.get(), sizeof(T), static_cast<unsigned int>(count), &span, nullptr);
        if (got != 0) {
            const auto fill = [&first](void *part, unsigned int length) {
                T *message = static_cast<T *>(part);
                for (unsigned int i = 0; i < length; ++i) {
                    message[i].fill(first++);
                }
            };
            fill(span.ptr1, span.n1);
            fill(span.ptr2, got - span.n1);
            rte_ring_enqueue_zc_elem_finish(memory_.get(), got);
        }
        return got;
    }
    std::size_t read(std::uint64_t first, std::size_t count, std::uint64_t &errors) {
        rte_ring_zc_data span{};
        const unsigned int got = rte_ring_dequeue_zc_burst_elem_start(
            memory_.get(), sizeof(T), static_cast<unsigned int>(count), &span, nullptr);
        if (got != 0) {
            std::uint64_t difference = 0;
            const auto check = [&](const void *part, unsigned int length) {
                const T *message = static_cast<const T *>(part);
                for (unsigned int i = 0; i < length; ++i) {
                    difference |= message[i].differs(first++);
                }
            };
            check(span.ptr1, span.n1);
            check(span.ptr2, got - span.n1);
            rte_ring_dequeue_zc_elem_finish(memory_.get(), got);
            errors |= difference;
        }
        return got;
    }

private:
    using RteRing<T>::memory_;
};

} // namespace bench
