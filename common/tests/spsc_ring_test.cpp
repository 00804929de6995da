// SPDX-License-Identifier: MIT
#include "common/spsc_ring.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/deadline.hpp"

namespace {

using ladder::SpscRing;

/// The messages of the ladder: a number, and what comes with it.
template <std::size_t words>
struct Message {
    std::array<std::uint64_t, words> word;

    static Message number(std::uint64_t sequence) {
        Message message{};
        message.fill(sequence);
        return message;
    }
    void fill(std::uint64_t sequence) {
        for (std::size_t i = 0; i < words; ++i) {
            word[i] = sequence * (i + 1);
        }
    }
    bool is_number(std::uint64_t sequence) const {
        bool same = true;
        for (std::size_t i = 0; i < words; ++i) {
            same &= word[i] == sequence * (i + 1);
        }
        return same;
    }
};
using Small = Message<2>; // three to a cache line
using Large = Message<8>; // a cache line each

/// Numbers near the end of 64 bits: the ring's own counters wrap within a few messages.
constexpr std::uint64_t almost_over = std::numeric_limits<std::uint64_t>::max() - 5;

/// Counts the objects that live.
struct Counted {
    static inline int alive = 0;
    explicit Counted(int number) : value(number) { ++alive; }
    Counted(const Counted &other) : value(other.value) { ++alive; }
    Counted(Counted &&other) noexcept : value(other.value) { ++alive; }
    Counted &operator=(const Counted &) = default;
    Counted &operator=(Counted &&) noexcept = default;
    ~Counted() { --alive; }
    int value;
};

template <class Ring>
std::size_t push_until_full(Ring &ring, int first = 0) {
    int number = first;
    while (ring.try_push(number)) {
        ++number;
    }
    return static_cast<std::size_t>(number - first);
}

template <class T>
constexpr bool can_reserve = requires(SpscRing<T, 8> &ring) {
    ring.reserve(1);
};
template <class T>
constexpr bool can_copy_in = requires(SpscRing<T, 8> &ring, const T &value) {
    ring.try_push(value);
};

struct alignas(64) Aligned {
    char byte;
};

using Ring = SpscRing<Small, 8>;
static_assert(!std::is_copy_constructible_v<Ring> && !std::is_move_constructible_v<Ring>);
static_assert(std::ranges::input_range<Ring::Places> && std::ranges::input_range<Ring::Messages>);
static_assert(noexcept(std::declval<Ring &>().try_push(Small{})));
static_assert(
    !noexcept(std::declval<SpscRing<std::string, 8> &>().try_push(std::declval<const std::string &>())));
static_assert(noexcept(std::declval<SpscRing<std::string, 8> &>().try_push(std::string())));
static_assert(can_reserve<Small> && !can_reserve<std::string> && !can_reserve<std::unique_ptr<int>>);
static_assert(can_copy_in<std::string> && !can_copy_in<std::unique_ptr<int>>);
static_assert(alignof(SpscRing<Aligned, 3>) >= 64);
static_assert(SpscRing<char, 1>::capacity() == 1 && SpscRing<char, 1>::max_size() == 1);
static_assert(SpscRing<Small, 1000>::capacity() == 1000 && SpscRing<Small, 1000>::max_size() < 1125);

} // namespace

TEST(SpscRing, IsEmptyAtFirst) {
    SpscRing<int, 8> ring;
    int value = 7;
    EXPECT_FALSE(ring.try_pop(value));
    EXPECT_EQ(value, 7);
    EXPECT_FALSE(ring.try_pop().has_value());
    EXPECT_TRUE(ring.peek(5).empty());
}

TEST(SpscRing, GivesBackWhatItGotInOrder) {
    SpscRing<int, 8> ring;
    for (int lap = 0; lap < 100; ++lap) {
        for (int i = 0; i < 8; ++i) {
            ASSERT_TRUE(ring.try_push(10 * lap + i));
        }
        for (int i = 0; i < 8; ++i) {
            int value = -1;
            ASSERT_TRUE(ring.try_pop(value));
            ASSERT_EQ(value, 10 * lap + i);
        }
        ASSERT_FALSE(ring.try_pop().has_value());
    }
}

