// SPDX-License-Identifier: Apache-2.0
//
// The debugger's side of GdbServer, packet by packet, on both engines. A
// session of the real gdb is tests/profile/gdb_test.py.
#include "simulator/debug/gdb_server.h"
#include "simulator/debug/npu_registers.h"
#include "tests/engines/support/engine_bench.h"
#include "tests/engines/support/program_builder.h"

#include "isa/gen/operands.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace kiln::test {
namespace {

using isa::Opcode;
using isa::Pipe;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// gdb's end of the connection.
class Client {
public:
  explicit Client(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr *>(&address),
                        sizeof address),
              0);
  }
  ~Client() { ::close(socket_); }

  void send(const std::string &packet) {
    unsigned sum = 0;
    for (char c : packet) {
      sum += static_cast<uint8_t>(c);
    }
    std::string frame = fmt::format("${}#{:02x}", packet, sum & 255);
    EXPECT_EQ(::send(socket_, frame.data(), frame.size(), 0),
              static_cast<ssize_t>(frame.size()));
  }
  /// The next packet; "" when the server has closed the connection.
  std::string read() {
    std::string packet;
    bool inside = false;
    for (char c = 0; ::recv(socket_, &c, 1, 0) == 1;) {
      if (inside && c == '#') {
        char sum[2];
        EXPECT_EQ(::recv(socket_, sum, 2, MSG_WAITALL), 2);
        EXPECT_EQ(::send(socket_, "+", 1, MSG_NOSIGNAL), 1);
        return packet;
      }
      if (inside) {
        packet.push_back(c);
      }
      inside |= c == '$';
    }
    return "";
  }
  std::string ask(const std::string &packet) {
    send(packet);
    return read();
  }
  std::string monitor(const std::string &command) {
    return *sim::fromHexBytes(ask("qRcmd," + sim::toHexBytes(command)));
  }
  uint64_t reg(unsigned number) {
    std::string bytes = *sim::fromHexBytes(ask(fmt::format("p{:x}", number)));
    uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

private:
  int socket_;
};

class GdbServerTest : public ::testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    std::vector<uint16_t> ones(64, 0x3c00);
    in_ = bench_.upload(ones);
    ProgramBuilder b;
    isa::LocalView tile{};
    tile.blkStride = 1;
    tile.count = 1;
    isa::LoadGeometry load{};
    load.rowBytes = load.gmStride = 128;
    b.npu({.op = Opcode::kLdUb}, tile.pack(), in_, load.pack());
    b.set(Pipe::MTE2, Pipe::V, 3);
    afterSet_ = isa::kInstructionRamBase + 4 * b.size();
    b.barrier();
    afterBarrier_ = isa::kInstructionRamBase + 4 * b.size();
    b.wait(Pipe::MTE2, Pipe::V, 3);
    b.note.bindingCount = 1;
    request_ = bench_.request(b.program(), {in_});
    engine_ = GetParam() == std::string("cycle") ? bench_.cycle.get()
                                                 : bench_.functional.get();
  }
  void start() {
    Result<sim::GdbServer> server = sim::GdbServer::listen(0);
    ASSERT_TRUE(server) << server.status().message();
    server_.emplace(std::move(*server));
    request_.debug = &*server_;
    run_ = std::thread([this] {
      EXPECT_TRUE(server_->accept());
      Result<sim::LaunchReport> report = engine_->run(request_);
      status_ = report.status();
      cycles_ = report ? report->cycles : 0;
      server_->exited(report ? 0 : 7);
    });
    client_.emplace(server_->port());
  }
  void TearDown() override {
    client_.reset();
    if (run_.joinable()) {
      run_.join();
    }
  }

  EngineBench bench_;
  uint64_t in_ = 0, afterSet_ = 0, afterBarrier_ = 0, cycles_ = 0;
  sim::LaunchRequest request_;
  sim::Engine *engine_ = nullptr;
  std::optional<sim::GdbServer> server_;
  std::optional<Client> client_;
  std::thread run_;
  Status status_;
};

TEST_P(GdbServerTest, StopsAtABreakpointAndShowsTheFrozenCore) {
  start();
  EXPECT_THAT(client_->ask("qSupported:swbreak+"),
              HasSubstr("qXfer:features:read+"));
  EXPECT_THAT(client_->ask("?"), StartsWith("T05"));
  EXPECT_EQ(client_->reg(32), isa::kInstructionRamBase);
  EXPECT_EQ(client_->ask(fmt::format("Z0,{:x},4", afterBarrier_)), "OK");
  EXPECT_THAT(client_->ask("c"), StartsWith("T05"));
  EXPECT_EQ(client_->reg(32), afterBarrier_);
  // The load has retired and its flag is up; V has not seen it yet.
  EXPECT_THAT(client_->monitor("flags"), HasSubstr("MTE2>V id 3 set at"));
  unsigned flags = sim::kFirstFlagRegister + static_cast<unsigned>(Pipe::MTE2);
  EXPECT_EQ(client_->reg(flags),
            uint64_t{1} << (8 * static_cast<unsigned>(Pipe::V) + 3));
  EXPECT_THAT(client_->monitor("ub 0x40 f16 4"), HasSubstr("0x00040: 1 1 1 1"));
  EXPECT_THAT(client_->ask(fmt::format("m{:x},4", isa::kUbWindowBase)),
              ::testing::Eq("003c003c"));
  EXPECT_THAT(client_->ask(fmt::format("m{:x},2", in_)), ::testing::Eq("003c"));
  EXPECT_EQ(client_->ask("c"), "W00");
  run_.join();
  EXPECT_TRUE(status_) << status_.message();
}

