// SPDX-License-Identifier: MIT
/// @file
/// Stage 2: the mailbox, a page of the kernel's memory that the consumer can read and nothing else.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "common/memory_order.hpp"
#include "common/tests/guest.hpp"
#include "common/tsc.hpp"

using ladder::Device;
using ladder::Mapping;
using ladder::Simulator;
using namespace ladder::guest;

namespace {

class MailboxMapping : public DeviceTest {};
class Mailbox : public DeviceTest {};

Mapping<hft_mailbox> map_mailbox(const Device &device) {
    return {device, HFT_OFFSET_MAILBOX, page_size, PROT_READ};
}

// --- What can be mapped, and how. ---

TEST_F(MailboxMapping, IsSharedReadOnlyAndOnePage) {
    const Device device;
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_MAILBOX, PROT_READ), "success");
}

TEST_F(MailboxMapping, NeedsNoMoreThanAReadOnlyDescriptor) {
    const Device device(O_RDONLY);
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_MAILBOX, PROT_READ), "success");
}

TEST_F(MailboxMapping, OfAnotherSizeIsInvalid) {
    const Device device;
    EXPECT_EQ(map(device, 2 * page_size, HFT_OFFSET_MAILBOX, PROT_READ), "EINVAL");
    EXPECT_EQ(map(device, 100 * page_size, HFT_OFFSET_MAILBOX, PROT_READ), "EINVAL");
}

TEST_F(MailboxMapping, AtAnotherOffsetIsInvalid) {
    const Device device;
    for (const off_t page : {1L, 2L, 1000L, 1L << 40}) {
        EXPECT_EQ(map(device, page_size, page * off_t{page_size}, PROT_READ), "EINVAL") << "page " << page;
    }
}

TEST_F(MailboxMapping, ThatIsPrivateIsInvalid) {
    const Device device;
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_MAILBOX, PROT_READ, MAP_PRIVATE), "EINVAL");
}

TEST_F(MailboxMapping, ThatIsWritableIsNotPermitted) {
    const Device device;
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_MAILBOX, PROT_READ | PROT_WRITE), "EPERM");
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_MAILBOX, PROT_WRITE), "EPERM");
}

TEST_F(MailboxMapping, ThatIsWritableOfAReadOnlyDescriptorIsDenied) {
    const Device device(O_RDONLY);
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_MAILBOX, PROT_READ | PROT_WRITE), "EACCES");
}

TEST_F(MailboxMapping, ThatIsExecutableIsNotPermitted) {
    const Device device;
    EXPECT_EQ(map(device, page_size, HFT_OFFSET_MAILBOX, PROT_READ | PROT_EXEC), "EPERM");
}

TEST_F(MailboxMapping, CannotBeMadeWritableLater) {
    const Device device;
    const auto mailbox = map_mailbox(device);
    EXPECT_EQ(outcome(mprotect(mailbox.get(), page_size, PROT_READ | PROT_WRITE)), "EACCES");
}

TEST_F(MailboxMapping, CannotBeMadeExecutableLater) {
    const Device device;
    const auto mailbox = map_mailbox(device);
    EXPECT_EQ(outcome(mprotect(mailbox.get(), page_size, PROT_READ | PROT_EXEC)), "EACCES");
}

TEST_F(MailboxMapping, CannotGrow) {
    const Device device;
    const auto mailbox = map_mailbox(device);
    EXPECT_EQ(grow(mailbox.get(), page_size), "EFAULT");
}

TEST_F(MailboxMapping, KillsTheConsumerThatWritesToIt) {
    EXPECT_EQ(in_child([] {
                  const Device device;
                  const auto mailbox = map_mailbox(device);
                  ladder::load_acquire(mailbox->stamp); // reading is fine
                  return 0;
              }),
              "exit 0");
    EXPECT_EQ(in_child([] {
                  const Device device;
                  const auto mailbox = map_mailbox(device);
                  ladder::store_release(mailbox->stamp, __u64{1});
                  return 0;
              }),
              "SIGSEGV");
}

TEST_F(MailboxMapping, IsNotCopiedByFork) {
    const Device device;
    const auto mailbox = map_mailbox(device);
    ladder::load_acquire(mailbox->stamp); // the parent has it
    EXPECT_EQ(in_child([&] {
                  ladder::load_acquire(mailbox->stamp);
                  return 0;
              }),
              "SIGSEGV");
}

TEST_F(MailboxMapping, OutlivesStopAndTheDescriptorAndKeepsOthersOut) {
    auto device = std::make_unique<Device>();
    {
        const auto mailbox = map_mailbox(*device);
        device.reset();
        EXPECT_EQ(open_once_more(), "EBUSY");
        make_messages(5);
        EXPECT_EQ(ladder::load_acquire(mailbox->sequence_end), Device::produced());
    }
    EXPECT_EQ(open_once_more(), "success");
}

