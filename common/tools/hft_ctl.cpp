// SPDX-License-Identifier: MIT
/// @file
/// hft_ctl from a shell: `hft_ctl 555` sets up, `hft_ctl 123` starts, `hft_ctl 321` stops.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "common/device.hpp"

int main(int argc, char **argv) {
    char *end = nullptr;
    const unsigned long mode = argc == 2 ? std::strtoul(argv[1], &end, 10) : 0;
    if (end == nullptr || end == argv[1] || *end != '\0' || mode > 0xffffffffUL) {
        std::fprintf(stderr,
                     "hft_ctl: usage: hft_ctl MODE, a number: 777 ping, 555 set up, 123 start, 321 stop\n");
        return 2;
    }
    const long result = ladder::hft_ctl(static_cast<unsigned int>(mode));
    if (result < 0) {
        std::fprintf(stderr, "hft_ctl: mode %lu: %s\n", mode, std::strerror(errno));
        return 1;
    }
    std::printf("%ld\n", result);
    return 0;
}
