// SPDX-License-Identifier: MIT
/// @file
/// The ladder's ring for user space: one producer, one consumer, no lock; one header that needs no other.
///
/// What limits such a ring is the cache lines that two CPUs pass to each other: a line costs 100 to 600
/// cycles, the instructions of a push about 8. So the layout is about lines. For 16-byte messages:
///
///     block 0: | published | message 0 | message 1 | message 2 |    one cache line
///     block 1: | published | message 3 | message 4 | message 5 |    one cache line
///     ...
///     tail:    | taken |                                            the consumer's
///
/// - The word that says "the message is there" lies in the line that brings the message: a waiting consumer
///   moves one line. With one head for the whole ring it moves two, the head's and the message's, in turn.
/// - One such word serves all messages of its block, so that they lie three to a line, not one or two.
/// - It is no flag, but a count: "all messages before this number are there". It is only compared with
///   "greater than", so that nobody has to clear it: what is left from the last lap is too small. And one
///   store publishes a batch of any length: into the block of its first message, where the consumer waits.
/// - The consumer publishes its tail 8 to 16 times a lap, and the producer looks at it only when the ring
///   seems full: a few lines per lap, not one per message. The ring has as many spare places as the tail
///   may lag, so that it takes what it promises all the same.
/// - What the producer writes next is still in the consumer's cache, from the last lap. `prefetchw` asks for
///   the line eight lines ahead, so that the stores need not wait for it. try_push() does so only if the
///   consumer is known to have left that line: to take one that it still reads costs more than to wait.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace ladder {

/// A first-in first-out ring between one producer thread and one consumer thread.
///
/// Each thread works with its side of the ring, a value in its own function:
///
///     SpscRing<Message, 1024>::Producer producer(ring);      SpscRing<Message, 1024>::Consumer
///     consumer(ring); while (!producer.try_push(message)) { ... }            while
///     (!consumer.try_pop(message)) { ... }
///
/// There, the compiler keeps what a side knows (where it stands, what it has seen of the other one) in
/// registers. In the ring's own memory it would have to store and load it again for each message, because
/// the messages might be lying over it: that alone is 5 cycles a message. For now and then, the ring has the
/// same calls itself. None waits for the other side. A message is visible to the consumer when the call that
/// publishes it returns: try_push(), try_emplace() or commit().
///
/// The memory is inside the object, about 1.5 times that of Capacity 16-byte messages, 1.3 times that of
/// larger ones. On the heap, `std::make_unique<ladder::SpscRing<Message, 4096>>()` aligns it as it must be.
///
/// @tparam T         a message; it is at most 64 bytes aligned, and its destructor throws nothing
/// @tparam Capacity  messages for which there is always room, at least 1; no power of two is needed
template <class T, std::size_t Capacity>
class SpscRing {
    static_assert(std::is_object_v<T> && std::is_same_v<T, std::remove_cv_t<T>>,
                  "a message is an object, neither const nor volatile");
    static_assert(std::is_nothrow_destructible_v<T>, "the destructor of a message must not throw");
    static_assert(Capacity >= 1, "a ring without a place holds nothing");
    static_assert(Capacity <= SIZE_MAX / 16 / (sizeof(T) + 64), "the ring does not fit into memory");

    static constexpr std::size_t cache_line = 64;
    static_assert(alignof(T) <= cache_line, "a message must not be aligned to more than a cache line");

    static constexpr std::size_t head_size = std::max(sizeof(std::uint64_t), alignof(T));
    /// Whether a message and the word that publishes it fit into one line.
    static constexpr bool small = head_size + sizeof(T) <= cache_line;
    /// Messages in a block. Small ones fill a line. Of others, eight share a line for the word: a batch that
    /// is published by one store then moves hardly more than the messages.
    static constexpr std::size_t per_block = small ? (cache_line - head_size) / sizeof(T) : 8;

    /// The published tail is less than this behind what the consumer has taken, in messages. A power of two,
    /// so that a producer that waits gets whole batches of the usual lengths.
    static constexpr std::size_t lag = std::bit_floor(std::max<std::size_t>(1, Capacity / 8));
    /// With so many more places, Capacity messages always find room, wherever the tail is.
    static constexpr std::size_t most = Capacity + lag - 1;
    static constexpr std::size_t block_count = (most + per_block - 1) / per_block;