template <class Ring>
class SpscRingSize : public testing::Test {};
using Sizes = testing::Types<SpscRing<int, 1>, SpscRing<int, 2>, SpscRing<int, 3>, SpscRing<int, 8>,
                             SpscRing<int, 14>, SpscRing<int, 100>, SpscRing<int, 1024>, SpscRing<int, 1025>>;
TYPED_TEST_SUITE(SpscRingSize, Sizes);

TYPED_TEST(SpscRingSize, HoldsWhatItSays) {
    TypeParam ring;
    EXPECT_EQ(push_until_full(ring), ring.max_size());
    EXPECT_FALSE(ring.try_push(-1));
    for (std::size_t i = 0; i < ring.max_size(); ++i) {
        EXPECT_EQ(ring.try_pop(), static_cast<int>(i));
    }
    EXPECT_FALSE(ring.try_pop().has_value());
}

TYPED_TEST(SpscRingSize, HasRoomForItsCapacityWhereverTheTailIs) {
    TypeParam ring;
    constexpr auto capacity = static_cast<int>(TypeParam::capacity());
    for (int i = 0; i < capacity; ++i) {
        ASSERT_TRUE(ring.try_push(i));
    }
    for (int i = 0; i < 3 * capacity; ++i) { // capacity - 1 messages are in it: one more has room
        ASSERT_EQ(ring.try_pop(), i);
        ASSERT_TRUE(ring.try_push(i + capacity)) << i;
    }
}

TYPED_TEST(SpscRingSize, CountersMayWrap) {
    TypeParam ring(almost_over);
    for (int lap = 0; lap < 4; ++lap) {
        ASSERT_GE(push_until_full(ring), ring.capacity());
        for (int i = 0; auto value = ring.try_pop(); ++i) {
            ASSERT_EQ(*value, i);
        }
    }
}

TEST(SpscRing, TakesMessagesThatCanOnlyBeMoved) {
    SpscRing<std::unique_ptr<int>, 1> ring;
    auto first = std::make_unique<int>(1);
    EXPECT_TRUE(ring.try_push(std::move(first)));
    EXPECT_EQ(first, nullptr);
    auto second = std::make_unique<int>(2);
    EXPECT_FALSE(ring.try_push(std::move(second)));
    ASSERT_NE(second, nullptr) << "a full ring must leave the message to its owner";
    EXPECT_FALSE(ring.try_emplace(std::move(second)));
    ASSERT_NE(second, nullptr);
    std::unique_ptr<int> taken;
    EXPECT_TRUE(ring.try_pop(taken));
    EXPECT_EQ(*taken, 1);
}

TEST(SpscRing, MakesMessagesInPlace) {
    SpscRing<std::string, 4> ring;
    EXPECT_TRUE(ring.try_emplace(3U, 'x'));
    EXPECT_TRUE(ring.try_emplace());
    EXPECT_EQ(ring.try_pop(), "xxx");
    EXPECT_EQ(ring.try_pop(), "");
}

TEST(SpscRing, DestroysEveryMessageOnce) {
    Counted::alive = 0;
    {
        SpscRing<Counted, 20> ring;
        for (int lap = 0; lap < 10; ++lap) {
            for (int i = 0; i < 20; ++i) {
                ASSERT_TRUE(ring.try_emplace(i));
            }
            ASSERT_EQ(Counted::alive, 20);
            ASSERT_EQ(ring.try_pop()->value, 0);
            Counted value(-1);
            ASSERT_TRUE(ring.try_pop(value));
            ASSERT_EQ(value.value, 1);
            ASSERT_EQ(Counted::alive, 18 + 1);
            int next = 2;
            for (const Counted &message : ring.peek(100)) {
                ASSERT_EQ(message.value, next++);
            }
            ASSERT_EQ(next, 20);
            ring.release(lap == 9 ? 5 : 18);
        }
        EXPECT_EQ(Counted::alive, 13);
    }
    EXPECT_EQ(Counted::alive, 0) << "the ring destroys what is left";
}

