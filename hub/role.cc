// SPDX-License-Identifier: Apache-2.0
#include "hub/role.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <csignal>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

namespace vrelo {
namespace {

constexpr std::string_view kRoleVariable = "VRELO_ROLE";

constexpr std::pair<std::string_view, Role::Kind> kKinds[] = {
    {"worker", Role::Kind::kWorker},
    {"trial", Role::Kind::kTrial},
    {"successor", Role::Kind::kSuccessor}};

}  // namespace

base::Parsed<Role> take_role(Variables& variables) {
  const auto found = std::find_if(variables.begin(), variables.end(), [](const auto& variable) {
    return variable.first == kRoleVariable;
  });
  if (found == variables.end()) {
    return Role();
  }
  const std::string text = std::move(found->second);
  variables.erase(found);
  const std::size_t space = std::min(text.find(' '), text.size());
  const std::string_view kind(text.data(), space);
  const auto known = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [kind](const auto& entry) { return entry.first == kind; });
  Role role;
  const char* const end = text.data() + text.size();
  const auto [number_end, error] =
      std::from_chars(text.data() + std::min(space + 1, text.size()), end, role.process);
  if (known == std::end(kKinds) || error != std::errc() || number_end != end || role.process < 0) {
    return base::Fault{fmt::format("{}: is for supervisors alone", kRoleVariable)};
  }
  role.kind = known->second;
  return role;
}

std::pair<std::string, std::string> role_variable(const Role& role) {
  const auto known = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&role](const auto& entry) { return entry.second == role.kind; });
  assert(known != std::end(kKinds));
  return {std::string(kRoleVariable), fmt::format("{} {}", known->first, role.process)};
}

base::Parsed<void> follow_supervisor(const Role& role) {
  assert(role.kind == Role::Kind::kWorker);
  ::prctl(PR_SET_NAME, "vrelo");  // it was started as /proc/self/exe
  ::signal(SIGUSR2, SIG_IGN);
  // Comes again when the next of the supervisor's threads ends, whose child this is meanwhile.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  // It may have ended before; then another process is the parent.
  if (::getppid() != role.process) {
    return base::Fault{"the supervisor has ended"};
  }
  return {};
}

}  // namespace vrelo
