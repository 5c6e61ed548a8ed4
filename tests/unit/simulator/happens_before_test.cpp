// SPDX-License-Identifier: Apache-2.0
#include "simulator/check/happens_before.h"

#include <gtest/gtest.h>

namespace kiln::sim {
namespace {

using isa::Pipe;

struct OneBlock {
  Meetings meetings;
};

struct Order : OneBlock, HappensBefore {
  Order() : HappensBefore(meetings) {}
  EventPosition event(Pipe p) {
    if (p != Pipe::S) {
      issued(p);
    }
    return advance(p);
  }
  void flag(Pipe source, Pipe destination) {
    FlagName f{source, destination, 0};
    event(source);
    flagSet(source, f);
    event(destination);
    flagWaited(destination, f);
  }
};

TEST(HappensBefore, APipeIsInOrderWithItself) {
  Order o;
  EventPosition a = o.event(Pipe::V);
  o.event(Pipe::V);
  EXPECT_TRUE(o.isOrdered(a, Pipe::V));
}

TEST(HappensBefore, PipesAreUnorderedWithoutAFlag) {
  Order o;
  EventPosition a = o.event(Pipe::V);
  o.event(Pipe::MTE3);
  EXPECT_FALSE(o.isOrdered(a, Pipe::MTE3));
  o.flag(Pipe::V, Pipe::MTE3);
  EXPECT_TRUE(o.isOrdered(a, Pipe::MTE3));
}

TEST(HappensBefore, FlagsAreTransitive) {
  Order o;
  EventPosition a = o.event(Pipe::MTE2);
  o.flag(Pipe::MTE2, Pipe::V);
  o.flag(Pipe::V, Pipe::MTE3);
  EXPECT_TRUE(o.isOrdered(a, Pipe::MTE3));
}

TEST(HappensBefore, AFlagDoesNotOrderWhatComesAfterItsSet) {
  Order o;
  FlagName f{Pipe::V, Pipe::MTE3, 0};
  o.event(Pipe::V);
  o.flagSet(Pipe::V, f);
  EventPosition late = o.event(Pipe::V);
  o.event(Pipe::MTE3);
  o.flagWaited(Pipe::MTE3, f);
  EXPECT_FALSE(o.isOrdered(late, Pipe::MTE3));
}

TEST(HappensBefore, ABarrierOrdersAllLaterCommands) {
  Order o;
  EventPosition a = o.event(Pipe::FIX);
  o.barrier();
  o.event(Pipe::MTE2);
  EXPECT_TRUE(o.isOrdered(a, Pipe::MTE2));
}

TEST(HappensBefore, ACommandIssuedBeforeTheBarrierIsNotOrderedByIt) {
  Order o;
  o.issued(Pipe::MTE2);
  EventPosition a = o.event(Pipe::FIX);
  o.barrier();
  o.advance(Pipe::MTE2);
  EXPECT_FALSE(o.isOrdered(a, Pipe::MTE2));
}

TEST(HappensBefore, IssuingIsNoEdgeFromAnAccessOfS) {
  Order o;
  EventPosition store = o.event(Pipe::S);
  o.event(Pipe::V);
  EXPECT_FALSE(o.isOrdered(store, Pipe::V));
  o.flag(Pipe::S, Pipe::V);
  EXPECT_TRUE(o.isOrdered(store, Pipe::V));
}

TEST(HappensBefore, WhatSHasWaitedForOrdersWhatItIssues) {
  Order o;
  EventPosition store = o.event(Pipe::S);
  EventPosition a = o.event(Pipe::V);
  o.flag(Pipe::S, Pipe::V);
  o.flag(Pipe::V, Pipe::S);
  o.event(Pipe::FIX);
  EXPECT_TRUE(o.isOrdered(a, Pipe::FIX));
  EXPECT_TRUE(o.isOrdered(store, Pipe::FIX)); // through V
}

} // namespace
} // namespace kiln::sim
