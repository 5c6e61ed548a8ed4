// SPDX-License-Identifier: Apache-2.0
//
// S, the control core (rules 1 to 4 of docs/microarchitecture.md): one
// instruction per cycle, in order, when its sources are ready; NPU commands go
// to the queues.
//
// A register has a counter of the cycles until its value may be used; `hold`
// counts the cycles until the next instruction may issue. Values are written
// when the instruction issues and held back by these counters.
module control_core
  import kiln_rtl_pkg::*;
(
    input logic clk,
    input logic rst,
    input logic [15:0] key[KEYS],
    input logic [63:0] now,

    // Loading of the program, while rst is up.
    input logic load,
    input logic load_data, // 0: instruction RAM
    input logic [31:0] load_index, // in words of 32 bits
    input logic [31:0] load_word,

    // Launch: values taken while rst is up.
    input logic [63:0] entry,
    input logic [63:0] argument,
    input logic [31:0] text_words,
    input logic [31:0] block_index,
    input logic [31:0] block_count,

    // To the pipes.
    input  logic [NUM_PIPES-1:0] room,
    output logic [NUM_PIPES-1:0] push,
    output command_t command,
    input  logic pipes_busy,  // as of the end of the cycle before

    // Flags.
    input  logic [NUM_FLAGS-1:0] visible,
    output logic set_fire,
    output int set_flag,
    output logic [15:0] set_delay,
    output logic clear_fire,
    output int clear_flag,
    input  logic flags_settled,

    // UB window.
    output logic window_write,
    output logic [23:0] window_address,
    output logic [3:0] window_bytes,
    output logic [63:0] window_data,
    input  logic [63:0] window_value, // 8 bytes from window_address on

    // Trace and end.
    output logic issued,         // an NPU instruction issues in this cycle
    output logic [31:0] issued_pc,
    output logic [31:0] issued_tag,
    output logic [63:0] issued_rs1,
    output logic queue_full,     // S waits for room in a queue
    output logic went_on,        // S goes on behind a kbar, or ends
    output logic ended,
    output fault_e fault
);
  logic [31:0] iram[IRAM_WORDS]  /* verilator public_flat_rd */;
  logic [7:0] ram[RAM_BYTES]  /* verilator public_flat_rd */;
  logic [63:0] x[32]  /* verilator public_flat_rd */;
  logic [15:0] unready[32];  // cycles until the value may be used

  logic [63:0] pc;
  logic [15:0] hold;
  logic [15:0] store_left;   // cycles until the last store to UB takes effect
  logic [15:0] idle_cycles;  // of all pipes, up to the cycle before
  logic waiting;             // behind a kbar or kend
  logic ending;              // it is a kend
  logic done;
  logic [31:0] tags;

  // Fetch and decode.
  logic [63:0] offset;
  logic fetch_ok;
  logic [31:0] word;
  logic [6:0] opcode;
  logic [2:0] f3;
  logic [1:0] f2;
  logic [4:0] rd, rs1, rs2, rs3;
  assign offset = pc - IRAM_BASE;
  assign fetch_ok = offset[1:0] == 0 && offset[63:2] < 62'(text_words);
  assign word = fetch_ok ? iram[offset[13:2]] : 32'd0;
  assign opcode = word[6:0];
  assign f3 = word[14:12];
  assign f2 = word[26:25];
  assign rd = word[11:7];
  assign rs1 = word[19:15];
  assign rs2 = word[24:20];
  assign rs3 = word[31:27];

  logic is_npu, is_branch, is_jal, is_jalr, is_load, is_store, is_csr, is_fence;
  logic is_auipc;
  assign is_npu = opcode == 7'h0b || opcode == 7'h2b || opcode == 7'h7b;
  assign is_branch = opcode == 7'h63;
  assign is_jal = opcode == 7'h6f;
  assign is_jalr = opcode == 7'h67 && f3 == 0;
  assign is_load = opcode == 7'h03 && f3 != 7;
  assign is_store = opcode == 7'h23 && f3 < 4;
  assign is_csr = opcode == 7'h73 && (f3 & 3) >= 2 && rs1 == 0;
  assign is_fence = opcode == 7'h0f && f3 <= 1;
  assign is_auipc = opcode == 7'h17;

  // Which sources the instruction has.
  logic uses_rs1, uses_rs2, sources_ready;
  assign uses_rs1 = is_npu || is_branch || is_jalr || is_load || is_store ||
      opcode == 7'h13 || opcode == 7'h1b || opcode == 7'h33 || opcode == 7'h3b;
  assign uses_rs2 =
      is_npu || is_branch || is_store || opcode == 7'h33 || opcode == 7'h3b;
  assign sources_ready = (!uses_rs1 || unready[rs1] == 0) &&
      (!uses_rs2 || unready[rs2] == 0) && (!is_npu || unready[rs3] == 0);

  logic [63:0] a, b, c;
  assign a = x[rs1];
  assign b = x[rs2];
  assign c = x[rs3];

  logic [63:0] alu_result;
  logic alu_legal, alu_mul, alu_div;
  control_alu alu (.word, .a, .b, .result(alu_result), .legal(alu_legal),
                   .is_mul(alu_mul), .is_div(alu_div));

  // Loads and stores: scalar RAM or UB window, naturally aligned.
  logic [63:0] address, ram_offset, ub_offset, load_value;
  logic [3:0] bytes;
  logic aligned, in_ram, in_ub;
  assign address = a + (is_store ? {{52{word[31]}}, word[31:25], word[11:7]} :
                                   {{52{word[31]}}, word[31:20]});
  assign bytes = 4'd1 << f3[1:0];
  assign aligned = (address[2:0] & 3'(bytes - 4'd1)) == 0;
  assign ram_offset = address - RAM_BASE;
  assign ub_offset = address - UB_BASE;
  assign in_ram = ram_offset < 64'(RAM_BYTES) && aligned;
  assign in_ub = ub_offset < 64'(UB_BYTES) && aligned;

  function automatic logic [63:0] extend(input logic [63:0] value,
                                         input logic [2:0] size);
    case (size)
      0: extend = {{56{value[7]}}, value[7:0]};
      1: extend = {{48{value[15]}}, value[15:0]};
      2: extend = {{32{value[31]}}, value[31:0]};
      4: extend = {56'd0, value[7:0]};
      5: extend = {48'd0, value[15:0]};
      6: extend = {32'd0, value[31:0]};
      default: extend = value;
    endcase
  endfunction

  logic [63:0] ram_value;
  always_comb begin
    ram_value = 0;
    if (is_load && in_ram)
      for (int i = 0; i < 8; i++)
        if (4'(i) < bytes) ram_value[8*i+:8] = ram[13'(ram_offset)+13'(i)];
  end
  assign load_value = extend(in_ram ? ram_value : window_value, f3);

  logic taken;
  always_comb begin
    case (f3)
      0: taken = a == b;
      1: taken = a != b;
      4: taken = $signed(a) < $signed(b);
      5: taken = $signed(a) >= $signed(b);
      6: taken = a < b;
      7: taken = a >= b;
      default: taken = 0;
    endcase
    taken = taken && is_branch;
  end

  logic [63:0] csr_value;
  logic csr_ok;
  always_comb begin
    csr_ok = 1;
    case (word[31:20])
      12'hcc0: csr_value = 64'(block_index);
      12'hcc1: csr_value = 64'(block_count);
      12'hcc2: csr_value = 0;
      12'hcc3: csr_value = now + 64'(key[K_CSR]) - 1;
      default: begin
        csr_value = 0;
        csr_ok = 0;
      end
    endcase
  end

  // NPU instructions.
  npu_decode_t npu;
  npu_decode decode (.word, .npu);
  logic own;  // S performs it
  assign own = is_npu && npu.legal && npu.pipe == 3'(PIPE_S);
  logic bad_id;
  assign bad_id = (npu.is_set || npu.is_wait) && a > 7;

  // Rule 4: cycles since the last pipe became idle, counting this one.
  logic [15:0] idle_now;
  assign idle_now = pipes_busy ? 16'd0 :
      idle_cycles == 16'hffff ? 16'hffff : idle_cycles + 16'd1;
  logic barrier_over;
  assign barrier_over =
      idle_now >= key[K_BARRIER] && (!ending || flags_settled);

  logic ready, npu_go, issue;
  assign ready = !rst && !done && fault == FAULT_NONE && hold == 0 &&
      (!waiting || (barrier_over && !ending)) && sources_ready;
  assign npu_go = !own ? room[npu.pipe] :
      npu.is_wait && !bad_id ?
      visible[flag_index(npu.source, 3'(PIPE_S), a[2:0])] : 1'b1;
  assign issue = ready && fetch_ok && (!is_npu || !npu.legal || npu_go);

  logic npu_issue;
  assign npu_issue = issue && is_npu && npu.legal;
  always_comb begin
    push = 0;
    if (npu_issue && !own) push[npu.pipe] = 1;
  end
  assign command = '{kind: npu.kind, op: opcode, f2: f2, sub: rd, f3: f3,
                     rs1: a, rs2: b, rs3: c, tag: tags};
  assign set_fire = npu_issue && own && npu.is_set && !bad_id;
  assign set_flag = flag_index(3'(PIPE_S), npu.destination, a[2:0]);
  assign set_delay = store_left + key[K_FLAG_VISIBLE];
  assign clear_fire = npu_issue && own && npu.is_wait && !bad_id;
  assign clear_flag = flag_index(npu.source, 3'(PIPE_S), a[2:0]);

  assign window_address = ub_offset[23:0];
  assign window_bytes = bytes;
  assign window_data = b;
  assign window_write = issue && is_store && !in_ram && in_ub;

  assign queue_full =
      ready && fetch_ok && is_npu && npu.legal && !own && !npu_go;
  assign issued = npu_issue;
  assign issued_pc = pc[31:0];
  assign issued_tag = tags;
  assign issued_rs1 = a;
  assign went_on = waiting && barrier_over && !done && fault == FAULT_NONE;
  assign ended = done;

  // What an issued instruction leaves behind.
  logic [63:0] value, next_pc;
  logic writes;
  logic [15:0] latency, next_issue;
  fault_e trouble;
  always_comb begin
    value = alu_result;
    writes = 0;
    latency = 1;
    next_issue = 1;
    next_pc = pc + 4;
    trouble = FAULT_NONE;
    if (alu_legal) begin
      writes = 1;
      if (alu_mul) latency = key[K_MUL];
      if (alu_div) begin
        latency = key[K_DIV];
        next_issue = key[K_DIV];
      end
    end else if (is_auipc) begin
      writes = 1;
      value = pc + {{32{word[31]}}, word[31:12], 12'd0};
    end else if (is_jal || is_jalr) begin
      writes = 1;
      value = pc + 4;
      next_issue = 1 + key[K_TAKEN];
      next_pc = is_jal ?
          pc + {{44{word[31]}}, word[19:12], word[20], word[30:21], 1'b0} :
          (a + {{52{word[31]}}, word[31:20]}) & ~64'd1;
    end else if (is_branch && f3 != 2 && f3 != 3) begin
      if (taken) begin
        next_issue = 1 + key[K_TAKEN];
        next_pc = pc +
            {{52{word[31]}}, word[7], word[30:25], word[11:8], 1'b0};
      end
    end else if (is_load) begin
      writes = 1;
      value = load_value;
      latency = key[K_LOAD_USE] + (in_ram ? key[K_SCALAR_RAM] :
                                            key[K_UB_WINDOW]);
      if (!in_ram && !in_ub) trouble = FAULT_ACCESS;
    end else if (is_store) begin
      if (!in_ram && !in_ub) trouble = FAULT_ACCESS;
    end else if (is_csr) begin
      writes = 1;
      value = csr_value;
      latency = key[K_CSR];
      next_issue = key[K_CSR];
      if (!csr_ok) trouble = FAULT_CSR;
    end else if (is_npu && npu.legal) begin
      if (npu.is_trap) trouble = FAULT_TRAP;
      if (own && bad_id) trouble = FAULT_FLAG_ID;
    end else if (!is_fence) begin
      trouble = FAULT_ILLEGAL;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      pc <= entry;
      hold <= 0;
      store_left <= 0;
      idle_cycles <= 16'hffff;
      waiting <= 0;
      ending <= 0;
      done <= 0;
      tags <= 0;
      fault <= FAULT_NONE;
      for (int i = 0; i < 32; i++) begin
        x[i] <= i == 10 ? argument : 0;
        unready[i] <= 0;
      end
    end else begin
      idle_cycles <= idle_now;
      if (hold != 0) hold <= hold - 1;
      if (store_left != 0) store_left <= store_left - 1;
      for (int i = 0; i < 32; i++)
        if (unready[i] != 0) unready[i] <= unready[i] - 1;
      if (went_on) begin
        waiting <= 0;
        done <= ending && visible == 0;
        if (ending && visible != 0) fault <= FAULT_RESIDUE;
      end
      if (ready && !fetch_ok) fault <= FAULT_FETCH;
      if (issue) begin
        fault <= trouble;
        if (trouble == FAULT_NONE) begin
          pc <= next_pc;
          hold <= next_issue - 1;
          if (writes && rd != 0) begin
            x[rd] <= value;
            unready[rd] <= latency - 1;
          end
          if (window_write) store_left <= key[K_UB_WINDOW] - 1;
        end
      end
      if (npu_issue) begin
        tags <= tags + 1;
        if (npu.is_barrier) begin
          waiting <= 1;
          ending <= npu.is_end;
        end
      end
    end
  end

  always_ff @(posedge clk) begin
    if (load && !load_data) iram[load_index[11:0]] <= load_word;
  end

  // The scalar RAM has one writer: the loader or a store.
  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk) begin
    if (load && load_data) begin
      for (int i = 0; i < 4; i++)
        ram[{load_index[10:0], 2'(i)}] = load_word[8*i+:8];
    end else if (issue && is_store && in_ram) begin
      for (int i = 0; i < 8; i++)
        if (4'(i) < bytes) ram[13'(ram_offset)+13'(i)] = b[8*i+:8];
    end
  end
  /* verilator lint_on BLKSEQ */
endmodule
