// SPDX-License-Identifier: Apache-2.0
//
// UB: its bytes and the ports of S, MTE2, MTE3 and V. When an access may
// happen is the users' business: the banks of V are in vector_unit, where MTE2
// and MTE3 meet them in npu_core.
//
// MTE2 and MTE3 move a burst in one go: byte i of a burst that begins `linear`
// bytes into the rows of a command is byte (linear + i) % row_bytes of row
// (linear + i) / row_bytes.
module unified_buffer
  import kiln_rtl_pkg::*;
(
    input logic clk,

    // S: 8 bytes from an address on.
    input  logic s_write,
    input  logic [23:0] s_address,
    input  logic [3:0] s_bytes,
    input  logic [63:0] s_data,
    output logic [63:0] s_value,

    // MTE2: a burst into rows; the last block of a row is padded.
    input logic load,
    input view_t load_view,
    input logic [39:0] load_linear,
    input logic [19:0] load_row_bytes,
    input logic [9:0] load_bytes,
    input logic [31:0] load_pad,
    input logic [8*MAX_BURST-1:0] load_data,

    // MTE3: a burst from rows; store_data is there in the next cycle.
    input  logic store,
    input  view_t store_view,
    input  logic [39:0] store_linear,
    input  logic [19:0] store_row_bytes,
    input  logic [9:0] store_bytes,
    output logic [8*MAX_BURST-1:0] store_data,

    // V: two blocks in the next cycle, one block with a mask.
    input  logic v_read,
    input  logic [23:0] v_address[2],
    output logic [255:0] v_block[2],
    input  logic v_write,
    input  logic [23:0] v_to,
    input  logic [31:0] v_mask,
    input  logic [255:0] v_data
);
  logic [7:0] mem[UB_BYTES]  /* verilator public_flat_rd */;

  function automatic logic [14:0] place(input view_t view,
                                        input logic [39:0] row,
                                        input logic [39:0] byte_in_row);
    return 15'(40'(view.addr) + 32 * (row * 40'(view.row_stride) +
        (byte_in_row >> 5) * 40'(view.blk_stride)) + (byte_in_row & 31));
  endfunction

  always_comb begin
    for (int i = 0; i < 8; i++)
      s_value[8*i+:8] = mem[15'(s_address)+15'(i)];
  end

  /* verilator lint_off BLKSEQ */
  logic [39:0] row, at;
  always_ff @(posedge clk) begin
    if (s_write)
      for (int i = 0; i < 8; i++)
        if (4'(i) < s_bytes) mem[15'(s_address)+15'(i)] = s_data[8*i+:8];
    if (v_write)
      for (int i = 0; i < 32; i++)
        if (v_mask[i]) mem[15'(v_to)+15'(i)] = v_data[8*i+:8];
    if (load) begin
      row = load_linear / 40'(load_row_bytes);
      at = load_linear % 40'(load_row_bytes);
      for (int i = 0; i < MAX_BURST; i++)
        if (10'(i) < load_bytes) begin
          mem[place(load_view, row, at)] = load_data[8*i+:8];
          at = at + 1;
          if (at == 40'(load_row_bytes)) begin
            for (int j = 1; j < 32; j++)
              if (40'(j) >= (at & 31) && (at & 31) != 0)
                mem[place(load_view, row, (at & ~40'd31)+40'(j))] =
                    load_pad[8*(j&3)+:8];
            at = 0;
            row = row + 1;
          end
        end
    end
  end

  logic [39:0] from_row, from;
  always_ff @(posedge clk) begin
    if (store) begin
      from_row = store_linear / 40'(store_row_bytes);
      from = store_linear % 40'(store_row_bytes);
      for (int i = 0; i < MAX_BURST; i++)
        if (10'(i) < store_bytes) begin
          store_data[8*i+:8] <= mem[place(store_view, from_row, from)];
          from = from + 1;
          if (from == 40'(store_row_bytes)) begin
            from = 0;
            from_row = from_row + 1;
          end
        end
    end
  end

  always_ff @(posedge clk) begin
    if (v_read)
      for (int o = 0; o < 2; o++)
        for (int i = 0; i < 32; i++)
          v_block[o][8*i+:8] <= mem[15'(v_address[o])+15'(i)];
  end
  /* verilator lint_on BLKSEQ */
endmodule
