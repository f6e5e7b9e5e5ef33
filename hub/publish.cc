// SPDX-License-Identifier: Apache-2.0
#include "hub/publish.h"

#include <utility>

#include "hub/log/event_id.h"

namespace vrelo {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "vrelo"; }

  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::kNotGranted:
        return "the right to publish on one of the topics is missing";
    }
    return "unknown error " + std::to_string(value);
  }
};

}  // namespace

boost::system::error_code make_error_code(Errc errc) {
  static const Category category;
  return {static_cast<int>(errc), category};
}

base::Task<boost::system::result<Published>> publish(log::Log& log,
                                                     const auth::Grant& grant,
                                                     log::Event event) {
  if (!grant.may_publish(event.topics)) {
    co_return Errc::kNotGranted;
  }
  std::string id = event.id;
  const auto appended = co_await log.append(std::move(event));
  if (!appended) {
    co_return appended.error();
  }
  if (id.empty()) {
    id = log::event_id(appended->position);
  }
  co_return Published{.id = std::move(id), .is_new = appended->is_new};
}

}  // namespace vrelo