    /// Messages and the word that publishes them.
    struct alignas(cache_line) Block {
        /// All messages before this number are there. The producer's.
        std::atomic<std::uint64_t> published;
        /// A T lives in it from the push to the pop.
        alignas(small ? alignof(T) : cache_line) std::array<std::byte, per_block * sizeof(T)> memory;
    };
    using Blocks = std::array<Block, block_count>;

    /// Where one of the two sides stands.
    struct Cursor {
        std::uint64_t number; ///< of the next message; it wraps at 2^64, and only differences are looked at
        std::size_t block;    ///< where that message is, or will be
        std::byte *slot;      ///< its place in the block
    };

    /// How far ahead the producer asks for lines: enough to hide 200 cycles from a producer that takes 8 a
    /// message.
    static constexpr std::size_t prefetch_bytes = 8 * cache_line;
    static constexpr std::size_t prefetch_messages = (small ? per_block : 1) * 9;
    static constexpr bool prefetch = sizeof(Blocks) >= 4 * prefetch_bytes;

public:
    using value_type = T; ///< a message, as containers of the standard library say it

    /// An empty ring. @param first  the number of the first message; only tests care
    explicit SpscRing(std::uint64_t first = 0) noexcept {
        for (Block &block : blocks_) {
            block.published.store(first, std::memory_order_relaxed); // no other thread has the ring yet
        }
        taken_.store(first, std::memory_order_relaxed);
        producer_ = {{first, 0, blocks_[0].memory.data()}, first};
        consumer_ = {{first, 0, blocks_[0].memory.data()}, first, first};
    }

    /// Destroys the messages that are left. Both threads must be done with the ring.
    ~SpscRing() {
        destroy(consumer_.at, static_cast<std::size_t>(producer_.at.number - consumer_.at.number));
    }

    SpscRing(const SpscRing &) = delete;
    SpscRing &operator=(const SpscRing &) = delete;

    /// Messages for which there is always room.
    static constexpr std::size_t capacity() noexcept { return Capacity; }

    /// Messages that the ring never exceeds: capacity(), and the spare places for a tail that lags.
    static constexpr std::size_t max_size() noexcept { return most; }

    /// Messages of the ring in their order, where they are. They do not lie one after the other as in an
    /// array, for the words of the blocks are between them: it is a range to go through.
    template <bool to_write>
    class Range {
    public:
        /// Goes from one message to the next: an input iterator of the standard library.
        class iterator {
        public:
            using value_type = T; ///< a message
            using difference_type =
                std::ptrdiff_t; ///< asked for by std::input_iterator; nothing is subtracted

            /// The message, where it is in the ring.
            T &operator*() const { return *object_at(slot_); }
            /// A member of it.
            T *operator->() const { return object_at(slot_); }
            /// To the next message, which may be in the next block.
            iterator &operator++() {
                --left_;
                slot_ += sizeof(T);
                const bool block_done = slot_ == block_end_;
                if (block_done) {
                    block_ = block_ + 1 == block_count ? 0 : block_ + 1;
                    enter(ring_->blocks_[block_].memory.data());
                }
                if (to_write && (block_done || !small)) {
                    ring_->prefetch_ahead(slot_);
                }
                return *this;
            }
            /// The same; what it was before cannot be had.
            void operator++(int) { ++*this; }
            /// Whether it has gone past the last message.
            bool operator==(std::default_sentinel_t) const { return left_ == 0; }

        private:
            friend Range;
            iterator(SpscRing *ring, const Cursor &at, std::size_t left)
                : ring_(ring), block_(at.block), left_(left) {
                enter(ring->blocks_[block_].memory.data());
                slot_ = at.slot;
            }
            void enter(std::byte *memory) {
                slot_ = memory;
                block_end_ = memory + per_block * sizeof(T);
            }

            SpscRing *ring_;
            std::size_t block_;
            std::byte *slot_ = nullptr;
            std::byte *block_end_ = nullptr;
            std::size_t left_;
        };

