// SPDX-License-Identifier: MIT
#include "common/fuzz/worker.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <stdexcept>
#include <vector>

#include <sys/mman.h>
#include <sys/time.h>

#include "common/affinity.hpp"

namespace ladder::fuzz {

namespace {

/// Once in so many times an argument is taken as it comes, good or not.
constexpr std::uint64_t blind = 16;

/// All steps, so that one can be picked by weight.
class Steps {
public:
    Steps() {
        for (const auto &some : {control_steps(), file_steps(), memory_steps(), process_steps()}) {
            std::copy(some.begin(), some.end(), std::back_inserter(steps_));
        }
        for (const Step &step : steps_) {
            for (std::size_t mood = 0; mood < moods; ++mood) {
                weights_[mood] += step.weight[mood];
            }
        }
    }

    const Step &pick(Mood mood, Random &random) const {
        const auto m = static_cast<std::size_t>(mood);
        std::uint64_t left = random.below(weights_[m]);
        for (const Step &step : steps_) {
            if (left < step.weight[m]) {
                return step;
            }
            left -= step.weight[m];
        }
        throw std::logic_error("the weights of the steps do not add up");
    }

private:
    std::vector<Step> steps_;
    std::array<unsigned, moods> weights_{};
};

Mood mood_of(const State &state, std::uint64_t step) {
    if (state.is_child) { // it makes the most of what it inherited
        return static_cast<Mood>(1 + mix(state.seed) % 2);
    }
    constexpr std::array<Mood, 6> frequent{Mood::control, Mood::reader, Mood::reader,
                                           Mood::mapper,  Mood::mapper, Mood::mapper};
    const auto number = static_cast<std::uint64_t>(state.worker);
    return frequent[mix(state.seed, number, ~(step / steps_per_mood)) % frequent.size()];
}

void begin_mood(State &state, Mood mood, Random &random) {
    reap(state);
    unmap_all(state);
    close_all(state);
    if (mood != Mood::control) {
        open_for(state, random);
    }
}

} // namespace

Scratch::Scratch() {
    void *const memory =
        mmap(nullptr, capacity + page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::runtime_error("no memory for arguments");
    }
    end_ = static_cast<char *>(memory) + capacity;
    // Not unmapped: then the next mapping could take its place.
    mprotect(end_, page_size, PROT_NONE);
}

bool State::note(Call call, long result) const {
    record.add(call, result == -1 ? errno : 0);
    return result != -1;
}

int State::descriptor(Random &random) const {
    const std::uint64_t first = random.below(descriptors.size());
    if (!random.one_in(blind)) {
        for (std::size_t i = 0; i < descriptors.size(); ++i) {
            const int found = descriptors[(first + i) % descriptors.size()];
            if (found >= 0) {
                return found;
            }
        }
    }
    return descriptors[first];
}

Area &State::area(Door door, Random &random) {
    auto &places = areas[static_cast<std::size_t>(door)];
    const std::uint64_t first = random.below(places.size());
    Area &other = places[(first + 1) % places.size()];
    return !random.one_in(blind) && !places[first].mapped() && other.mapped() ? other : places[first];
}

Area &State::any_area(Random &random) {
    const std::uint64_t first = random.below(doors);
    for (std::size_t i = 0; i < doors; ++i) {
        Area &found = area(static_cast<Door>((first + i) % doors), random);
        if (found.mapped()) {
            return found;
        }
    }
    return areas[first][0];
}

void settle(State &state, int cpu) {
    state.cpu = cpu;
    pin_to_cpu(cpu);
    struct sigaction action {};
    action.sa_handler = [](int) {}; // and without SA_RESTART
    sigaction(SIGALRM, &action, nullptr);
    constexpr timeval soon{.tv_sec = 0, .tv_usec = 20'000};
    const itimerval timer{.it_interval = soon, .it_value = soon};
    setitimer(ITIMER_REAL, &timer, nullptr);
}

void make_steps(State &state, std::uint64_t first, std::uint64_t count) {
    static const Steps steps;
    for (std::uint64_t step = first; step - first < count && !state.record.ending(); ++step) {
        here = {.worker = state.worker, .child = state.is_child, .step = state.is_child ? here.step : step};
        Random random(mix(state.seed, static_cast<std::uint64_t>(state.worker), step));
        const Mood mood = mood_of(state, step);
        if (!state.is_child) {
            state.record.step(state.worker) = step;
            if (step % steps_per_mood == 0) {
                begin_mood(state, mood, random);
            }
        }
        steps.pick(mood, random).make(state, random);
    }
    reap(state);
    unmap_all(state);
    close_all(state);
}

} // namespace ladder::fuzz
