// SPDX-License-Identifier: Apache-2.0
//
// The unit of MTE2 (STORE = 0, ld.ub) and of MTE3 (STORE = 1, st.ub): cuts the
// rows of a command into bursts and hands them to the port (rules 18, 19, 21
// and 42).
//
// A burst is handed over in the cycle its request is up; the memory answers
// with the burst's tag in the cycle it is complete. The accesses of its beats
// to banks of UB wait in bank_queues (rules 37, 39); only retirement sees it.
module gm_unit
  import kiln_rtl_pkg::*;
#(
    parameter bit STORE = 0,
    parameter int SLOTS = 2
) (
    input logic clk,
    input logic rst,
    input logic [15:0] beat_bytes,
    input logic [15:0] burst_bytes,
    input logic [15:0] max_bursts,
    input logic [15:0] min_row_beats,
    input logic [31:0] pad,            // MTE2's configuration

    // The pipe.
    input  command_t head,
    output ranges_t head_ranges,
    output logic free,
    input  logic start,
    input  logic [1:0] start_slot,
    output logic [SLOTS-1:0] retire,

    // The port.
    output logic request,
    output logic [47:0] request_address,
    output logic [9:0] request_bytes,
    output logic [15:0] request_beats,
    output logic [3:0] request_tag,
    input  logic [MAX_BURSTS-1:0] done,
    input  logic [3:0] data_tag,       // of the load among `done`
    input  logic comes,                // a load's first beat is there, the
    input  logic [3:0] comes_tag,      // others follow one per cycle

    // The banks of UB, see bank_queues.
    input  logic meet,                 // rule 37 holds
    input  banks_t taken,
    input  groups_t shut,
    output banks_t served,
    output logic waits,
    output logic overflow,

    // UB: where the bytes of a burst are. For a load the burst that is done,
    // for a store the one handed over.
    output logic ub_move,
    output view_t ub_view,
    output logic [39:0] ub_linear,
    output logic [19:0] ub_row_bytes,
    output logic [9:0] ub_bytes,
    output logic [31:0] ub_pad
);
  // The command that hands over bursts.
  typedef struct packed {
    logic active;
    logic [1:0] slot;
    logic [47:0] run;          // address of the current run
    logic [39:0] stride, run_bytes;
    logic [15:0] runs;         // left, this one included
    logic [39:0] offset;       // in the run
    logic [39:0] sent_beats;   // of the run
    logic [39:0] linear;       // bytes of the command handed over
    view_t view;
    logic [19:0] row_bytes;
  } transfer_t;

  typedef struct packed {
    logic valid;
    logic [1:0] slot;
    logic [39:0] linear;
    logic [9:0] bytes;
  } burst_t;

  typedef struct packed {
    view_t view;
    logic [19:0] row_bytes;
    logic [31:0] pad;
  } command_shape_t;

  transfer_t state, begun, now_;
  burst_t bursts[MAX_BURSTS];
  command_shape_t shapes[SLOTS];
  logic [SLOTS-1:0] valid, all_sent;
  logic [31:0] age[SLOTS];
  logic [31:0] next_age;
  logic [15:0] open[SLOTS];
  logic [15:0] beats_left;     // of the port

  // Fields of the command at the head.
  view_t view;
  logic [47:0] gm;
  logic [19:0] row_bytes;
  logic [31:0] gm_stride;
  assign view = STORE ? view_t'(head.rs2) : view_t'(head.rs1);
  assign gm = STORE ? head.rs1[47:0] : head.rs2[47:0];
  assign row_bytes = head.rs3[19:0];
  assign gm_stride = head.rs3[63:32];
  logic empty;
  assign empty = view.count == 0 || row_bytes == 0;

  // Rule 11: a load writes whole blocks.
  always_comb begin
    head_ranges = '0;
    if (!empty) begin
      if (STORE) begin
        head_ranges.reads = 1;
        head_ranges.read_lo = 40'(view.addr);
        head_ranges.read_hi = view_end(view, 40'(view.count), 40'(row_bytes));
      end else begin
        head_ranges.writes = 1;
        head_ranges.write_lo = 40'(view.addr);
        head_ranges.write_hi = view_end(view, 40'(view.count),
                                        (40'(row_bytes) + 31) & ~40'd31);
      end
    end
  end

  // Rule 18: rows that touch are one run.
  logic joined;
  assign joined = 40'(gm_stride) == 40'(row_bytes);
  always_comb begin
    begun = '0;
    begun.active = !empty;
    begun.slot = start_slot;
    begun.run = gm;
    begun.stride = 40'(gm_stride);
    begun.run_bytes =
        joined ? 40'(row_bytes) * 40'(view.count) : 40'(row_bytes);
    begun.runs = joined ? 16'd1 : view.count;
    begun.view = view;
    begun.row_bytes = row_bytes;
  end
  assign now_ = start ? begun : state;

  // The next burst.
  logic [47:0] address;
  logic [39:0] until_cut, left, bytes, beats, run_beats, own, due;
  logic last_of_run;
  assign address = now_.run + 48'(now_.offset);
  assign until_cut = 40'(burst_bytes) - 40'(address % 48'(burst_bytes));
  assign left = now_.run_bytes - now_.offset;
  assign bytes = until_cut < left ? until_cut : left;
  assign last_of_run = bytes == left;
  assign run_beats = (now_.run_bytes + 40'(beat_bytes) - 1) / 40'(beat_bytes) +
      40'(now_.run % 48'(beat_bytes) != 0);
  always_comb begin
    own = (bytes + 40'(beat_bytes) - 1) / 40'(beat_bytes);
    due = run_beats > 40'(min_row_beats) ? run_beats : 40'(min_row_beats);
    due = due > now_.sent_beats ? due - now_.sent_beats : 40'd0;
    beats = last_of_run && due > own ? due : own;
  end

  // Rule 42.
  logic [15:0] outstanding;
  always_comb begin
    outstanding = 0;
    request_tag = 0;
    for (int i = MAX_BURSTS - 1; i >= 0; i--)
      if (bursts[i].valid && !done[i]) outstanding = outstanding + 1;
      else request_tag = 4'(i);
  end

  // The beats in UB: those of a load come off the link, those of a store with
  // the request and after it, one per cycle.
  burst_t fresh, at_hand, kept;
  logic beat;
  logic [15:0] beats_to_come, beat_n, beats_of_it;
  logic [39:0] beat_from;      // byte in the burst
  logic [39:0] beat_rest;      // bytes from the beat on
  logic begins;                // with `fresh`
  banks_t beat_use;
  logic [15:0] unserved[SLOTS];
  assign begins = STORE ? request : comes;
  assign fresh = !STORE ? bursts[comes_tag] :
      '{valid: 1'b1, slot: now_.slot, linear: now_.linear, bytes: bytes[9:0]};
  assign at_hand = begins ? fresh : kept;
  assign beat = begins || beats_to_come != 0;
  assign beats_of_it = (16'(fresh.bytes) + beat_bytes - 16'd1) / beat_bytes;
  assign beat_from = begins ? 40'd0 : 40'(beat_n) * 40'(beat_bytes);
  assign beat_rest = 40'(at_hand.bytes) - beat_from;
  command_shape_t beat_shape;
  always_comb begin
    beat_shape = '{view: now_.view, row_bytes: now_.row_bytes, pad: 0};
    if (!STORE || !request)
      for (int i = 0; i < SLOTS; i++)
        if (at_hand.slot == 2'(i)) beat_shape = shapes[i];
    beat_use = '0;
    if (beat && meet)
      beat_use = beat_banks(beat_shape.view, beat_shape.row_bytes,
                            at_hand.linear + beat_from,
                            beat_rest < 40'(beat_bytes) ? beat_rest[9:0] :
                                                          beat_bytes[9:0]);
  end
  bank_queues #(.SLOTS(SLOTS)) waiting (
      .clk, .rst, .come(beat_use), .come_slot(at_hand.slot), .taken, .shut,
      .served, .left(unserved), .waits, .overflow);

  assign free = !state.active && beats_left == 0;
  assign request = now_.active && beats_left == 0 && outstanding < max_bursts;
  assign request_address = address;
  assign request_bytes = bytes[9:0];
  assign request_beats = beats[15:0];

  // Rules 21 and 39. A store's transfer is complete `late` cycles after its
  // bursts: those behind its occupancy in which accesses are left.
  logic [15:0] open_now[SLOTS];
  logic [15:0] late[SLOTS], late_now[SLOTS];
  logic [SLOTS-1:0] transferred, complete;
  always_comb begin
    for (int i = 0; i < SLOTS; i++) begin
      open_now[i] = open[i];
      for (int j = 0; j < MAX_BURSTS; j++)
        if (bursts[j].valid && done[j] && bursts[j].slot == 2'(i))
          open_now[i] = open_now[i] - 1;
      transferred[i] = valid[i] && all_sent[i] && open_now[i] == 0;
      complete[i] = transferred[i] && unserved[i] == 0 && late[i] == 0;
      late_now[i] = late[i] + 16'(STORE && all_sent[i] && unserved[i] != 0 &&
                                  !(beats_left != 0 && state.slot == 2'(i)));
    end
    retire = complete;
    if (STORE)
      for (int i = 0; i < SLOTS; i++)
        for (int j = 0; j < SLOTS; j++)
          if (valid[j] && !complete[j] && age[j] < age[i]) retire[i] = 0;
  end

  // The bytes.
  burst_t arrived;
  assign arrived = bursts[data_tag];
  always_comb begin
    if (STORE) begin
      ub_move = request;
      ub_view = now_.view;
      ub_linear = now_.linear;
      ub_row_bytes = now_.row_bytes;
      ub_bytes = bytes[9:0];
      ub_pad = 0;
    end else begin
      ub_move = done[data_tag] && arrived.valid;
      ub_view = shapes[0].view;
      ub_row_bytes = shapes[0].row_bytes;
      ub_pad = shapes[0].pad;
      for (int i = 1; i < SLOTS; i++)
        if (arrived.slot == 2'(i)) begin
          ub_view = shapes[i].view;
          ub_row_bytes = shapes[i].row_bytes;
          ub_pad = shapes[i].pad;
        end
      ub_linear = arrived.linear;
      ub_bytes = arrived.bytes;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= '0;
      valid <= 0;
      all_sent <= 0;
      next_age <= 1;
      beats_left <= 0;
      for (int i = 0; i < MAX_BURSTS; i++) bursts[i] <= '0;
      beats_to_come <= 0;
    end else begin
      if (beats_left != 0) beats_left <= beats_left - 1;
      // Beats in UB.
      kept <= at_hand;
      beat_n <= begins ? 16'd1 : beat_n + 1;
      if (begins) beats_to_come <= beats_of_it - 1;
      else if (beats_to_come != 0) beats_to_come <= beats_to_come - 1;
      for (int i = 0; i < MAX_BURSTS; i++) if (done[i]) bursts[i].valid <= 0;
      state <= now_;
      for (int i = 0; i < SLOTS; i++) begin
        open[i] <= open_now[i];
        late[i] <= late_now[i] - 16'(transferred[i] && late_now[i] != 0);
        if (retire[i]) valid[i] <= 0;
        if (start && start_slot == 2'(i)) begin
          valid[i] <= 1;
          all_sent[i] <= empty;
          open[i] <= 0;
          late[i] <= 0;
          age[i] <= next_age;
          shapes[i] <= '{view: view, row_bytes: row_bytes, pad: pad};
        end
      end
      if (start) next_age <= next_age + 1;
      if (request) begin
        beats_left <= request_beats - 1;
        bursts[request_tag] <= '{valid: 1'b1, slot: now_.slot,
                                 linear: now_.linear, bytes: bytes[9:0]};
        for (int i = 0; i < SLOTS; i++)
          if (now_.slot == 2'(i)) begin
            open[i] <= (start ? 16'd0 : open_now[i]) + 1;
            if (last_of_run && now_.runs == 1) all_sent[i] <= 1;
          end
        state.linear <= now_.linear + bytes;
        state.offset <= now_.offset + bytes;
        state.sent_beats <= now_.sent_beats + beats;
        if (last_of_run) begin
          state.offset <= 0;
          state.sent_beats <= 0;
          state.run <= now_.run + 48'(now_.stride);
          state.runs <= now_.runs - 1;
          if (now_.runs == 1) state.active <= 0;
        end
      end
    end
  end
endmodule
