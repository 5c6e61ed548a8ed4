// SPDX-License-Identifier: Apache-2.0
//
// What all pipes have: the queue, the control words at its head, the commands
// in flight and the flags that wait for their retirement (rules 2 and 5 to 11
// of docs/microarchitecture.md). The pipe's unit does the rest: it says when
// it is free and which commands retire.
//
// A kset that has passed the head is kept with the youngest command in flight.
// When a command retires, its flags go to the next older one, or fire.
module pipe_front
  import kiln_rtl_pkg::*;
#(
    parameter int PIPE = 0,
    parameter int SLOTS = 2
) (
    input logic clk,
    input logic rst,
    input logic [15:0] queue_depth,
    input logic [15:0] window,         // commands in flight at most
    input logic [15:0] flag_cycles,
    input logic [15:0] config_cycles,

    // From S.
    input  logic push,
    input  command_t command,
    output logic room,
    output logic busy,                 // as of the end of the cycle before

    // Flags.
    input  logic [NUM_FLAGS-1:0] visible,
    output logic clear_fire,
    output int clear_flag,
    output logic [PIPE_FLAGS-1:0] fire,  // become visible later
    output logic set_twice,  // two sets of a flag wait for one retirement

    // The unit.
    output command_t head,
    input  ranges_t head_ranges,
    input  logic unit_free,            // no command in occupancy
    output logic start,                // head starts in this cycle
    output logic [1:0] start_slot,
    input  logic [SLOTS-1:0] retire,   // these retire in this cycle

    output logic configure,            // head is a kcfg and takes effect

    // Trace.
    output logic left,                 // head leaves the queue
    output logic [31:0] left_tag,
    output logic [31:0] slot_tag[SLOTS],
    output logic interlock,
    output logic bad_id
);
  command_t queue[MAX_QUEUE];
  logic [4:0] first, last;
  logic [15:0] count, hold;

  logic [SLOTS-1:0] valid;
  ranges_t ranges[SLOTS];
  logic [31:0] age[SLOTS];             // smaller: older
  logic [31:0] next_age;
  logic [PIPE_FLAGS-1:0] pending[SLOTS];

  assign room = count < queue_depth;   // rule 2: as of the cycle's begin
  assign busy = count != 0 || valid != 0;
  assign head = queue[first];
  assign left_tag = head.tag;

  // In flight in this cycle: what retires in it no longer is.
  logic [SLOTS-1:0] flying;
  assign flying = valid & ~retire;

  function automatic logic meet(input logic [39:0] lo, input logic [39:0] hi,
                                input logic [39:0] other_lo,
                                input logic [39:0] other_hi);
    return lo < other_hi && other_lo < hi;
  endfunction

  // Rules 10 and 11.
  logic [15:0] in_flight;
  logic interlocked;
  always_comb begin
    in_flight = 0;
    interlocked = 0;
    for (int i = 0; i < SLOTS; i++)
      if (flying[i]) begin
        in_flight = in_flight + 1;
        if (head_ranges.writes && ranges[i].writes &&
            meet(head_ranges.write_lo, head_ranges.write_hi,
                 ranges[i].write_lo, ranges[i].write_hi))
          interlocked = 1;
        if (head_ranges.writes && ranges[i].reads &&
            meet(head_ranges.write_lo, head_ranges.write_hi,
                 ranges[i].read_lo, ranges[i].read_hi))
          interlocked = 1;
        if (head_ranges.reads && ranges[i].writes &&
            meet(head_ranges.read_lo, head_ranges.read_hi,
                 ranges[i].write_lo, ranges[i].write_hi))
          interlocked = 1;
      end
  end

  // The head.
  logic at_head;
  assign at_head = !rst && count != 0 && hold == 0;
  assign bad_id = at_head && head.rs1 > 7 &&
      (head.kind == KIND_SET || head.kind == KIND_WAIT);
  assign clear_flag = flag_index(head.sub[2:0], 3'(PIPE), head.rs1[2:0]);
  assign clear_fire = at_head && head.kind == KIND_WAIT && !bad_id &&
      visible[clear_flag];
  assign configure = at_head && head.kind == KIND_CONFIG;
  assign start = at_head && head.kind == KIND_DATA && unit_free &&
      in_flight < window && !interlocked;
  assign interlock = at_head && head.kind == KIND_DATA && interlocked;
  logic set_now;
  assign set_now = at_head && head.kind == KIND_SET && !bad_id;
  assign left = clear_fire || configure || start || set_now;

  // A free slot for the command that starts.
  always_comb begin
    start_slot = 0;
    for (int i = SLOTS - 1; i >= 0; i--) if (!flying[i]) start_slot = 2'(i);
  end

  // Rule 7. youngest[i]: the youngest flying command older than slot i's;
  // youngest[SLOTS]: the youngest of all.
  logic [PIPE_FLAGS-1:0] set_bits;
  logic [PIPE_FLAGS-1:0] next_pending[SLOTS];
  always_comb begin
    set_bits = 0;
    set_twice = 0;
    if (set_now) set_bits[{head.f3, head.rs1[2:0]}] = 1;
    fire = 0;
    for (int i = 0; i < SLOTS; i++)
      next_pending[i] = flying[i] ? pending[i] : '0;
    for (int i = 0; i <= SLOTS; i++) begin
      logic [PIPE_FLAGS-1:0] moving;
      logic [31:0] bound, best;
      int target;
      moving = i == SLOTS ? set_bits : valid[i] && retire[i] ? pending[i] : '0;
      bound = i == SLOTS ? next_age : age[i];
      target = SLOTS;
      best = 0;
      for (int j = 0; j < SLOTS; j++)
        if (flying[j] && age[j] < bound && (target == SLOTS || age[j] > best))
        begin
          target = j;
          best = age[j];
        end
      if (target == SLOTS) begin
        if ((fire & moving) != 0) set_twice = 1;
        fire = fire | moving;
      end
      for (int j = 0; j < SLOTS; j++)
        if (target == j) begin
          if ((next_pending[j] & moving) != 0) set_twice = 1;
          next_pending[j] = next_pending[j] | moving;
        end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      first <= 0;
      last <= 0;
      count <= 0;
      hold <= 0;
      valid <= 0;
      next_age <= 1;
      for (int i = 0; i < SLOTS; i++) pending[i] <= 0;
    end else begin
      if (push) begin
        queue[last] <= command;
        last <= last + 1;
      end
      count <= count + 16'(push) - 16'(left);
      if (hold != 0) hold <= hold - 1;
      if (left) begin
        first <= first + 1;
        hold <= head.kind == KIND_DATA ? 16'd0 :
            (head.kind == KIND_CONFIG ? config_cycles : flag_cycles) - 16'd1;
      end
      valid <= flying;
      for (int i = 0; i < SLOTS; i++) pending[i] <= next_pending[i];
      if (start) begin
        for (int i = 0; i < SLOTS; i++)
          if (start_slot == 2'(i)) begin
            valid[i] <= 1;
            ranges[i] <= head_ranges;
            age[i] <= next_age;
            slot_tag[i] <= head.tag;
            pending[i] <= 0;
          end
        next_age <= next_age + 1;
      end
    end
  end
endmodule
