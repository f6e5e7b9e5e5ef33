// SPDX-License-Identifier: Apache-2.0
#include "hub/role.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace vrelo {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Role, is_read_from_its_variable_which_is_taken_away) {
  for (const Role role : {Role{Role::Kind::kWorker, 4711}, Role{Role::Kind::kTrial, 0},
                          Role{Role::Kind::kSuccessor, 0}, Role{Role::Kind::kSuccessor, 12}}) {
    Variables variables = {{"A", "1"}, role_variable(role), {"B", "2"}};
    SCOPED_TRACE(variables[1].second);
    const auto taken = take_role(variables);
    ASSERT_TRUE(taken);
    EXPECT_EQ(*taken, role);
    EXPECT_THAT(variables, ElementsAre(Pair("A", "1"), Pair("B", "2")));
  }
}

TEST(Role, is_none_without_the_variable) {
  Variables variables = {{"A", "1"}};
  const auto role = take_role(variables);
  ASSERT_TRUE(role);
  EXPECT_EQ(*role, Role());
}

TEST(Role, is_refused_where_it_is_none_of_those) {
  for (const char* const text :
       {"", " ", "worker", "worker ", "worker x", "worker 1x", "worker  1", "worker -1",
        "worker 99999999999", "none 1", "work 1", "workers 1", "1", " 1"}) {
    SCOPED_TRACE(text);
    Variables variables = {{"VRELO_ROLE", text}};
    const auto role = take_role(variables);
    ASSERT_FALSE(role);
    EXPECT_EQ(role.error().message, "VRELO_ROLE: is for supervisors alone");
  }
}

TEST(Role, of_a_worker_is_refused_where_its_supervisor_has_ended) {
  const auto followed = follow_supervisor({Role::Kind::kWorker, ::getpid()});  // not the parent
  ASSERT_FALSE(followed);
  EXPECT_EQ(followed.error().message, "the supervisor has ended");
}

}  // namespace
}  // namespace vrelo
