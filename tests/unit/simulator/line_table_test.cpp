// SPDX-License-Identifier: Apache-2.0
#include "simulator/core/line_table.h"

#include <gtest/gtest.h>
#include <random>
#include <string>

namespace kiln::sim {
namespace {

/// Bytes of a section, built field by field.
class Section {
public:
  template <typename T> Section &put(T value) {
    const auto *p = reinterpret_cast<const uint8_t *>(&value);
    bytes.insert(bytes.end(), p, p + sizeof(T));
    return *this;
  }
  Section &u8(unsigned v) { return put(static_cast<uint8_t>(v)); }
  Section &text(const std::string &s) {
    bytes.insert(bytes.end(), s.begin(), s.end());
    return u8(0);
  }
  Section &append(const Section &other) {
    bytes.insert(bytes.end(), other.bytes.begin(), other.bytes.end());
    return *this;
  }
  std::vector<uint8_t> bytes;
};

constexpr uint8_t kOperandCounts[] = {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1};

/// min_inst, max_ops, is_stmt, line_base -5, line_range 14, 12 opcodes.
void putOpcodeHeader(Section &s) {
  s.u8(1).u8(1).u8(1).u8(static_cast<uint8_t>(-5)).u8(14).u8(13);
  for (uint8_t n : kOperandCounts) {
    s.u8(n);
  }
}

/// pc 0x80000000 line 7; +4 line 8 column 3; +8 line 20; ends at +16.
Section lineProgram() {
  Section p;
  p.u8(0).u8(9).u8(2).put(uint64_t{0x8000'0000}); // set address
  p.u8(3).u8(6).u8(1);                            // line += 6, row
  p.u8(5).u8(3);                                  // column 3
  p.u8(13 + 4 * 14 + (1 + 5));                    // special: +4, line +1
  p.u8(5).u8(0);
  p.u8(2).u8(4).u8(3).u8(12).u8(1); // +4, line += 12, row
  p.u8(2).u8(8).u8(0).u8(1).u8(1);  // +8, end of sequence
  return p;
}

Section unit(uint16_t version, const Section &tables) {
  Section header;
  putOpcodeHeader(header);
  header.append(tables);
  Section program = lineProgram();
  Section body;
  body.put(version);
  if (version == 5) {
    body.u8(8).u8(0);
  }
  body.put(static_cast<uint32_t>(header.bytes.size()));
  body.append(header).append(program);
  Section s;
  s.put(static_cast<uint32_t>(body.bytes.size()));
  return s.append(body);
}

Section unitV4() {
  Section tables;
  tables.text("sub").u8(0);                   // directories
  tables.text("a.s").u8(1).u8(0).u8(0).u8(0); // file 1, end
  return unit(4, tables);
}

Section unitV5() {
  Section tables;
  tables.u8(1).u8(1).u8(0x08); // directories: path, string
  tables.u8(2).text("/build").text("net");
  tables.u8(2).u8(1).u8(0x1f).u8(2).u8(0x0b); // files: line_strp, data1
  tables.u8(2).put(uint32_t{0}).u8(0);        // file 0
  tables.put(uint32_t{6}).u8(1);              // file 1
  return unit(5, tables);
}

const std::vector<uint8_t> kLineStrings = {'m', 'a', 'i', 'n', 's', 0,
                                           'c', 'o', 'n', 'v', 0};

TEST(LineTable, Version4RowsAreFound) {
  Section s = unitV4();
  LineTable table = LineTable::parse({s.bytes, {}, {}});
  EXPECT_EQ(table.problem(), "");
  EXPECT_EQ(table.find(0x8000'0000)->text(), "sub/a.s:7");
  EXPECT_EQ(table.find(0x8000'0003)->line, 7u);
  EXPECT_EQ(table.find(0x8000'0004)->text(), "sub/a.s:8:3");
  EXPECT_EQ(table.find(0x8000'000f)->line, 20u);
  EXPECT_FALSE(table.find(0x8000'0010).has_value()); // past the end
  EXPECT_FALSE(table.find(0x7fff'ffff).has_value());
}

TEST(LineTable, Version5NamesComeFromTheStringSection) {
  Section s = unitV5();
  LineTable table = LineTable::parse({s.bytes, kLineStrings, {}});
  EXPECT_EQ(table.problem(), "");
  EXPECT_EQ(table.find(0x8000'0000)->text(), "net/conv:7");
}

TEST(LineTable, SeveralUnitsAreOneTable) {
  Section s = unitV4();
  s.append(unitV5());
  LineTable table = LineTable::parse({s.bytes, kLineStrings, {}});
  EXPECT_EQ(table.problem(), "");
  EXPECT_FALSE(table.empty());
}

TEST(LineTable, AnUnknownVersionIsLeftOutAndNamed) {
  Section s = unitV4();
  s.bytes[4] = 3;
  s.append(unitV4());
  LineTable table = LineTable::parse({s.bytes, {}, {}});
  EXPECT_NE(table.problem().find("version 3"), std::string::npos);
  EXPECT_EQ(table.find(0x8000'0000)->line, 7u); // the second unit
}

TEST(LineTable, TruncationAtEveryByteIsHarmless) {
  Section s = unitV5();
  for (size_t size = 0; size < s.bytes.size(); ++size) {
    std::vector<uint8_t> part(s.bytes.begin(),
                              s.bytes.begin() + static_cast<int64_t>(size));
    LineTable table = LineTable::parse({part, kLineStrings, {}});
    EXPECT_EQ(table.problem().empty(), size == 0) << size;
  }
}

TEST(LineTable, FlippedBitsAreHarmless) {
  std::mt19937 random(1);
  Section good = unitV5();
  good.append(unitV4());
  unsigned refused = 0, found = 0;
  for (int i = 0; i < 5000; ++i) {
    std::vector<uint8_t> bytes = good.bytes;
    for (unsigned n = 1 + random() % 4; n; --n) {
      bytes[random() % bytes.size()] ^= uint8_t(1u << random() % 8);
    }
    LineTable table = LineTable::parse({bytes, kLineStrings, {}});
    refused += !table.problem().empty();
    found += table.find(0x8000'0004).has_value();
  }
  // Damage to the structure is noticed; damage to numbers need not be.
  EXPECT_GT(refused, 500u);
  EXPECT_GT(found, 500u);
}

} // namespace
} // namespace kiln::sim
