// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hub/auth/sqlite/revocation_file.h"
#include "hub/auth/sqlite/ticket_file.h"
#include "hub/auth/ticket_office.h"
#include "hub/base/setting_text.h"

namespace vrelo::auth::sqlite {

// All that authorization keeps over a restart.
struct Kept {
  KeptRevocations revocations = {};
  KeptTickets tickets = {};
};

// As keep_revocations() and keep_tickets().
base::Parsed<Kept> keep_beside(const std::string& log_file);

}  // namespace vrelo::auth::sqlite
