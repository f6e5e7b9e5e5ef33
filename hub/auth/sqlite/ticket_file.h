// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hub/auth/ticket_office.h"
#include "hub/base/setting_text.h"

namespace vrelo::auth::sqlite {

// Returns the tickets that are kept beside the log in `log_file`, and what keeps them; "": nothing
// is kept anywhere. The first ticket makes the file.
//
// Order: while nobody else has the log, or two hubs would take the same ticket.
// Errors: a message that begins with the file.
base::Parsed<KeptTickets> keep_tickets(const std::string& log_file);

}  // namespace vrelo::auth::sqlite