TEST(SpscRing, AConstructorThatThrowsLeavesTheRingAsItWas) {
    struct Thrower {
        explicit Thrower(int number) : value(number) {
            if (number < 0) {
                throw std::invalid_argument("negative");
            }
        }
        int value;
    };
    SpscRing<Thrower, 2> ring;
    EXPECT_TRUE(ring.try_emplace(1));
    EXPECT_THROW((void)ring.try_emplace(-1), std::invalid_argument);
    EXPECT_TRUE(ring.try_emplace(2));
    EXPECT_FALSE(ring.try_emplace(3));
    EXPECT_EQ(ring.try_pop()->value, 1);
    EXPECT_EQ(ring.try_pop()->value, 2);
    EXPECT_FALSE(ring.try_pop().has_value());
}

TEST(SpscRing, AlignsMessages) {
    SpscRing<Aligned, 5> ring;
    for (const Aligned &place : ring.reserve(5)) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&place) % 64, 0U);
    }
}

TEST(SpscRingSides, GoOnWhereTheLastOneEnded) {
    using Ring = SpscRing<int, 10>;
    static_assert(!std::is_copy_constructible_v<Ring::Producer> &&
                  !std::is_copy_constructible_v<Ring::Consumer>);
    Ring ring;
    int sent = 0;
    int received = 0;
    for (int turn = 0; turn < 50; ++turn) {
        {
            Ring::Producer producer(ring);
            while (producer.try_push(sent)) {
                ++sent;
            }
        }
        EXPECT_FALSE(ring.try_push(-1)) << "the ring knows that it is full";
        {
            Ring::Consumer consumer(ring);
            for (int i = 0; i < 7; ++i) {
                ASSERT_EQ(consumer.try_pop(), received++);
            }
        }
        ASSERT_EQ(ring.try_pop(), received++);
        ASSERT_EQ(ring.peek(100).size(), static_cast<std::size_t>(sent - received));
    }
}

TEST(SpscRingSides, ShowAMessageBeforeTheyEnd) {
    using Ring = SpscRing<int, 10>;
    Ring ring;
    Ring::Producer producer(ring);
    Ring::Consumer consumer(ring);
    EXPECT_FALSE(consumer.try_pop().has_value());
    EXPECT_TRUE(producer.try_push(5));
    EXPECT_EQ(consumer.try_pop(), 5);
    *producer.reserve(2).begin() = 6;
    producer.commit(1);
    EXPECT_EQ(consumer.peek(3).size(), 1U);
}

TEST(SpscRingBatch, IsSeenWhenItIsCommitted) {
    SpscRing<int, 16> ring;
    int number = 0;
    for (int &place : ring.reserve(10)) {
        place = number++;
    }
    EXPECT_FALSE(ring.try_pop().has_value());
    ring.commit(7);
    EXPECT_EQ(ring.peek(100).size(), 7U);
    EXPECT_EQ(ring.peek(3).size(), 3U);
    for (int i = 0; i < 7; ++i) {
        EXPECT_EQ(ring.try_pop(), i);
    }
    EXPECT_FALSE(ring.try_pop().has_value());
    ring.commit(0);
    EXPECT_FALSE(ring.try_pop().has_value());
}

/// Batches of every length at every place of the ring, mixed with single messages; read in batches of
/// another.
template <class T, std::size_t capacity>
void batches_everywhere(std::uint64_t first) {
    auto ring = std::make_unique<SpscRing<T, capacity>>(first);
    std::uint64_t written = 0;
    std::uint64_t read = 0;
    for (std::size_t step = 0; step < 40 * capacity; ++step) {
        const std::size_t wanted = step % (capacity + 2);
        const auto places = ring->reserve(wanted);
        ASSERT_LE(places.size(), wanted);
        ASSERT_GE(places.size() + written - read, std::min(wanted + written - read, capacity));
        for (T &place : places) {
            place.fill(++written);
        }
        ring->commit(places.size());
        if (ring->try_push(T::number(written + 1))) {
            ++written;
        }
        const auto messages = ring->peek(step % 7 == 0 ? 2 * capacity : step % 5);
        ASSERT_EQ(messages.size(),
                  std::min<std::uint64_t>(step % 7 == 0 ? 2 * capacity : step % 5, written - read));
        for (const T &message : messages) {
            ASSERT_TRUE(message.is_number(++read)) << read;
        }
        ring->release(messages.size());
        if (const auto message = ring->try_pop()) {
            ASSERT_TRUE(message->is_number(++read)) << read;
        } else {
            ASSERT_EQ(read, written);
        }
    }
}

