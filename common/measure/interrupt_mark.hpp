// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace ladder {

/// Tells a thread in user space, without a system call, that an interrupt came to its CPU.
///
/// A null selector has four spellings, 0 to 3. `iret`, by which the kernel returns from an interrupt,
/// replaces those in DS, ES, FS and GS that user space must not have by 0, and takes 3 for one of them;
/// nothing else changes ES. So a 3 in ES that has become 0 means that the kernel was entered by an interrupt
/// or an exception. (A system call returns by `sysret` as a rule, and leaves ES alone.) A 64-bit program uses
/// ES for nothing.
class InterruptMark {
public:
    /// Begins to watch, again.
    void set() const {
        const std::uint32_t three = 3;
        asm volatile("mov %0, %%es" : : "r"(three) : "memory");
    }

    /// Whether an interrupt came since set().
    bool gone() const {
        std::uint32_t selector = 0;
        asm volatile("mov %%es, %0" : "=r"(selector) : : "memory");
        return (selector & 0xffff) != 3;
    }
};

} // namespace ladder