// --- What is in it. ---

TEST_F(Mailbox, HoldsTheNewestMessageWithItsNumberAtBothEnds) {
    const Device device;
    const auto mailbox = map_mailbox(device);
    const std::uint64_t begun = ladder::tsc_now();
    make_messages(5);
    EXPECT_EQ(ladder::load_acquire(mailbox->sequence_end), Device::produced());
    EXPECT_EQ(ladder::load_acquire(mailbox->sequence_begin), Device::produced());
    const std::uint64_t stamp = ladder::load_acquire(mailbox->stamp);
    EXPECT_GE(stamp, begun);
    EXPECT_LE(stamp, ladder::tsc_now());
}

// The numbers at the ends tell a torn read; of the others, each has its own stamp, later than the last one's.
TEST_F(Mailbox, NeverShowsAPollingConsumerAnOldStampWithANewNumber) {
    const Device device;
    const auto mailbox = map_mailbox(device);
    const Simulator simulator(1000);
    int whole = 0;
    int wrong_stamps = 0;
    on_cpu(1, [&] {
        const ladder::Deadline deadline(patience);
        std::uint64_t last_end = 0;
        std::uint64_t last_stamp = 0;
        for (int looks = 0; looks < 200; ++looks) {
            std::uint64_t end = 0;
            ladder::spin_until(
                [&] {
                    end = ladder::load_acquire(mailbox->sequence_end);
                    return end > last_end;
                },
                ladder::Spin::plain, deadline, "a message in the mailbox");
            last_end = end;
            const std::uint64_t stamp = ladder::load_acquire(mailbox->stamp);
            if (ladder::load_acquire(mailbox->sequence_begin) == end) {
                ++whole;
                wrong_stamps += stamp <= last_stamp;
                last_stamp = stamp;
            }
        }
    });
    EXPECT_GT(whole, 0);
    EXPECT_EQ(wrong_stamps, 0);
}

TEST_F(Mailbox, TellsALateConsumerHowManyItMissed) {
    const Device device;
    const auto mailbox = map_mailbox(device);
    make_messages(3);
    const std::uint64_t seen = ladder::load_acquire(mailbox->sequence_end);
    const std::uint64_t made = make_messages(20);
    EXPECT_EQ(ladder::load_acquire(mailbox->sequence_end) - seen, made);
}

TEST_F(Mailbox, ForgetsWithoutCountingADrop) {
    const Device device;
    const auto mailbox = map_mailbox(device);
    const std::uint64_t dropped = Device::dropped();
    make_messages(20);
    EXPECT_EQ(Device::dropped(), dropped);
}

TEST_F(Mailbox, IsEmptyForANewConsumer) {
    {
        const Device device;
        const auto mailbox = map_mailbox(device);
        make_messages(5);
    }
    const Device device;
    const auto mailbox = map_mailbox(device);
    EXPECT_EQ(ladder::load_acquire(mailbox->sequence_end), 0U);
    EXPECT_EQ(ladder::load_acquire(mailbox->stamp), 0U);
    EXPECT_EQ(ladder::load_acquire(mailbox->sequence_begin), 0U);
}

// --- Which door the messages take. ---

TEST_F(Mailbox, OnceMappedLeavesNothingForRead) {
    const Device device(O_RDWR | O_NONBLOCK);
    const auto mailbox = map_mailbox(device);
    make_messages(5);
    hft_message message{};
    EXPECT_EQ(outcome(read(device.descriptor(), &message, sizeof(message))), "EAGAIN");
}

TEST_F(Mailbox, ThatCouldNotBeMappedLeavesTheMessagesToRead) {
    const Device device(O_RDWR | O_NONBLOCK);
    ASSERT_EQ(map(device, 2 * page_size, HFT_OFFSET_MAILBOX, PROT_READ), "EINVAL");
    const std::uint64_t before = Device::produced();
    make_messages(3);
    EXPECT_EQ(read_messages(device, 1).front().sequence, before + 1);
}

TEST_F(Mailbox, OfTheLastConsumerDoesNotKeepTheNextOneFromRead) {
    {
        const Device device;
        const auto mailbox = map_mailbox(device);
    }
    const Device device(O_RDWR | O_NONBLOCK);
    const std::uint64_t before = Device::produced();
    make_messages(3);
    EXPECT_EQ(read_messages(device, 1).front().sequence, before + 1);
}

TEST_F(Mailbox, OfAConsumerThatWentCountsEveryMessageAsDropped) {
    {
        const Device device;
        const auto mailbox = map_mailbox(device);
    }
    const std::uint64_t dropped = Device::dropped();
    const std::uint64_t made = make_messages(5);
    EXPECT_EQ(Device::dropped() - dropped, made);
}

} // namespace
