// SPDX-License-Identifier: Apache-2.0
//
// A core of k1-nano's size: S, the six pipes, their flags and UB. MTE2, V and
// MTE3 have their units; MTE1, M and FIX have queues that take only flags and
// configuration, and S traps on their commands.
//
// One clock is one cycle of docs/microarchitecture.md. Inputs of a cycle are
// what its first phase brings (completions from the memory); outputs are what
// happens in it.
module npu_core
  import kiln_rtl_pkg::*;
(
    input logic clk,
    input logic rst,
    input logic [15:0] key[KEYS],
    input logic [63:0] start_cycle,

    input logic load,
    input logic load_data,
    input logic [31:0] load_index,
    input logic [31:0] load_word,
    input logic [63:0] entry,
    input logic [63:0] argument,
    input logic [31:0] text_words,
    input logic [31:0] block_index,
    input logic [31:0] block_count,

    // GM, reading.
    output logic read_request,
    output logic [47:0] read_address,
    output logic [9:0] read_bytes,
    output logic [15:0] read_beats,
    output logic [3:0] read_tag,
    input  logic [MAX_BURSTS-1:0] read_done,
    input  logic [3:0] read_done_tag,
    input  logic read_comes,       // its first beat is there
    input  logic [3:0] read_comes_tag,
    input  logic [8*MAX_BURST-1:0] read_data,

    // GM, writing: the bytes follow the request by a cycle.
    output logic write_request,
    output logic [47:0] write_address,
    output logic [9:0] write_bytes,
    output logic [15:0] write_beats,
    output logic [3:0] write_tag,
    output logic [8*MAX_BURST-1:0] write_data,
    input  logic [MAX_BURSTS-1:0] write_done,

    // Trace: what happens in this cycle.
    output logic issued,
    output logic [31:0] issued_pc,
    output logic [31:0] issued_tag,
    output logic [63:0] issued_rs1,
    output logic went_on,
    output logic [NUM_PIPES-1:0] left,
    output logic [31:0] left_tag[NUM_PIPES],
    output logic [MAX_SLOTS-1:0] retired[NUM_PIPES],
    output logic [31:0] retired_tag[NUM_PIPES*MAX_SLOTS],
    output logic [NUM_FLAGS-1:0] appeared,
    output logic bank_conflict,
    output logic load_waits,       // for a bank of UB that others use
    output logic store_waits,
    output logic interlock,        // of V or MTE2
    output logic queue_full,
    output logic ended,
    output fault_e fault
);
  logic [63:0] now;
  always_ff @(posedge clk) now <= rst ? start_cycle : now + 1;

  // Flags.
  logic [NUM_FLAGS-1:0] visible;
  logic [PIPE_FLAGS-1:0] fire[NUM_PIPES];
  logic [NUM_PIPES-1:0] clear_fire;
  int clear_flag[NUM_PIPES];
  logic s_set_fire, settled, set_twice;
  int s_set_flag;
  logic [15:0] s_set_delay;
  assign fire[PIPE_S] = 0;
  flag_file flags (
      .clk, .rst, .visible_delay(key[K_FLAG_VISIBLE]), .fire,
      .s_fire(s_set_fire), .s_flag(s_set_flag), .s_delay(s_set_delay),
      .clear_fire, .clear_flag, .visible, .appear(appeared), .settled,
      .set_twice);

  // S.
  logic [NUM_PIPES-1:0] room, push, busy;
  command_t command;
  logic window_write;
  logic [23:0] window_address;
  logic [3:0] window_bytes;
  logic [63:0] window_data, window_value;
  fault_e s_fault;
  assign room[PIPE_S] = 0;
  assign busy[PIPE_S] = 0;
  control_core s (
      .clk, .rst, .key, .now, .load, .load_data,
      .load_index, .load_word, .entry, .argument, .text_words, .block_index,
      .block_count, .room, .push, .command, .pipes_busy(busy != 0), .visible,
      .set_fire(s_set_fire), .set_flag(s_set_flag), .set_delay(s_set_delay),
      .clear_fire(clear_fire[PIPE_S]), .clear_flag(clear_flag[PIPE_S]),
      .flags_settled(settled), .window_write, .window_address, .window_bytes,
      .window_data, .window_value, .issued, .issued_pc, .issued_tag, .issued_rs1, .queue_full, .went_on,
      .ended, .fault(s_fault));
  assign start[PIPE_S] = 0;
  assign configure[PIPE_S] = 0;
  assign bad_id[PIPE_S] = 0;
  assign left[PIPE_S] = 0;
  assign left_tag[PIPE_S] = 0;
  assign retired[PIPE_S] = 0;

  // The pipes' fronts.
  command_t head[NUM_PIPES];
  ranges_t ranges[NUM_PIPES];
  logic [NUM_PIPES-1:0] unit_free, start, configure, bad_id, merged;
  logic [1:0] start_slot[NUM_PIPES];
  logic [1:0] retire[NUM_PIPES];
  logic [31:0] slot_tag[NUM_PIPES][2];
  logic [NUM_PIPES-1:0] interlocks;
  logic [15:0] windows[NUM_PIPES];
  always_comb begin
    for (int p = 0; p < NUM_PIPES; p++) windows[p] = 0;
    windows[PIPE_MTE2] = key[K_FLIGHT_MTE2];
    windows[PIPE_V] = key[K_FLIGHT_V];
    windows[PIPE_MTE3] = key[K_FLIGHT_MTE3_GM];
  end
  for (genvar p = 1; p < NUM_PIPES; p++) begin : pipes
    pipe_front #(.PIPE(p), .SLOTS(2)) front (
        .clk, .rst, .queue_depth(key[K_QUEUE_MTE2+p-1]), .window(windows[p]),
        .flag_cycles(key[K_FLAG]), .config_cycles(key[K_CONFIG]),
        .push(push[p]), .command, .room(room[p]), .busy(busy[p]), .visible,
        .clear_fire(clear_fire[p]), .clear_flag(clear_flag[p]),
        .fire(fire[p]), .set_twice(merged[p]), .head(head[p]), .head_ranges(ranges[p]),
        .unit_free(unit_free[p]), .start(start[p]),
        .start_slot(start_slot[p]), .retire(retire[p]),
        .configure(configure[p]), .left(left[p]), .left_tag(left_tag[p]),
        .slot_tag(slot_tag[p]), .interlock(interlocks[p]),
        .bad_id(bad_id[p]));
    assign retired[p] = {2'b0, retire[p]};
  end
  always_comb begin
    for (int p = 0; p < NUM_PIPES; p++)
      for (int i = 0; i < MAX_SLOTS; i++)
        retired_tag[p*MAX_SLOTS+i] = p > 0 && i < 2 ? slot_tag[p][i] : 0;
  end
  assign interlocks[PIPE_S] = 0;
  assign interlock = interlocks != 0;
  for (genvar p = PIPE_MTE1; p <= PIPE_FIX; p++) begin : no_unit
    assign unit_free[p] = 0;
    assign ranges[p] = '0;
    assign retire[p] = 0;
  end

  // Who uses the banks of UB (rules 35 and 37): V, then MTE2, then MTE3.
  banks_t v_used, load_served, store_served;
  groups_t v_written, v_full;
  logic meet, load_overflow, store_overflow;
  assign meet = key[K_UB_MEET] == 1;

  // MTE2.
  logic [31:0] pad;
  always_ff @(posedge clk)
    if (rst) pad <= 0;
    else if (configure[PIPE_MTE2]) pad <= head[PIPE_MTE2].rs1[31:0];
  logic ub_load, ub_store;
  view_t ub_load_view, ub_store_view;
  logic [39:0] ub_load_linear, ub_store_linear;
  logic [19:0] ub_load_row, ub_store_row;
  logic [9:0] ub_load_bytes, ub_store_bytes;
  logic [31:0] ub_load_pad;
  gm_unit #(.STORE(0)) mte2 (
      .clk, .rst, .beat_bytes(key[K_READ_BYTES]),
      .burst_bytes(key[K_BURST_BYTES]), .max_bursts(key[K_READS]),
      .min_row_beats(key[K_MIN_ROW_BEATS]), .pad, .head(head[PIPE_MTE2]),
      .head_ranges(ranges[PIPE_MTE2]), .free(unit_free[PIPE_MTE2]),
      .start(start[PIPE_MTE2]), .start_slot(start_slot[PIPE_MTE2]),
      .retire(retire[PIPE_MTE2]), .request(read_request),
      .request_address(read_address), .request_bytes(read_bytes),
      .request_beats(read_beats), .request_tag(read_tag), .done(read_done),
      .data_tag(read_done_tag), .comes(read_comes),
      .comes_tag(read_comes_tag), .meet, .taken(v_used),
      .shut(v_written), .served(load_served), .waits(load_waits),
      .overflow(load_overflow), .ub_move(ub_load), .ub_view(ub_load_view),
      .ub_linear(ub_load_linear), .ub_row_bytes(ub_load_row),
      .ub_bytes(ub_load_bytes), .ub_pad(ub_load_pad));

  // MTE3.
  logic [31:0] no_pad;
  gm_unit #(.STORE(1)) mte3 (
      .clk, .rst, .beat_bytes(key[K_WRITE_BYTES]),
      .burst_bytes(key[K_BURST_BYTES]), .max_bursts(key[K_WRITES]),
      .min_row_beats(key[K_MIN_ROW_BEATS]), .pad(0), .head(head[PIPE_MTE3]),
      .head_ranges(ranges[PIPE_MTE3]), .free(unit_free[PIPE_MTE3]),
      .start(start[PIPE_MTE3]), .start_slot(start_slot[PIPE_MTE3]),
      .retire(retire[PIPE_MTE3]), .request(write_request),
      .request_address(write_address), .request_bytes(write_bytes),
      .request_beats(write_beats), .request_tag(write_tag), .done(write_done),
      .data_tag(0), .comes(1'b0), .comes_tag(0), .meet,
      .taken(v_used | load_served), .shut(v_full), .served(store_served),
      .waits(store_waits), .overflow(store_overflow), .ub_move(ub_store),
      .ub_view(ub_store_view),
      .ub_linear(ub_store_linear), .ub_row_bytes(ub_store_row),
      .ub_bytes(ub_store_bytes), .ub_pad(no_pad));

  // V.
  logic v_read, v_write;
  logic [23:0] v_address[2];
  logic [255:0] v_block[2];
  logic [23:0] v_to;
  logic [31:0] v_mask;
  logic [255:0] v_data;
  vector_unit v (
      .clk, .rst, .key, .head(head[PIPE_V]), .head_ranges(ranges[PIPE_V]),
      .free(unit_free[PIPE_V]), .start(start[PIPE_V]),
      .start_slot(start_slot[PIPE_V]), .retire(retire[PIPE_V]),
      .conflict(bank_conflict), .used(v_used), .used_written(v_written),
      .used_full(v_full), .ub_read(v_read), .ub_address(v_address),
      .ub_block(v_block), .ub_write(v_write), .ub_to(v_to), .ub_mask(v_mask),
      .ub_data(v_data));

  unified_buffer ub (
      .clk, .s_write(window_write), .s_address(window_address),
      .s_bytes(window_bytes), .s_data(window_data), .s_value(window_value),
      .load(ub_load), .load_view(ub_load_view), .load_linear(ub_load_linear),
      .load_row_bytes(ub_load_row), .load_bytes(ub_load_bytes),
      .load_pad(ub_load_pad), .load_data(read_data), .store(ub_store),
      .store_view(ub_store_view), .store_linear(ub_store_linear),
      .store_row_bytes(ub_store_row), .store_bytes(ub_store_bytes),
      .store_data(write_data), .v_read, .v_address, .v_block, .v_write, .v_to,
      .v_mask, .v_data);

  always_ff @(posedge clk) begin
    if (rst) fault <= FAULT_NONE;
    else if (fault == FAULT_NONE) begin
      if (set_twice || merged[NUM_PIPES-1:1] != 0) fault <= FAULT_FLAG_SET;
      else if (bad_id[NUM_PIPES-1:1] != 0) fault <= FAULT_FLAG_ID;
      else if (load_overflow || store_overflow) fault <= FAULT_ROOM;
      else fault <= s_fault;
    end
  end
endmodule
