// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace vrelo::base {

// Has malloc() grow in large steps, from one heap for all threads. glibc would give each thread an
// arena of its own, which grows by a page at a time with a system call for each: of a publish whose
// event is kept in memory, that is a twentieth.
//
// Cost: a lock that all threads share, where a block is not among the few that each keeps for
// itself. Nothing allocates per event and reader.
//
// Order: before there is a second thread, or it has its arena already.
void set_up_allocator();

}  // namespace vrelo::base
