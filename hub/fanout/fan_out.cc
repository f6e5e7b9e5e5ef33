// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/fan_out.h"

#include <utility>

#include "hub/fanout/core.h"

namespace vrelo::fanout {

Membership::~Membership() {
  if (group_ != nullptr) {
    core_->leave(*group_);
  }
}

FanOut::FanOut(FanOutParts parts, FanOutLimits limits)
    : core_(std::make_shared<Core>(std::move(parts), limits)) {}

FanOut::~FanOut() {
  core_->close_all();
}

Membership FanOut::enter(const log::Selection& selection,
                         auth::GrantPtr grant,
                         std::string_view id_suffix) {
  return core_->enter(selection, std::move(grant), id_suffix);
}

void FanOut::open(
    int fd, Membership membership, log::Position start, Hello hello, std::string opening) {
  core_->open(fd, std::move(membership), start, hello, std::move(opening));
}

void FanOut::count_gap() {
  core_->count_gap();
}

void FanOut::wake() {
  core_->wake();
}

log::Log& FanOut::log() {
  return core_->parts_.log;
}

const Window& FanOut::window() const {
  return core_->parts_.window;
}

std::chrono::seconds FanOut::heartbeat() const {
  return std::chrono::ceil<std::chrono::seconds>(core_->limits_.heartbeat);
}

std::chrono::milliseconds FanOut::jittered_retry() {
  return core_->jittered_retry();
}

void FanOut::set_limits(const FanOutLimits& limits) {
  core_->set_limits(limits);
}

void FanOut::end(int fd, std::string_view reason) {
  core_->end(fd, reason);
}

void FanOut::replace(int fd) {
  core_->replace(fd);
}

FanOut::Told FanOut::tell(int fd, std::string_view block) {
  return core_->tell(fd, block);
}

void FanOut::drain(std::chrono::milliseconds duration, std::function<void()> done) {
  core_->drain(duration, std::move(done));
}

void FanOut::close() {
  core_->close_all();
}

void FanOut::on_writable(int fd) {
  core_->on_writable(fd);
}

void FanOut::on_gone(int fd) {
  core_->on_gone(fd);
}

FanOutStats FanOut::stats() const {
  return core_->stats();
}

}  // namespace vrelo::fanout
