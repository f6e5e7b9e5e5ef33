// SPDX-License-Identifier: Apache-2.0
#include "hub/base/argument_fault.h"

#include <string_view>

namespace vrelo::base {

// The words of CLI11 are good but where the number of values is wrong: "At Most 1 required but
// received 2", and "Could not convert: --json = x" of a flag that has none.
std::string argument_fault(const CLI::App& app, const CLI::ParseError& error) {
  constexpr std::string_view kNotConverted = "Could not convert: ";
  std::string message = error.what();
  if (message.starts_with(kNotConverted)) {
    message.erase(0, kNotConverted.size());
    return message.substr(0, message.find(' ')) + " takes no value";
  }
  const std::string name = message.substr(0, message.find(':'));
  const CLI::Option* const option = app.get_option_no_throw(name);
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) == nullptr || option == nullptr) {
    return message;
  }
  if (option->count() > 1) {
    return name + " is given more than once";
  }
  return name + " needs a value: " + option->get_type_name();
}

}  // namespace vrelo::base
