// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hub/base/task.h"
#include "hub/net/alarm.h"

namespace vrelo::net {

// Returns what makes alarms that ring by the steady clock, on the shard of `executor`.
//
// An alarm may be set, cancelled and destroyed at any moment, also from its own callback.
MakeAlarm asio_alarms(base::Executor executor);

}  // namespace vrelo::net
