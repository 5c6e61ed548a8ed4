// SPDX-License-Identifier: Apache-2.0
//
// Sizes, timing keys and types that the modules of the core share.
//
// Figures of the machine file come in as straps (input key[NUM_KEYS], one
// 16-bit value per key, in the order of Key), so one model serves any figures.
// tests/rtl/rtl_core.cpp fills them from the machine file by the same order.
// Sizes that decide wires and memories are the parameters below; the test
// bench compares them with the machine file too.
package kiln_rtl_pkg;

  parameter int NUM_PIPES = 7;
  parameter int PIPE_S = 0, PIPE_MTE2 = 1, PIPE_MTE1 = 2, PIPE_M = 3;
  parameter int PIPE_FIX = 4, PIPE_V = 5, PIPE_MTE3 = 6;
  parameter int NUM_FLAGS = NUM_PIPES * NUM_PIPES * 8;
  parameter int PIPE_FLAGS = NUM_PIPES * 8; // that one pipe can set

  parameter int IRAM_WORDS = 4096;
  parameter int RAM_BYTES = 8192;
  parameter int UB_BYTES = 32768;
  parameter int UB_GROUPS = 4;
  parameter int UB_BANKS = 4;
  parameter int MAX_QUEUE = 32;
  parameter int MAX_BURSTS = 16;   // outstanding per direction
  parameter int MAX_BURST = 512;   // bytes
  parameter int MAX_BEAT = 32;     // bytes of a beat of the port
  parameter int WAITING_BITS = 9;  // accesses that wait for a bank of UB:
  parameter int MAX_WAITING = 1 << WAITING_BITS;
  parameter int MAX_SLOTS = 4;     // in flight per pipe
  parameter int FLAG_DELAY = 64;   // ring of coming flags, cycles
  parameter int WRITE_DELAY = 64;  // ring of V's coming writes, cycles

  typedef enum int {
    K_LOAD_USE, K_MUL, K_DIV, K_TAKEN, K_CSR, K_SCALAR_RAM, K_UB_WINDOW,
    K_FLAG, K_FLAG_VISIBLE, K_CONFIG, K_BARRIER,
    K_QUEUE_MTE2, K_QUEUE_MTE1, K_QUEUE_M, K_QUEUE_FIX, K_QUEUE_V,
    K_QUEUE_MTE3,
    K_FLIGHT_MTE2, K_FLIGHT_V, K_FLIGHT_MTE3_GM,
    K_READ_BYTES, K_WRITE_BYTES, K_BURST_BYTES, K_READS, K_WRITES,
    K_MIN_ROW_BEATS,
    K_ARITHMETIC_16, K_ARITHMETIC_32, K_ARITHMETIC_LATENCY, K_ARITHMETIC_ROW,
    K_CAST_16, K_CAST_32, K_CAST_LATENCY, K_CAST_ROW,
    K_REDUCE_LANE_32, K_REDUCE_LANE_LATENCY, K_REDUCE_LANE_ROW,
    K_UB_READS, K_UB_WRITE_DELAY, K_UB_MEET,
    NUM_KEYS
  } key_e;
  parameter int KEYS = 40;

  parameter logic [63:0] IRAM_BASE = 64'h8000_0000;
  parameter logic [63:0] RAM_BASE = 64'h8010_0000;
  parameter logic [63:0] UB_BASE = 64'h9000_0000;

  // What the core cannot do any more, or never could.
  typedef enum logic [3:0] {
    FAULT_NONE, FAULT_ILLEGAL, FAULT_FETCH, FAULT_ACCESS, FAULT_CSR,
    FAULT_TRAP, FAULT_FLAG_ID, FAULT_FLAG_SET, FAULT_RESIDUE, FAULT_COMMAND,
    FAULT_ROOM // the model's queues of bank_queues
  } fault_e;

  // A command in a queue. Control words have kind set.
  typedef enum logic [1:0] {KIND_DATA, KIND_SET, KIND_WAIT, KIND_CONFIG} kind_e;
  typedef struct packed {
    kind_e kind;
    logic [6:0] op;     // opcode of the word
    logic [1:0] f2;
    logic [4:0] sub;
    logic [2:0] f3;
    logic [63:0] rs1, rs2, rs3;
    logic [31:0] tag;   // count of NPU instructions, for the trace
  } command_t;

  // What a word means to S (npu_decode).
  typedef struct packed {
    logic legal;
    logic [2:0] pipe;        // whose queue; S: S performs it
    kind_e kind;
    logic is_set, is_wait, is_barrier, is_end, is_trap;
    logic [2:0] source, destination; // of a flag
  } npu_decode_t;

  // A strided window of local memory (isa/spec/isa.yaml, LocalView).
  typedef struct packed {
    logic [15:0] count;
    logic [7:0] blk_stride;
    logic [15:0] row_stride;
    logic [23:0] addr;
  } view_t;

  // Banks of UB, bit bank * UB_GROUPS + group, and groups.
  typedef logic [UB_BANKS*UB_GROUPS-1:0] banks_t;
  typedef logic [UB_GROUPS-1:0] groups_t;

  function automatic groups_t group_of(input logic [23:0] address);
    return groups_t'(1) << address[6:5];
  endfunction
  function automatic banks_t bank_of(input logic [23:0] address);
    return banks_t'(1) << {address[14:13], address[6:5]};
  endfunction

  // Rule 37: the accesses of a beat of a DMA command, `bytes` bytes from byte
  // `linear` of its rows on.
  function automatic banks_t beat_banks(input view_t view,
                                        input logic [19:0] row_bytes,
                                        input logic [39:0] linear,
                                        input logic [9:0] bytes);
    logic [39:0] row, at;
    logic [23:0] address;
    row = linear / 40'(row_bytes);
    at = linear % 40'(row_bytes);
    beat_banks = '0;
    for (int i = 0; i < MAX_BEAT; i++)
      if (10'(i) < bytes) begin
        address = 24'(40'(view.addr) + 32 * (row * 40'(view.row_stride) +
            (at >> 5) * 40'(view.blk_stride)));
        beat_banks = beat_banks | bank_of(address);
        at = at + 1;
        if (at == 40'(row_bytes)) begin
          at = 0;
          row = row + 1;
        end
      end
  endfunction

  // Bytes [lo, hi) a command reads and writes in UB, as rule 11 compares them.
  typedef struct packed {
    logic reads, writes;
    logic [39:0] read_lo, read_hi, write_lo, write_hi;
  } ranges_t;

  function automatic int flag_index(input logic [2:0] source,
                                    input logic [2:0] destination,
                                    input logic [2:0] id);
    return (int'(source) * NUM_PIPES + int'(destination)) * 8 + int'(id);
  endfunction

  // End of the bytes of `rows` rows of `bytes` bytes in a view.
  function automatic logic [39:0] view_end(input view_t v,
                                           input logic [39:0] rows,
                                           input logic [39:0] bytes);
    logic [39:0] last_row, full, tail, end_full, end_tail;
    last_row = (rows - 1) * 40'(v.row_stride) * 32;
    full = bytes >> 5;
    tail = bytes & 31;
    end_full = 0;
    end_tail = 0;
    if (full != 0)
      end_full = (full - 1) * 40'(v.blk_stride) * 32 + 32;
    if (tail != 0)
      end_tail = full * 40'(v.blk_stride) * 32 + tail;
    if (end_tail > end_full)
      end_full = end_tail;
    return 40'(v.addr) + last_row + end_full;
  endfunction

endpackage
