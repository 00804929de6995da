// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace ladder {

/// What a result has to say about the machine it was measured on, as far as that machine knows: kernel
/// release, clock source, CPU model, TSC frequency in kHz and whether it is invariant, `rdtscp`, offset of
/// the consumer's TSC from the producer's in cycles, cost of a stamp in cycles, kernel command line,
/// mitigations. The host adds what only it knows.
nlohmann::json describe_environment(int producer_cpu, int consumer_cpu);

} // namespace ladder
