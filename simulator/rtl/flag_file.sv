// SPDX-License-Identifier: Apache-2.0
//
// The flags: eight per (source, destination) pair of pipes, and those on their
// way. A flag set with delay d in cycle t is visible from cycle t + d on, the
// cycle itself included (rules 3, 7 and 8). Misuse: a flag appears that was set
// when the cycle began, cleared in it or not; or two sets of it have one cycle
// to appear in, which is noticed when the second one leaves.
module flag_file
  import kiln_rtl_pkg::*;
(
    input logic clk,
    input logic rst,
    input logic [15:0] visible_delay,

    input logic [PIPE_FLAGS-1:0] fire[NUM_PIPES],  // of the pipes; not of S
    input logic s_fire,
    input int s_flag,
    input logic [15:0] s_delay,
    input logic [NUM_PIPES-1:0] clear_fire,
    input int clear_flag[NUM_PIPES],

    output logic [NUM_FLAGS-1:0] visible,
    output logic [NUM_FLAGS-1:0] appear,  // become visible in this cycle
    output logic settled,                 // none is on its way any more
    output logic set_twice
);
  logic [NUM_FLAGS-1:0] set_flags;
  logic [NUM_FLAGS-1:0] coming[FLAG_DELAY];
  logic [5:0] slot;
  logic [15:0] last_coming;  // cycles until the last one appears

  assign appear = coming[slot];
  assign visible = set_flags | appear;
  logic merged;
  assign set_twice = merged || (set_flags & appear) != 0;
  assign settled = last_coming == 0;

  logic [NUM_FLAGS-1:0] fired, cleared, fired_s;
  logic any;
  always_comb begin
    fired = 0;
    for (int p = 0; p < NUM_PIPES; p++)
      fired[p*PIPE_FLAGS+:PIPE_FLAGS] = fire[p];
    any = fired != 0;
    fired_s = 0;
    if (s_fire) fired_s[s_flag] = 1;
    cleared = 0;
    for (int p = 0; p < NUM_PIPES; p++)
      if (clear_fire[p]) cleared[clear_flag[p]] = 1;
  end

  logic [15:0] left_now, left_pipes, left_s, longest;
  always_comb begin
    left_now = last_coming == 0 ? 16'd0 : last_coming - 16'd1;
    left_pipes = any ? visible_delay - 16'd1 : 16'd0;
    left_s = s_fire ? s_delay - 16'd1 : 16'd0;
    longest = left_pipes > left_now ? left_pipes : left_now;
    longest = left_s > longest ? left_s : longest;
  end

  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk) begin
    if (rst) begin
      set_flags <= 0;
      merged <= 0;
      slot <= 0;
      last_coming <= 0;
      for (int i = 0; i < FLAG_DELAY; i++) coming[i] = 0;
    end else begin
      set_flags <= visible & ~cleared;
      slot <= slot + 1;
      last_coming <= longest;
      merged <= (any && (coming[slot+visible_delay[5:0]] & fired) != 0) ||
          (s_fire && (coming[slot+s_delay[5:0]] & fired_s) != 0);
      coming[slot] = 0;
      if (any)
        coming[slot+visible_delay[5:0]] = coming[slot+visible_delay[5:0]] |
            fired;
      if (s_fire) coming[slot+s_delay[5:0]] = coming[slot+s_delay[5:0]] |
            fired_s;
    end
  end
  /* verilator lint_on BLKSEQ */
endmodule