TEST(SpscRingBatch, GoesAroundTheEnd) {
    batches_everywhere<Small, 6>(0);
    batches_everywhere<Small, 64>(0);
    batches_everywhere<Large, 9>(0);
    batches_everywhere<Message<5>, 12>(0);
}

TEST(SpscRingBatch, CountersMayWrap) {
    batches_everywhere<Small, 6>(almost_over);
    batches_everywhere<Large, 16>(almost_over);
}

namespace {

/// Repeats until it succeeds; on one CPU the other thread must get its turn.
template <class Try>
void until(Try attempt, const ladder::Deadline &deadline) {
    for (unsigned int tries = 1; !attempt(); ++tries) {
        if (tries % 64 == 0) {
            std::this_thread::yield();
            deadline.check("the other thread");
        }
    }
}

constexpr std::uint64_t stress_messages = 200'000;

/// Two threads, and every message is checked: its number, and that it is whole.
/// @param batch_in,batch_out  0: one at a time; otherwise in batches of up to so many
template <class T, std::size_t capacity>
void stress(std::size_t batch_in, std::size_t batch_out) {
    auto ring = std::make_unique<SpscRing<T, capacity>>(almost_over);
    const ladder::Deadline deadline(std::chrono::seconds(60));
    std::atomic<bool> stop{false};
    std::string failure;

    std::thread thread([&] {
        typename SpscRing<T, capacity>::Producer producer(*ring);
        try {
            for (std::uint64_t sent = 0; sent < stress_messages;) {
                until(
                    [&] {
                        if (stop.load(std::memory_order_relaxed)) {
                            throw std::runtime_error("the consumer has given up");
                        }
                        if (batch_in == 0) {
                            const bool done = producer.try_push(T::number(sent + 1));
                            sent += done ? 1 : 0;
                            return done;
                        }
                        const auto places =
                            producer.reserve(std::min<std::uint64_t>(batch_in, stress_messages - sent));
                        for (T &place : places) {
                            place.fill(++sent);
                        }
                        producer.commit(places.size());
                        return !places.empty();
                    },
                    deadline);
            }
        } catch (const std::exception &error) {
            failure = error.what();
        }
    });

    std::uint64_t wrong = 0;
    std::uint64_t received = 0;
    typename SpscRing<T, capacity>::Consumer consumer(*ring);
    try {
        while (received < stress_messages && wrong == 0) {
            until(
                [&] {
                    if (batch_out == 0) {
                        T message{};
                        const bool done = consumer.try_pop(message);
                        if (done && !message.is_number(++received)) {
                            wrong = received;
                        }
                        return done;
                    }
                    const auto messages = consumer.peek(batch_out);
                    for (const T &message : messages) {
                        if (!message.is_number(++received) && wrong == 0) {
                            wrong = received;
                        }
                    }
                    consumer.release(messages.size());
                    return !messages.empty();
                },
                deadline);
        }
    } catch (const std::exception &error) {
        ADD_FAILURE() << error.what();
    }
    stop = true;
    thread.join();
    EXPECT_EQ(wrong, 0U) << "sequence check: message " << wrong << " is another one, or torn";
    EXPECT_EQ(received, stress_messages) << failure;
    if (wrong == 0) {
        EXPECT_FALSE(consumer.try_pop().has_value()) << "sequence check: a message too many";
    }
}

} // namespace

TEST(SpscRingStress, OneAtATime) {
    stress<Small, 6>(0, 0);
    stress<Small, 1000>(0, 0);
    stress<Large, 8>(0, 0);
}

TEST(SpscRingStress, InBatches) {
    stress<Small, 6>(4, 5);
    stress<Small, 1000>(32, 100);
    stress<Large, 64>(32, 32);
}

TEST(SpscRingStress, Mixed) {
    stress<Small, 6>(0, 3);
    stress<Small, 64>(16, 0);
    stress<Large, 64>(0, 64);
}
