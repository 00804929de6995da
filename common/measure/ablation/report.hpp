// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace ladder::ablation {

/// What was measured from one starting configuration. Each result is what read_comparison() returned.
struct Measured {
    std::string start; ///< the unchanged configuration's name in the results: "best" or "naive"
    /// Switches that were changed within a boot; without any, empty.
    std::vector<nlohmann::json> in_one_boot;
    /// A switch of the boot or the host, and its boots in turn: unchanged, changed, unchanged, ...
    std::vector<std::pair<std::string, std::vector<nlohmann::json>>> by_boot;
};

/// Reads FOLDER/in-one-boot/result.json, if it is there, and FOLDER/by-boot/NN-SWITCH/NN/result.json, in the
/// order of their names.
/// @throws std::runtime_error that names what is missing or damaged
Measured read_measured(const std::filesystem::path &folder, const std::string &start);

/// @brief Makes `make ablation`'s result of the measurements; the book describes its keys (ablation.md).
///
/// A row is compare()'s, with `switch`, `change`, `kind` ("in one boot" or "by boot") and `start`: the
/// percentiles of the unchanged configuration beside it, and `floor_ratio`. Ratios by
/// boot are of distances to each boot's own floor; beside them is `cycles_ratio`, and an effect that it
/// doesn't confirm is `null` (and `only_distance`).
/// @param all  one or more starting configurations
/// @throws std::runtime_error if nothing was measured, if the series come from different systems, or if a
///         switch of the boot changed nothing of what the results say about their boots
nlohmann::json make_ablation(const std::vector<Measured> &all);

/// The tables, from each starting configuration one, as Markdown that also reads well on a terminal of 110
/// columns.
std::string ablation_to_markdown(const nlohmann::json &ablation);

} // namespace ladder::ablation
