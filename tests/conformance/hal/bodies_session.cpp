// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/hal/case.h"

#include <cstring>

namespace kiln::hal::conformance {
namespace {

constexpr int64_t kBytes = 256;

std::vector<uint8_t> unsignedBytes(const ByteVector &bytes) {
  std::vector<uint8_t> result(bytes.size());
  std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

/// input -> copy kernel -> arena; the constant's first half -> arena;
/// arena -> copy kernel -> output. Input and output have 256 bytes.
PackageModel package(Case &c) {
  KernelImage copy = c.setup().kit.kernel("copy");
  PackageModel m;
  m.name = "suite";
  m.target = c.device()->description().target;
  m.values = {{"in", DataType::kU8, {kBytes}},
              {"middle", DataType::kU8, {kBytes}},
              {"out", DataType::kU8, {kBytes}}};
  m.inputs = {0}, m.outputs = {2};
  m.constants = {{"half",
                  DataType::kU8,
                  {kBytes / 2},
                  unsignedBytes(pattern(kBytes / 2, 50))}};
  m.programs = {copy.image};
  m.sourceMap = {{"node_a", "Identity", "m.onnx", 1},
                 {"node_b", "Concat", "m.onnx", 2}};
  m.plan.arenaSize = Expr::constant(1024);
  BufferRef middle = BufferRef::arena(512, kBytes);
  DispatchModel first{"first", 0, copy.entry};
  first.bindings = {{BufferRef::input(0, kBytes), Access::kRead, 0},
                    {middle, Access::kWrite, 1}};
  first.constants = {Expr::constant(kBytes)};
  first.source = 0;
  DispatchModel second{"second", 0, copy.entry, Expr::constant(4)};
  second.bindings = {{middle, Access::kRead, 1},
                     {BufferRef::output(0, kBytes), Access::kWrite, 2}};
  second.constants = {Expr::constant(kBytes / 4)};
  second.source = 1;
  CopyModel paste{BufferRef::constant(0, kBytes / 2),
                  BufferRef::arena(512 + kBytes / 2, kBytes / 2)};
  m.plan.functions = {
      {"main", {first, BarrierModel{}, paste, BarrierModel{}, second}}};
  return m;
}

std::unique_ptr<Session> load(Case &c, const PackageModel &model) {
  Result<std::vector<uint8_t>> bytes = serialize(model);
  if (!c.expectOk(bytes.status(), "serialize")) {
    return nullptr;
  }
  auto session = Session::load(*c.device(), Blob(*std::move(bytes)),
                               {.timeout = c.setup().patience});
  return c.expectOk(session.status(), "load") ? *std::move(session) : nullptr;
}

HostTensor input(unsigned seed) {
  return {DataType::kU8, {kBytes}, pattern(kBytes, seed)};
}

ByteVector expectedOutput(unsigned seed) {
  ByteVector expected = pattern(kBytes, seed);
  ByteVector half = pattern(kBytes / 2, 50);
  std::memcpy(&expected[kBytes / 2], half.data(), half.size());
  return expected;
}

void expectRun(Case &c, Session &session, unsigned seed,
               const RunOptions &options = {}) {
  auto out = session.run({input(seed)}, options);
  if (c.expectOk(out.status(), "run") &&
      c.expect(out->size() == 1, "one output")) {
    c.expectBytes((*out)[0].bytes, expectedOutput(seed), "output");
  }
}

void sessionRunsAPackage(Case &c) {
  if (auto session = load(c, package(c))) {
    expectRun(c, *session, 1);
    expectRun(c, *session, 2);
  }
}

/// Works on devices that execute nothing, too.
void sessionMovesData(Case &c) {
  PackageModel m = package(c);
  m.programs.clear();
  m.plan.functions[0].ops = {
      CopyModel{BufferRef::input(0, kBytes), BufferRef::output(0, kBytes)},
      BarrierModel{},
      CopyModel{
          BufferRef::constant(0, kBytes / 2),
          BufferRef::make(BufferKind::kOutput, 0, kBytes / 2, kBytes / 2)}};
  if (auto session = load(c, m)) {
    expectRun(c, *session, 3);
  }
}

void sessionProfilesEachDispatch(Case &c) {
  auto session = load(c, package(c));
  if (!session) {
    return;
  }
  std::string log;
  RunOptions options;
  options.profile = [&](const DispatchProfile &p) {
    log += p.dispatch->name + "/" + p.source->node + "/" +
           std::to_string(p.index) + "/" + std::to_string(p.report.blocks) +
           " ";
  };
  auto out = session->run({input(1)}, options);
  c.expectOk(out.status(), "run");
  c.expect(log == "first/node_a/0/1 second/node_b/1/4 ", "profile: " + log);
}

void sessionDumpsEachLayer(Case &c) {
  auto session = load(c, package(c));
  if (!session) {
    return;
  }
  std::vector<std::string> names;
  std::vector<ByteVector> bytes;
  RunOptions options;
  options.dump = [&](const LayerDump &dump) {
    for (const LayerDump::Output &output : dump.outputs) {
      names.push_back(output.value ? output.value->name : "?");
      bytes.push_back(output.bytes);
    }
    return Status::ok();
  };
  expectRun(c, *session, 4, options);
  c.expect(names == std::vector<std::string>{"middle", "out"}, "values");
  if (c.expect(bytes.size() == 2, "dumps")) {
    c.expectBytes(bytes[0], pattern(kBytes, 4), "middle");
    c.expectBytes(bytes[1], expectedOutput(4), "out");
  }
}

void sessionNeedsItsMemory(Case &c) {
  DeviceOptions options = c.setup().options;
  options.memoryBytes = 1024;
  auto device = c.makeDevice(options);
  Result<std::vector<uint8_t>> bytes = serialize(package(c));
  if (!device || !c.expectOk(bytes.status(), "serialize")) {
    return;
  }
  c.expectCode(
      Session::load(*device, Blob(*bytes), {.timeout = c.setup().patience})
          .status(),
      StatusCode::kDoesNotFit, "a package larger than the memory");
  c.expectOk(device->allocate({.size = 1024}).status(),
             "a failed load leaves nothing behind");
}

void sessionSurvivesAFault(Case &c) {
  PackageModel m = package(c);
  KernelImage trap = c.setup().kit.kernel("trap");
  m.programs.push_back(trap.image);
  DispatchModel bad{"bad", 1, trap.entry};
  bad.bindings = {{BufferRef::arena(0, 64), Access::kReadWrite}};
  bad.source = 1;
  m.plan.functions[0].ops.push_back(BarrierModel{});
  m.plan.functions[0].ops.push_back(bad);
  auto session = load(c, m);
  if (!session) {
    return;
  }
  for (int round = 0; round < 2; ++round) {
    Status status = session->run({input(1)}).status();
    c.expectCode(status, StatusCode::kDeviceFault, "the fault");
    c.expect(status.message().find("bad (Concat 'node_b')") !=
                 std::string::npos,
             "the message names the node: " + status.message());
  }
  if (auto good = load(c, package(c))) {
    expectRun(c, *good, 5);
  }
}

} // namespace

void addSessionBodies(std::vector<Body> &bodies) {
  bodies.insert(bodies.end(),
                {{"SessionRunsAPackage", sessionRunsAPackage},
                 {"SessionMovesData", sessionMovesData},
                 {"SessionProfilesEachDispatch", sessionProfilesEachDispatch},
                 {"SessionDumpsEachLayer", sessionDumpsEachLayer},
                 {"SessionNeedsItsMemory", sessionNeedsItsMemory},
                 {"SessionSurvivesAFault", sessionSurvivesAFault}});
}

} // namespace kiln::hal::conformance
