// SPDX-License-Identifier: Apache-2.0
//
// The lanes of V: computes one beat and places the result in its block. A row
// sum keeps its 64 lanes from beat to beat and gives a result in the last one.
module vector_lanes (
    input logic clk,
    input logic go,
    input logic [2:0] op,          // add, mul, max, cast, sum
    input logic half, to_half,
    input logic [2:0] rounding,
    input logic [31:0] element,    // first element of the beat in its row
    input logic [15:0] count,      // elements of the beat
    input logic first, last,       // beat of the row
    input logic [4:0] to,          // byte in the block of the result
    input logic [255:0] a, b,
    output logic [255:0] result,
    output logic [31:0] mask,
    output logic result_go
);
  import fp_pkg::*;

  logic [31:0] sums[64];

  // Element i of the beat as binary32.
  function automatic logic [31:0] pick(input logic [255:0] block,
                                       input logic is_half,
                                       input logic [31:0] index);
    pick = is_half ? widen(block[16*index[3:0]+:16]) :
        block[32*index[2:0]+:32];
  endfunction

  /* verilator lint_off BLKSEQ */
  logic [31:0] x, y, z;
  logic [15:0] h;
  logic [5:0] lane;
  always_ff @(posedge clk) begin
    result_go <= 0;
    if (go) begin
      result = '0;
      mask = '0;
      if (op == 4 && first) for (int i = 0; i < 64; i++) sums[i] = 0;
      for (int i = 0; i < 16; i++)
        if (16'(i) < count) begin
          x = pick(a, half, element + 32'(i));
          y = pick(b, half, element + 32'(i));
          lane = 6'(element + 32'(i));
          case (op)
            0: z = add32(x, y);
            1: z = mul32(x, y);
            2: z = max32(x, y);
            3: z = is_nan32(x) ? NAN32 : x;
            default: begin
              z = 0;
              sums[lane] = add32(sums[lane], x);
            end
          endcase
          if (op != 4) begin
            if (to_half) begin
              h = narrow(z, op == 3 ? rounding : RNE);
              result[8*(to+5'(2*i))+:16] = h;
              mask[to+5'(2*i)+:2] = '1;
            end else begin
              result[8*(to+5'(4*i))+:32] = z;
              mask[to+5'(4*i)+:4] = '1;
            end
          end
        end
      if (op == 4 && last) begin
        for (int width = 32; width > 0; width = width / 2)
          for (int i = 0; i < 32; i++)
            if (i < width) sums[i] = add32(sums[i], sums[i+width]);
        if (to_half) begin
          result[8*to+:16] = narrow(sums[0], RNE);
          mask[to+:2] = '1;
        end else begin
          result[8*to+:32] = sums[0];
          mask[to+:4] = '1;
        end
      end
      result_go <= op != 4 || last;
    end
  end
  /* verilator lint_on BLKSEQ */
endmodule
