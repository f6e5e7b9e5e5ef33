// SPDX-License-Identifier: Apache-2.0
#include "hub/base/argument_fault.h"

#include <string>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

TEST(ArgumentFault, says_what_is_wrong) {
  const struct {
    const char* arguments;
    const char* fault;
  } cases[] = {
      {"--count", "--count needs a value: NUMBER"},
      {"x --count 1 --count", "--count needs a value: NUMBER"},
      {"x --count 1 --count 2", "--count is given more than once"},
      {"--count 1", "URL is required"},
      {"x --json=maybe", "--json takes no value"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.arguments);
    std::string url;
    std::string count;
    bool json = false;
    CLI::App app;
    app.add_option("URL", url)->required();
    app.add_option("--count", count)->type_name("NUMBER");
    app.add_flag("--json", json);
    try {
      app.parse(c.arguments);
      ADD_FAILURE() << "was taken";
    } catch (const CLI::ParseError& error) {
      EXPECT_EQ(argument_fault(app, error), c.fault);
    }
  }
}

}  // namespace
}  // namespace vrelo::base
