// SPDX-License-Identifier: MIT
/// @file
/// Doors that are mapped and polled: the mailbox of stage 2, and the ring of stage 3 by its head or its
/// slots.

#include "common/measure/door.hpp"
#include "common/measure/ring_reader.hpp"
#include "common/memory_order.hpp"

namespace ladder {
namespace {

class MailboxDoor : public DeviceDoor {
public:
    explicit MailboxDoor(const Place &place) : DeviceDoor(place) {}

    void start(unsigned int period_us, unsigned int burst) override {
        DeviceDoor::start(period_us, burst);
        last_ = last_before();
    }

    Taken take(std::span<hft_message> room) override {
        return spin_for_messages(place(), [&] { return look(room.front()); });
    }

    std::uint64_t torn() const override { return torn_; }

private:
    /// From the end to the beginning, as stage 2's client.
    bool look(hft_message &message) {
        const std::uint64_t end = load_acquire(mailbox_->sequence_end);
        if (end <= last_) {
            return false;
        }
        message.sequence = end;
        message.stamp = load_acquire(mailbox_->stamp);
        if (load_relaxed(mailbox_->sequence_begin) != end) {
            ++torn_;
            return false;
        }
        last_ = end;
        return true;
    }

    Mapping<const hft_mailbox> mailbox_{device(), HFT_OFFSET_MAILBOX, HFT_PAGE, PROT_READ};
    std::uint64_t last_ = 0;
    std::uint64_t torn_ = 0;
};

/// The ring; what differs is how the consumer sees that a message is there.
class RingDoor : public DeviceDoor {
public:
    explicit RingDoor(const Place &place) : DeviceDoor(place) {}

protected:
    /// Takes @p count messages that are there, and gives their slots back at once.
    void take_slots(std::span<hft_message> room, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            const hft_slot &slot = ring_.slot(i);
            room[i] = {load_acquire(slot.sequence), load_relaxed(slot.stamp)};
        }
        ring_.release(count);
    }

    RingReader ring_{device()};
};

class HeadDoor : public RingDoor {
public:
    explicit HeadDoor(const Place &place) : RingDoor(place) {}

    Taken take(std::span<hft_message> room) override {
        std::size_t there = 0;
        Taken taken = spin_for_messages(place(), [&] {
            there = ring_.there();
            return there != 0;
        });
        taken.count = std::min(there, room.size());
        take_slots(room, taken.count);
        return taken;
    }
};

class SlotDoor : public RingDoor {
public:
    explicit SlotDoor(const Place &place) : RingDoor(place) {}

    void start(unsigned int period_us, unsigned int burst) override {
        RingDoor::start(period_us, burst);
        last_ = last_before();
    }

    Taken take(std::span<hft_message> room) override {
        Taken taken = spin_for_messages(place(), [&] { return filled(0); });
        taken.count = 0;
        do {
            const hft_slot &slot = ring_.slot(taken.count);
            last_ = load_relaxed(slot.sequence);
            room[taken.count++] = {last_, load_relaxed(slot.stamp)};
        } while (taken.count < room.size() && filled(taken.count));
        ring_.release(taken.count);
        return taken;
    }

private:
    /// Whether the slot @p ahead of the next one is filled. What is left of the last lap has a number that is
    /// not greater than the last one taken.
    bool filled(std::size_t ahead) const { return load_acquire(ring_.slot(ahead).sequence) > last_; }

    std::uint64_t last_ = 0;
};

} // namespace

std::vector<DoorKind> mapped_doors() {
    return {door_kind<MailboxDoor>("mailbox", true), door_kind<HeadDoor>("ring by head", true),
            door_kind<SlotDoor>("ring by slot", true)};
}

} // namespace ladder