        /// The first message.
        iterator begin() const { return {ring_, at_, size_}; }
        /// What an iterator past the last message is equal to.
        std::default_sentinel_t end() const { return {}; }
        /// How many there are: from 0 to what was asked for.
        std::size_t size() const { return size_; }
        /// Whether there are none.
        bool empty() const { return size_ == 0; }

    private:
        friend SpscRing;
        Range(SpscRing *ring, const Cursor &at, std::size_t size) : ring_(ring), at_(at), size_(size) {}

        SpscRing *ring_;
        Cursor at_;
        std::size_t size_;
    };
    using Places = Range<true>;    ///< what reserve() gives
    using Messages = Range<false>; ///< what peek() gives

    /// The producer's side. There is at most one at a time, in one thread; it gives the ring back when it
    /// ends.
    class Producer {
    public:
        /// Goes on where the last one ended. @param ring  has to outlive this
        explicit Producer(SpscRing &ring) noexcept
            : ring_(ring), at_(ring.producer_.at), taken_seen_(ring.producer_.taken_seen) {}
        ~Producer() { ring_.producer_ = {at_, taken_seen_}; }
        Producer(const Producer &) = delete;
        Producer &operator=(const Producer &) = delete;

        /// Makes a message in its place, and publishes it.
        /// @returns false if the ring is full; the arguments are as before then
        /// @throws what the constructor throws; the ring is as before then
        template <class... Arguments>
        requires std::constructible_from<T, Arguments...>
        [[nodiscard]] bool
        try_emplace(Arguments &&...arguments) noexcept(std::is_nothrow_constructible_v<T, Arguments...>) {
            if (room_for(1) == 0) {
                return false;
            }
            ::new (static_cast<void *>(at_.slot)) T(std::forward<Arguments>(arguments)...);
            publish(1);
            if (ring_.advance(at_) && known_room() >= prefetch_messages) {
                ring_.prefetch_ahead(at_.slot);
            }
            return true;
        }

        /// As try_emplace(), with a copy.
        [[nodiscard]] bool try_push(const T &value) noexcept(
            std::is_nothrow_copy_constructible_v<T>) requires std::copy_constructible<T> {
            return try_emplace(value);
        }

        /// As try_emplace(), with the value itself.
        [[nodiscard]] bool try_push(T &&value) noexcept(
            std::is_nothrow_move_constructible_v<T>) requires std::move_constructible<T> {
            return try_emplace(std::move(value));
        }

        /// Places to write messages into, without a copy. Nobody sees them before commit(). Reserving again
        /// gives the same places again. What they hold before they are written is unspecified.
        /// @param count  how many are wanted
        /// @returns as many as there is room for, at most @p count
        [[nodiscard]] Places reserve(std::size_t count) noexcept
            requires(std::is_trivially_copyable_v<T> &&std::is_trivially_default_constructible_v<T>) {
            return {&ring_, at_, room_for(count)};
        }

        /// Publishes the first @p count places of the last reserve(), by one store.
        /// @param count  at most what reserve() gave
        void commit(std::size_t count) noexcept {
            assert(count <= known_room());
            if (count != 0) {
                publish(count);
                ring_.advance_by(at_, count);
            }
        }

    private:
        /// Places that are free for all the producer knows.
        std::size_t known_room() const { return most - static_cast<std::size_t>(at_.number - taken_seen_); }

        /// Places that are free, at most @p count. Looks at the consumer's line only if it must.
        std::size_t room_for(std::size_t count) {
            if (known_room() < count) [[unlikely]] {
                // Pairs with release()'s store: what the consumer says it has taken, it has read.
                taken_seen_ = ring_.taken_.load(std::memory_order_acquire);
            }
            return std::min(known_room(), count);
        }

        /// Makes the next @p count places visible: in the block of the first one, where the consumer waits.
        void publish(std::size_t count) {
            // Pairs with published_from()'s acquire: the messages were written before the number that covers
            // them.
            ring_.blocks_[at_.block].published.store(at_.number + count, std::memory_order_release);
        }

        SpscRing &ring_;
        Cursor at_;
        std::uint64_t taken_seen_; // the producer's copy of the ring's taken_
    };

