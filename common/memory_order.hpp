// SPDX-License-Identifier: MIT
#pragma once

namespace ladder {

/// Reads a word that another CPU writes. What that CPU wrote before its store_release() (or, in the kernel,
/// before its smp_store_release() or smp_wmb()) of the value seen here is visible afterwards. The compiler
/// reads it once, here, whole: `volatile` promises no more than that, and no order. On x86 it is a plain
/// load.
template <class Word>
inline Word load_acquire(const Word &word) {
    return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}

/// As load_acquire(), without any order: for words whose order another word gives.
template <class Word>
inline Word load_relaxed(const Word &word) {
    return __atomic_load_n(&word, __ATOMIC_RELAXED);
}

/// Writes a word that another CPU may read, without any order. On x86 it is a plain store.
template <class Word>
inline void store_relaxed(Word &word, Word value) {
    __atomic_store_n(&word, value, __ATOMIC_RELAXED);
}

/// Writes a word that another CPU reads with acquire: nothing that stands before it comes after it. On x86
/// it is a plain store.
template <class Word>
inline void store_release(Word &word, Word value) {
    __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}

} // namespace ladder
