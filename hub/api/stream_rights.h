// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include <boost/intrusive/list.hpp>

#include "hub/auth/authenticator.h"
#include "hub/base/clock.h"
#include "hub/fanout/fan_out.h"
#include "hub/net/deadlines.h"
#include "hub/net/epoll_streams.h"

namespace vrelo::api {

// Ends the streams of one shard whose time is over: in the last second before their token's end,
// within a second after its key was removed, and after the longest time that a stream may last.
//
// Threads: one, the shard's. Lifetime: outlives the rights it made.
class StreamRights {
 public:
  // Lifetime: the references outlive this.
  StreamRights(const base::Clock& clock, net::Deadlines& deadlines, fanout::FanOut& fan_out);
  ~StreamRights();

  StreamRights(const StreamRights&) = delete;
  StreamRights& operator=(const StreamRights&) = delete;

  // Returns the right of the stream `fd`, which is about to be opened; nullptr: it needs none.
  // `token`: nullptr: there is none. `place` is kept as long. `lifetime`: 0: any; it is shortened
  // by up to a tenth, so that streams that were opened together do not end together.
  std::unique_ptr<net::StreamRight> make(int fd,
                                         std::shared_ptr<const auth::VerifiedToken> token,
                                         auth::Quota::Place place,
                                         std::chrono::milliseconds lifetime);

  // Ends the streams whose tokens `trust` does not trust any more.
  // `trust`: nullptr: there is no authorization any more.
  void set_trust(const auth::TrustPolicy* trust);

 private:
  class Right;
  using Hook =
      boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

  const base::Clock& clock_;
  net::Deadlines& deadlines_;
  fanout::FanOut& fan_out_;
  boost::intrusive::
      list<Right, boost::intrusive::base_hook<Hook>, boost::intrusive::constant_time_size<false>>
          rights_;
};

}  // namespace vrelo::api
