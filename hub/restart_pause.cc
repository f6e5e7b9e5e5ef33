// SPDX-License-Identifier: Apache-2.0
#include "hub/restart_pause.h"

#include <algorithm>
#include <utility>

namespace vrelo {

std::chrono::milliseconds RestartPause::end_life() {
  if (clock_.steady() - begin_ >= kMax) {
    next_ = kMin;
  }
  return std::exchange(next_, std::min(2 * next_, kMax));
}

}  // namespace vrelo