TEST_P(GdbServerTest, StepsOneInstruction) {
  start();
  for (uint64_t n = 1; n <= 4; ++n) {
    EXPECT_THAT(client_->ask("vCont;s:1"), StartsWith("T05"));
    EXPECT_EQ(client_->reg(32), isa::kInstructionRamBase + 4 * n);
  }
  EXPECT_EQ(client_->ask("D"), "OK");
  run_.join();
  EXPECT_TRUE(status_) << status_.message();
}

TEST_P(GdbServerTest, DescribesEveryRegisterItAnswers) {
  start();
  std::string xml = sim::targetDescription();
  EXPECT_EQ(client_->ask("qXfer:features:read:target.xml:0,10"),
            "m" + xml.substr(0, 16));
  for (unsigned r = sim::kCycleRegister; r < sim::kEndOfRegisters; ++r) {
    EXPECT_THAT(xml, HasSubstr(fmt::format("regnum=\"{}\"", r)));
    EXPECT_THAT(client_->ask(fmt::format("p{:x}", r)),
                ::testing::Not(StartsWith("E")));
  }
  EXPECT_EQ(client_->ask(fmt::format("p{:x}", sim::kEndOfRegisters)), "E01");
  EXPECT_EQ(client_->ask("k"), "");
  run_.join();
  EXPECT_TRUE(server_->killed());
  EXPECT_EQ(status_.code(), StatusCode::kDeviceFault);
}

TEST_P(GdbServerTest, RefusesWhatItCannotDo) {
  start();
  EXPECT_EQ(client_->ask("m0,4"), "E14");
  EXPECT_EQ(client_->ask("mzz"), "E01");
  EXPECT_EQ(client_->ask("M90000000,2:zz"), "E01");
  EXPECT_EQ(client_->ask("P20=0000000000000000"), "E01"); // pc
  EXPECT_EQ(client_->ask("P3=12"), "E01");
  EXPECT_EQ(client_->ask("Z2,90000000,4"), ""); // a watchpoint
  EXPECT_EQ(client_->ask("vMustReplyEmpty"), "");
  EXPECT_THAT(client_->monitor("ub 0xffffff"), HasSubstr("beyond"));
  EXPECT_THAT(client_->monitor("ub 0 f17"), HasSubstr("no element type"));
  EXPECT_EQ(client_->ask("c"), "W00");
}

TEST_P(GdbServerTest, AFaultIsALastLook) {
  ProgramBuilder b;
  b.li(8, 42);
  b.word(0x0010'0073); // ebreak
  request_ = bench_.request(b.program());
  start();
  client_->send("c");
  std::string message = client_->read();
  EXPECT_THAT(message, StartsWith("O"));
  EXPECT_THAT(*sim::fromHexBytes(message.substr(1)), HasSubstr("ebreak"));
  EXPECT_THAT(client_->read(), StartsWith("T0b"));
  EXPECT_EQ(client_->reg(8), 42u);
  EXPECT_EQ(client_->ask("c"), "W07");
}

TEST_P(GdbServerTest, ADebuggerThatGoesLetsTheProgramRunOn) {
  start();
  EXPECT_THAT(client_->ask("?"), StartsWith("T05"));
  client_.reset();
  run_.join();
  EXPECT_TRUE(status_) << status_.message();
}

TEST_P(GdbServerTest, StoppingChangesNoCycle) {
  Result<sim::LaunchReport> plain = engine_->run(request_);
  ASSERT_TRUE(plain);
  start();
  EXPECT_EQ(client_->ask(fmt::format("Z0,{:x},4", afterSet_)), "OK");
  EXPECT_THAT(client_->ask("c"), StartsWith("T05"));
  EXPECT_THAT(client_->ask("s"), StartsWith("T05"));
  EXPECT_THAT(client_->ask("s"), StartsWith("T05"));
  EXPECT_EQ(client_->ask("c"), "W00");
  run_.join();
  EXPECT_EQ(cycles_, plain->cycles);
}

INSTANTIATE_TEST_SUITE_P(Engines, GdbServerTest,
                         ::testing::Values("functional", "cycle"),
                         [](const auto &info) {
                           return std::string(info.param);
                         });

} // namespace
} // namespace kiln::test
