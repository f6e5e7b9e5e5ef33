// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <type_traits>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include "hub/auth/grant.h"
#include "hub/base/task.h"
#include "hub/log/log.h"

namespace vrelo {

// Why an act of the hub was refused, where it is not the log's answer (log::Errc).
enum class Errc {
  kNotGranted = 1,  // publish(): the grant does not cover each of the event's topics
};

boost::system::error_code make_error_code(Errc errc);

// A publish that the log has accepted.
struct Published {
  std::string id;      // the publisher's, or the one that the hub made
  bool is_new = true;  // false: the same event with the same id is there already
};

// Stores `event` on behalf of whoever holds `grant`. When it completes, the event is as safe as the
// log's acknowledgement says, and on its way to its readers.
//
// The event's fields obey the limits of the protocol: hub/api has checked them.
// Errors: Errc::kNotGranted, after which nothing has changed; those of log::Log::append().
base::Task<boost::system::result<Published>> publish(log::Log& log,
                                                     const auth::Grant& grant,
                                                     log::Event event);

}  // namespace vrelo

template <>
struct boost::system::is_error_code_enum<vrelo::Errc> : std::true_type {};