    /// The consumer's side. There is at most one at a time, in one thread; it gives the ring back when it
    /// ends.
    class Consumer {
    public:
        /// Goes on where the last one ended. @param ring  has to outlive this
        explicit Consumer(SpscRing &ring) noexcept
            : ring_(ring), at_(ring.consumer_.at), published_seen_(ring.consumer_.published_seen),
              told_(ring.consumer_.told) {}
        ~Consumer() { ring_.consumer_ = {at_, published_seen_, told_}; }
        Consumer(const Consumer &) = delete;
        Consumer &operator=(const Consumer &) = delete;

        /// Takes the oldest message. @returns false if there is none; @p value is as before then
        /// @throws what the assignment throws; the message stays then
        [[nodiscard]] bool try_pop(T &value) noexcept(
            std::is_nothrow_move_assignable_v<T>) requires std::is_move_assignable_v<T> {
            if (!message_there()) {
                return false;
            }
            value = std::move(*object_at(at_.slot));
            release(1);
            return true;
        }

        /// As try_pop(T &), for types that cannot be assigned or have no default. @returns nothing if there
        /// is none
        [[nodiscard]] std::optional<T>
        try_pop() noexcept(std::is_nothrow_move_constructible_v<T>) requires std::move_constructible<T> {
            std::optional<T> value;
            if (message_there()) {
                value.emplace(std::move(*object_at(at_.slot)));
                release(1);
            }
            return value;
        }

        /// The oldest messages, to be read where they are. They stay until release(); peeking again gives
        /// them again.
        /// @param count  how many are wanted
        /// @returns as many as are there, at most @p count
        [[nodiscard]] Messages peek(std::size_t count) noexcept {
            std::size_t there = static_cast<std::size_t>(published_seen_ - at_.number);
            if (there < count) {
                // From one batch's end to the next one's: each block's word tells where that is.
                Cursor end = at_;
                ring_.advance_by(end, there);
                while (there < count) {
                    const std::size_t more = ring_.published_from(end);
                    if (more == 0) {
                        break;
                    }
                    there += more;
                    ring_.advance_by(end, more);
                }
                published_seen_ = end.number;
            }
            return {&ring_, at_, std::min(there, count)};
        }

        /// Destroys the @p count oldest messages; the producer may use their places again.
        /// @param count  at most what peek() gave
        void release(std::size_t count) noexcept {
            assert(count <= published_seen_ - at_.number);
            ring_.destroy(at_, count);
            if (at_.number - told_ >= lag) {
                told_ = at_.number;
                // Pairs with room_for()'s acquire: the messages were read before the producer writes over
                // them.
                ring_.taken_.store(at_.number, std::memory_order_release);
            }
        }

    private:
        /// Whether the consumer may take a message. Looks at the producer's words only if it knows of none.
        bool message_there() {
            if (published_seen_ == at_.number) {
                published_seen_ += ring_.published_from(at_);
            }
            return published_seen_ != at_.number;
        }

        SpscRing &ring_;
        Cursor at_;
        std::uint64_t published_seen_; // all messages before it are there; never behind at_.number
        std::uint64_t told_;           // the consumer's copy of the ring's taken_
    };

    // --- The same calls for now and then. The producer's thread: ---

    /// Producer::try_emplace()
    template <class... Arguments>
    requires std::constructible_from<T, Arguments...>
    [[nodiscard]] bool
    try_emplace(Arguments &&...arguments) noexcept(std::is_nothrow_constructible_v<T, Arguments...>) {
        return Producer(*this).try_emplace(std::forward<Arguments>(arguments)...);
    }
    /// Producer::try_push()
    [[nodiscard]] bool try_push(const T &value) noexcept(
        std::is_nothrow_copy_constructible_v<T>) requires std::copy_constructible<T> {
        return Producer(*this).try_push(value);
    }
    /// Producer::try_push()
    [[nodiscard]] bool try_push(T &&value) noexcept(
        std::is_nothrow_move_constructible_v<T>) requires std::move_constructible<T> {
        return Producer(*this).try_push(std::move(value));
    }
    /// Producer::reserve()
    [[nodiscard]] Places reserve(std::size_t count) noexcept
        requires(std::is_trivially_copyable_v<T> &&std::is_trivially_default_constructible_v<T>) {
        return Producer(*this).reserve(count);
    }
    /// Producer::commit()
    void commit(std::size_t count) noexcept { Producer(*this).commit(count); }

