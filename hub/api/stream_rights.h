// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include <boost/intrusive/list.hpp>

#include "hub/auth/authenticator.h"
#include "hub/base/clock.h"
#include "hub/fanout/fan_out.h"
#include "hub/net/deadlines.h"
#include "hub/net/epoll_streams.h"

namespace vrelo::api {

// Ends the streams of one shard whose tokens end: in the last second before a token's time is over,
// and within a second after its key was removed.
//
// Threads: one, the shard's. Lifetime: outlives the rights it made.
class StreamRights {
 public:
  // Lifetime: the references outlive this.
  StreamRights(const base::Clock& clock, net::Deadlines& deadlines, fanout::FanOut& fan_out);
  ~StreamRights();

  StreamRights(const StreamRights&) = delete;
  StreamRights& operator=(const StreamRights&) = delete;

  // Returns the right of the stream `fd`, which is about to be opened; nullptr: it needs no token.
  // `place` is kept as long.
  std::unique_ptr<net::StreamRight> make(int fd,
                                         std::shared_ptr<const auth::VerifiedToken> token,
                                         auth::Quota::Place place);

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
