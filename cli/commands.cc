// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

namespace vrelo::cli {

std::span<const Command> commands() {
  return {};
}

}  // namespace vrelo::cli