    // --- The consumer's thread: ---

    /// Consumer::try_pop()
    [[nodiscard]] bool
    try_pop(T &value) noexcept(std::is_nothrow_move_assignable_v<T>) requires std::is_move_assignable_v<T> {
        return Consumer(*this).try_pop(value);
    }
    /// Consumer::try_pop()
    [[nodiscard]] std::optional<T>
    try_pop() noexcept(std::is_nothrow_move_constructible_v<T>) requires std::move_constructible<T> {
        return Consumer(*this).try_pop();
    }
    /// Consumer::peek()
    [[nodiscard]] Messages peek(std::size_t count) noexcept { return Consumer(*this).peek(count); }
    /// Consumer::release()
    void release(std::size_t count) noexcept { Consumer(*this).release(count); }

private:
    static T *object_at(std::byte *slot) { return std::launder(reinterpret_cast<T *>(slot)); }

    /// On to the next place. @returns whether the producer should ask for another line
    bool advance(Cursor &at) {
        ++at.number;
        at.slot += sizeof(T);
        Block &block = blocks_[at.block];
        if (at.slot != block.memory.data() + block.memory.size()) {
            return !small;
        }
        at.block = at.block + 1 == block_count ? 0 : at.block + 1;
        at.slot = blocks_[at.block].memory.data();
        return true;
    }

    /// As @p count times advance(). @p count is at most the number of places.
    void advance_by(Cursor &at, std::size_t count) {
        at.number += count;
        const std::size_t slot =
            static_cast<std::size_t>(at.slot - blocks_[at.block].memory.data()) / sizeof(T) + count;
        at.block += slot / per_block;
        at.block = at.block >= block_count ? at.block - block_count : at.block;
        at.slot = blocks_[at.block].memory.data() + slot % per_block * sizeof(T);
    }

    /// Asks for the line that will be written some lines after @p slot. A hint: it cannot fail, whatever the
    /// address.
    void prefetch_ahead(const std::byte *slot) {
        if constexpr (prefetch) {
            auto ahead = reinterpret_cast<std::uintptr_t>(slot) + prefetch_bytes;
            if (ahead >= reinterpret_cast<std::uintptr_t>(&blocks_) + sizeof(blocks_)) {
                ahead -= sizeof(blocks_);
            }
            // Without -mprfchw, __builtin_prefetch() would ask for a line to read.
            asm volatile("prefetchw (%0)" : : "r"(ahead));
        }
    }

    /// Messages that are there from @p at on, for all that its block says: 0 if it says nothing new.
    std::size_t published_from(const Cursor &at) const {
        // Pairs with publish()'s release. What is left from the last lap is not greater than at.number.
        const std::uint64_t published = blocks_[at.block].published.load(std::memory_order_acquire);
        const auto ahead = static_cast<std::int64_t>(published - at.number);
        return ahead > 0 ? static_cast<std::size_t>(ahead) : 0;
    }

    /// Destroys the next @p count messages and goes past them.
    void destroy(Cursor &at, std::size_t count) {
        if constexpr (std::is_trivially_destructible_v<T>) {
            if (count == 1) { // the common case, without a division
                advance(at);
            } else {
                advance_by(at, count);
            }
        } else {
            for (; count != 0; --count) {
                std::destroy_at(object_at(at.slot));
                advance(at);
            }
        }
    }

    // Where each side stood when it was last given back, in lines of its own: a store into one must not take
    // the other's away. Two lines, because CPUs fetch them in pairs.

    /// Only the producer touches it.
    struct alignas(2 * cache_line) ProducerState {
        Cursor at;
        std::uint64_t taken_seen;
    };
    /// Only the consumer touches it.
    struct alignas(2 * cache_line) ConsumerState {
        Cursor at;
        std::uint64_t published_seen;
        std::uint64_t told;
    };

    ProducerState producer_;
    ConsumerState consumer_;
    /// All messages before this number were taken. The consumer's; it lags by less than `lag`.
    alignas(2 * cache_line) std::atomic<std::uint64_t> taken_;
    alignas(2 * cache_line) Blocks blocks_;
};

} // namespace ladder
