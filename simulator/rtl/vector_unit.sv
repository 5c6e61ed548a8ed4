// SPDX-License-Identifier: Apache-2.0
//
// V: vadd, vmul, vmax, vcast and vsum.l on binary16 and binary32, beat by beat
// (rules 14, 17 and 30 to 33).
//
//   cycle of a beat   its reads are served, bank by bank; once all are, the
//                     blocks go to the lanes
//   the next          lanes compute; the result enters the ring of writes
//   + write delay     the result reaches UB
//
// A beat covers `rate` elements of one row; here never more than one block of
// an operand. The reads that rule 30 charges to a beat are those of block
// number (beat) of each operand, whichever elements the beat covers.
module vector_unit
  import kiln_rtl_pkg::*;
#(
    parameter int SLOTS = 2
) (
    input logic clk,
    input logic rst,
    input logic [15:0] key[KEYS],

    // The pipe.
    input  command_t head,
    output ranges_t head_ranges,
    output logic free,
    input  logic start,
    input  logic [1:0] start_slot,
    output logic [SLOTS-1:0] retire,
    output logic conflict,            // a beat waits for a bank

    // Rule 37: banks used in this cycle, groups that are written and that
    // serve no more reads.
    output banks_t used,
    output groups_t used_written,
    output groups_t used_full,

    // UB.
    output logic ub_read,
    output logic [23:0] ub_address[2],
    input  logic [255:0] ub_block[2],
    output logic ub_write,
    output logic [23:0] ub_to,
    output logic [31:0] ub_mask,
    output logic [255:0] ub_data
);
  typedef enum logic [2:0] {OP_ADD, OP_MUL, OP_MAX, OP_CAST, OP_SUM} op_e;

  // What the beats of a command need to know.
  typedef struct packed {
    op_e op;
    logic half, to_half;      // the elements are binary16: sources, result
    logic [2:0] rounding;
    view_t dst, a, b;
    logic two;                // there is a second source
    logic read_a, read_b;     // sources that cost accesses
    logic [15:0] rows, cols, beats, rate;
    logic [15:0] a_blocks, dst_blocks;  // of a row, for rule 30
    logic [15:0] latency;
    logic [31:0] extra;       // cycles behind the last beat
    logic [1:0] slot;
  } job_t;

  // Decoding of the head.
  job_t begun;
  view_t dst, a, b;
  assign dst = view_t'(head.rs1);
  assign a = view_t'(head.rs2);
  assign b = view_t'(head.rs3);
  logic two_sources, same_source;
  logic [15:0] a_epb, dst_epb, row_cycles, cols;
  assign two_sources = head.f2 == 0;
  assign cols = a.count;
  assign a_epb = begun.half ? 16'd16 : 16'd8;
  assign dst_epb = begun.to_half ? 16'd16 : 16'd8;
  always_comb begin
    begun = '0;
    begun.dst = dst;
    begun.a = a;
    begun.b = b;
    begun.two = two_sources;
    begun.half = head.f3 == 5;
    begun.to_half = begun.half;
    begun.rows = dst.count;
    begun.cols = cols;
    begun.slot = start_slot;
    row_cycles = 0;
    begun.op = head.sub == 0 ? OP_ADD : head.sub == 2 ? OP_MUL : OP_MAX;
    begun.rate = begun.half ? key[K_ARITHMETIC_16] : key[K_ARITHMETIC_32];
    begun.latency = key[K_ARITHMETIC_LATENCY];
    row_cycles = key[K_ARITHMETIC_ROW];
    if (head.f2 == 2) begin
      begun.op = OP_CAST;
      begun.to_half = head.rs3[2:0] == 5;
      begun.rounding = head.rs3[6:4];
      begun.rate = begun.half && begun.to_half ? key[K_CAST_16] :
                                                 key[K_CAST_32];
      begun.latency = key[K_CAST_LATENCY];
      row_cycles = key[K_CAST_ROW];
    end else if (head.f2 == 3) begin
      begun.op = OP_SUM;
      begun.rate = key[K_REDUCE_LANE_32];
      begun.latency = key[K_REDUCE_LANE_LATENCY];
      row_cycles = key[K_REDUCE_LANE_ROW];
    end
    begun.beats = (cols + begun.rate - 1) / begun.rate;
    begun.extra = cols == 0 ? 0 : 32'(begun.rows) * 32'(row_cycles);
  end

  // Rule 30: which operands cost accesses, and how many blocks a row has.
  logic [15:0] a_blocks, dst_blocks;
  assign a_blocks = (cols + a_epb - 1) / a_epb;
  assign dst_blocks =
      begun.op == OP_SUM ? 16'd1 : (cols + dst_epb - 1) / dst_epb;
  assign same_source = a.addr == b.addr && a.row_stride == b.row_stride &&
      (a.blk_stride == b.blk_stride || a_blocks <= 1);
  job_t job, now_, state_job;
  always_comb begin
    job = begun;
    job.a_blocks = a_blocks;
    job.dst_blocks = dst_blocks;
    job.read_a = a_blocks <= 1 || a.blk_stride != 0;
    job.read_b = two_sources && !same_source &&
        (a_blocks <= 1 || b.blk_stride != 0);
  end

  // Rule 11.
  logic [39:0] source_bytes, dst_bytes, a_end, b_end, rows40;
  logic nothing;
  assign nothing = dst.count == 0 || cols == 0;
  assign rows40 = 40'(dst.count);
  assign source_bytes = 40'(cols) * (begun.half ? 2 : 4);
  assign dst_bytes = begun.op == OP_SUM ? (begun.to_half ? 40'd2 : 40'd4) :
      40'(cols) * (begun.to_half ? 2 : 4);
  assign a_end = view_end(a, rows40, source_bytes);
  assign b_end = view_end(b, rows40, source_bytes);
  always_comb begin
    head_ranges = '0;
    if (!nothing) begin
      head_ranges.reads = 1;
      head_ranges.read_lo = 40'(a.addr);
      head_ranges.read_hi = a_end;
      if (two_sources) begin
        if (b.addr < a.addr) head_ranges.read_lo = 40'(b.addr);
        if (b_end > a_end) head_ranges.read_hi = b_end;
      end
      head_ranges.writes = 1;
      head_ranges.write_lo = 40'(dst.addr);
      head_ranges.write_hi = view_end(dst, rows40, dst_bytes);
    end
  end

  // Progress. A command of no elements is one beat without accesses.
  typedef enum logic [1:0] {IDLE, BEATS, EXTRA} phase_e;
  phase_e phase;
  logic [15:0] row, beat;
  logic [31:0] extra_left;
  logic served_a, served_b;  // in an earlier cycle of the beat
  logic in_beats;
  logic [15:0] row_now, beat_now;
  assign now_ = start ? job : state_job;
  assign in_beats = start || phase == BEATS;
  assign row_now = start ? 16'd0 : row;
  assign beat_now = start ? 16'd0 : beat;
  assign free = phase == IDLE;

  function automatic logic [23:0] block_of(input view_t w,
                                           input logic [15:0] r,
                                           input logic [15:0] k);
    return w.addr + 24'(32 * (32'(r) * 32'(w.row_stride) +
                              32'(k) * 32'(w.blk_stride)));
  endfunction
  // Rules 30 and 31: the accesses of the beat.
  logic [23:0] place_a, place_b, place_dst;
  logic want_a, want_b, want_dst, done_a, done_b, serve_a, serve_b;
  assign place_a = block_of(now_.a, row_now, beat_now);
  assign place_b = block_of(now_.b, row_now, beat_now);
  assign place_dst = block_of(now_.dst, row_now, beat_now);
  assign want_a = in_beats && now_.read_a && beat_now < now_.a_blocks &&
      now_.rows != 0;
  assign want_b = in_beats && now_.read_b && beat_now < now_.a_blocks &&
      now_.rows != 0;
  assign want_dst =
      in_beats && beat_now < now_.dst_blocks && now_.rows != 0 &&
      now_.cols != 0;
  assign done_a = !want_a || (!start && served_a);
  assign done_b = !want_b || (!start && served_b);

  // Writes on their way to banks: of the current command only. Entry i is of
  // the cycle that comes in i cycles; one per cycle, since one block is
  // written per beat.
  // `all_writes` has those of commands before it as well.
  banks_t writes[WRITE_DELAY], all_writes[WRITE_DELAY];
  banks_t writing;
  assign writing = start ? '0 : writes[0];

  logic a_free, b_free, a_taken;
  assign a_free = (writing & bank_of(place_a)) == 0;
  assign serve_a = !done_a && a_free;
  assign a_taken = serve_a && group_of(place_a) == group_of(place_b);
  assign b_free = (writing & bank_of(place_b)) == 0 &&
      !(a_taken && (bank_of(place_a) == bank_of(place_b) ||
                    key[K_UB_READS] < 2));
  assign serve_b = !done_b && b_free;

  groups_t read_a_group, read_b_group;
  always_comb begin
    read_a_group = serve_a ? group_of(place_a) : '0;
    read_b_group = serve_b ? group_of(place_b) : '0;
    used = all_writes[0];
    if (serve_a) used = used | bank_of(place_a);
    if (serve_b) used = used | bank_of(place_b);
    used_written = 0;
    for (int i = 0; i < UB_BANKS; i++)
      used_written = used_written | all_writes[0][i*UB_GROUPS+:UB_GROUPS];
    used_full = key[K_UB_READS] < 2 ? read_a_group | read_b_group :
        key[K_UB_READS] == 2 ? read_a_group & read_b_group : '0;
  end

  logic beat_over, last_beat;
  assign beat_over =
      in_beats && (done_a || serve_a) && (done_b || serve_b);
  assign last_beat = (beat_now + 16'd1 >= now_.beats &&
                      row_now + 16'd1 >= now_.rows) ||
      now_.rows == 0 || now_.beats == 0;
  assign conflict = in_beats && !beat_over;

  // The blocks that hold the beat's elements.
  logic [31:0] first;  // element
  assign first = 32'(beat_now) * 32'(now_.rate);
  assign ub_read = beat_over && now_.rows != 0 && now_.cols != 0;
  assign ub_address[0] =
      block_of(now_.a, row_now, 16'(first / (now_.half ? 16 : 8)));
  assign ub_address[1] =
      block_of(now_.b, row_now, 16'(first / (now_.half ? 16 : 8)));

  // Lanes: one cycle later.
  logic lanes_go, lanes_first, lanes_last;
  job_t lanes_job;
  logic [23:0] lanes_to;
  logic [31:0] lanes_element;
  logic [15:0] lanes_count;  // elements of the beat
  logic [255:0] result;
  logic [31:0] result_mask;
  logic result_go;
  vector_lanes lanes (
      .clk, .go(lanes_go), .op(3'(lanes_job.op)), .half(lanes_job.half),
      .to_half(lanes_job.to_half), .rounding(lanes_job.rounding),
      .element(lanes_element), .count(lanes_count), .first(lanes_first),
      .last(lanes_last), .to(lanes_to[4:0]), .a(ub_block[0]), .b(ub_block[1]),
      .result, .mask(result_mask), .result_go);

  // Results on their way to UB.
  logic ring_valid[WRITE_DELAY];
  logic [23:0] ring_to[WRITE_DELAY];
  logic [31:0] ring_mask[WRITE_DELAY];
  logic [255:0] ring_data[WRITE_DELAY];
  logic [5:0] slot;
  assign ub_write = ring_valid[slot];
  assign ub_to = ring_to[slot];
  assign ub_mask = ring_mask[slot];
  assign ub_data = ring_data[slot];

  // Retirement.
  logic [15:0] timer[SLOTS];
  logic [SLOTS-1:0] running;
  always_comb
    for (int i = 0; i < SLOTS; i++) retire[i] = running[i] && timer[i] == 0;

  logic over;  // the last cycle of the occupancy
  assign over = (in_beats && beat_over && last_beat && now_.extra == 0) ||
      (phase == EXTRA && extra_left == 1);

  always_ff @(posedge clk) begin
    if (rst) begin
      phase <= IDLE;
      running <= 0;
      lanes_go <= 0;
    end else begin
      state_job <= now_;
      if (in_beats) begin
        phase <= BEATS;
        row <= row_now;
        beat <= beat_now;
        served_a <= (done_a || serve_a) && !beat_over;
        served_b <= (done_b || serve_b) && !beat_over;
        if (beat_over) begin
          beat <= beat_now + 1;
          if (beat_now + 16'd1 >= now_.beats) begin
            beat <= 0;
            row <= row_now + 1;
          end
          if (last_beat) begin
            phase <= now_.extra == 0 ? IDLE : EXTRA;
            extra_left <= now_.extra;
          end
        end
      end
      if (phase == EXTRA && !start) begin
        extra_left <= extra_left - 1;
        if (extra_left == 1) phase <= IDLE;
      end
      for (int i = 0; i < SLOTS; i++) begin
        if (running[i] && timer[i] != 0) timer[i] <= timer[i] - 1;
        if (retire[i]) running[i] <= 0;
        if (over && now_.slot == 2'(i)) begin
          running[i] <= 1;
          timer[i] <= now_.latency;
        end
      end
      lanes_go <= ub_read;
      lanes_job <= now_;
      lanes_element <= first;
      lanes_first <= beat_now == 0;
      lanes_last <= beat_now + 16'd1 >= now_.beats;
      lanes_count <= 32'(now_.cols) - first < 32'(now_.rate) ?
          16'(32'(now_.cols) - first) : now_.rate;
      lanes_to <= now_.op == OP_SUM ? block_of(now_.dst, row_now, 0) :
          block_of(now_.dst, row_now, 16'(first / (now_.to_half ? 16 : 8))) +
          24'((first % (now_.to_half ? 16 : 8)) * (now_.to_half ? 2 : 4));
    end
  end

  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk) begin
    for (int i = 0; i + 1 < WRITE_DELAY; i++) begin
      writes[i] = writes[i+1];
      all_writes[i] = all_writes[i+1];
    end
    writes[WRITE_DELAY-1] = '0;
    all_writes[WRITE_DELAY-1] = '0;
    if (start || rst) for (int i = 0; i < WRITE_DELAY; i++) writes[i] = '0;
    if (rst) for (int i = 0; i < WRITE_DELAY; i++) all_writes[i] = '0;
    if (beat_over && want_dst) begin
      writes[6'(key[K_UB_WRITE_DELAY])-6'd1] = bank_of(place_dst);
      all_writes[6'(key[K_UB_WRITE_DELAY])-6'd1] = bank_of(place_dst);
    end
  end

  // A result computed in the cycle after its beat is there `write delay`
  // cycles after the beat: write delay - 2 after it has been computed.
  logic [5:0] at;
  always_ff @(posedge clk) begin
    if (rst) begin
      slot <= 0;
      for (int i = 0; i < WRITE_DELAY; i++) ring_valid[i] = 0;
    end else begin
      slot <= slot + 1;
      ring_valid[slot] = 0;
      at = slot + 6'(key[K_UB_WRITE_DELAY]) - 6'd2;
      if (result_go) begin
        ring_valid[at] = 1;
        ring_to[at] = {lanes_written[23:5], 5'd0};
        ring_mask[at] = result_mask;
        ring_data[at] = result;
      end
    end
  end
  /* verilator lint_on BLKSEQ */
  logic [23:0] lanes_written;  // where the result in `result` belongs
  always_ff @(posedge clk) lanes_written <= lanes_to;
endmodule
