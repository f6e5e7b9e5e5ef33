// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "hub/auth/sqlite/auth_file.h"
#include "hub/auth/sqlite/ticket_file.h"

namespace vrelo::auth::sqlite {

// A file of tickets, which is there no longer after the test.
class TicketFileTesting : public ::testing::Test {
 protected:
  TicketFileTesting() { remove(); }
  ~TicketFileTesting() override { remove(); }

  void remove() const {
    for (const char* const suffix : {"", "-journal", "-wal", "-shm"}) {
      std::filesystem::remove(auth_file_of(log_file_) + suffix);
    }
  }

  // As after a restart.
  KeptTickets kept() const {
    auto kept = keep_tickets(log_file_);
    EXPECT_TRUE(kept) << kept.error().message;
    return std::move(*kept);
  }

  const std::string log_file_ =
      ::testing::TempDir() + "vrelo_tickets_" + std::to_string(::getpid());
};

}  // namespace vrelo::auth::sqlite
