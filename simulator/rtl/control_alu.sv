// SPDX-License-Identifier: Apache-2.0
//
// What one RV64IM_Zba_Zbb instruction computes, without state: result of a
// register, immediate, multiply or divide instruction, and whether the word is
// one of those at all.
// Source: The RISC-V Instruction Set Manual, volume I; bit manipulation
// extension 1.0.0.
module control_alu (
    input  logic [31:0] word,
    input  logic [63:0] a,     // rs1
    input  logic [63:0] b,     // rs2
    output logic [63:0] result,
    output logic        legal,
    output logic        is_mul,
    output logic        is_div
);
  function automatic logic [63:0] sext32(input logic [31:0] x);
    return {{32{x[31]}}, x};
  endfunction

  function automatic logic [63:0] count_leading(input logic [63:0] x);
    logic [63:0] n;
    n = 64;
    for (int i = 0; i < 64; i++) if (x[i]) n = 64'(unsigned'(63 - i));
    return n;
  endfunction
  function automatic logic [63:0] count_trailing(input logic [63:0] x);
    logic [63:0] n;
    n = 64;
    for (int i = 63; i >= 0; i--) if (x[i]) n = 64'(i);
    return n;
  endfunction
  function automatic logic [63:0] count_ones(input logic [63:0] x);
    logic [63:0] n;
    n = 0;
    for (int i = 0; i < 64; i++) n = n + 64'(x[i]);
    return n;
  endfunction
  function automatic logic [63:0] combine_bytes(input logic [63:0] x);
    logic [63:0] y;
    for (int i = 0; i < 8; i++) y[8*i+:8] = {8{|x[8*i+:8]}};
    return y;
  endfunction
  function automatic logic [63:0] swap_bytes(input logic [63:0] x);
    logic [63:0] y;
    for (int i = 0; i < 8; i++) y[8*i+:8] = x[56-8*i+:8];
    return y;
  endfunction
  function automatic logic [63:0] rotate_right(input logic [63:0] x,
                                               input logic [5:0] n);
    logic [127:0] twice;
    twice = {x, x} >> n;
    return twice[63:0];
  endfunction
  function automatic logic [31:0] rotate_right_word(input logic [31:0] x,
                                                    input logic [4:0] n);
    logic [63:0] twice;
    twice = {x, x} >> n;
    return twice[31:0];
  endfunction

  // Division on magnitudes; the quotient by zero is all ones, the remainder
  // the dividend, and the most negative number by -1 wraps.
  function automatic logic [63:0] divide(input logic [63:0] x,
                                         input logic [63:0] y,
                                         input logic is_signed,
                                         input logic remainder);
    logic [63:0] mx, my, q, r;
    logic neg_x, neg_y;
    neg_x = is_signed && x[63];
    neg_y = is_signed && y[63];
    mx = neg_x ? -x : x;
    my = neg_y ? -y : y;
    if (y == 0) begin
      q = '1;
      r = x;
    end else begin
      q = mx / my;
      r = mx % my;
      if (neg_x != neg_y) q = -q;
      if (neg_x) r = -r;
    end
    return remainder ? r : q;
  endfunction

  logic [6:0] opcode, f7;
  logic [2:0] f3;
  logic [11:0] imm12;
  logic [63:0] imm;
  logic [127:0] product;
  logic [31:0] aw, bw;
  assign opcode = word[6:0];
  assign f3 = word[14:12];
  assign f7 = word[31:25];
  assign imm12 = word[31:20];
  assign imm = {{52{word[31]}}, word[31:20]};
  assign aw = a[31:0];
  assign bw = b[31:0];

  always_comb begin
    product = 0;
    if (opcode == 7'h33 && f7 == 7'h01 && !f3[2]) begin
      unique case (f3[1:0])
        2'd1: product = {{64{a[63]}}, a} * {{64{b[63]}}, b};
        2'd2: product = {{64{a[63]}}, a} * {64'd0, b};
        default: product = {64'd0, a} * {64'd0, b};
      endcase
    end
  end

  always_comb begin
    result = 0;
    legal = 1;
    is_mul = 0;
    is_div = 0;
    case (opcode)
      7'h37: result = sext32({word[31:12], 12'd0});
      7'h13: begin // immediate
        case (f3)
          0: result = a + imm;
          2: result = 64'($signed(a) < $signed(imm));
          3: result = 64'(a < imm);
          4: result = a ^ imm;
          6: result = a | imm;
          7: result = a & imm;
          1: begin
            case (imm12)
              12'h600: result = count_leading(a);
              12'h601: result = count_trailing(a);
              12'h602: result = count_ones(a);
              12'h604: result = {{56{a[7]}}, a[7:0]};
              12'h605: result = {{48{a[15]}}, a[15:0]};
              default:
              if (imm12[11:6] == 0) result = a << imm12[5:0];
              else legal = 0;
            endcase
          end
          default: begin
            case (imm12)
              12'h287: result = combine_bytes(a);
              12'h6b8: result = swap_bytes(a);
              default:
              case (imm12[11:6])
                6'h00: result = a >> imm12[5:0];
                6'h10: result = 64'($signed(a) >>> imm12[5:0]);
                6'h18: result = rotate_right(a, imm12[5:0]);
                default: legal = 0;
              endcase
            endcase
          end
        endcase
      end
      7'h1b: begin // immediate, 32 bits
        case (f3)
          0: result = sext32(aw + imm[31:0]);
          1: begin
            case (imm12)
              12'h600: result = count_leading({aw, 32'hffff_ffff});
              12'h601: result = count_trailing({32'd1, aw});
              12'h602: result = count_ones({32'd0, aw});
              default:
              if (imm12[11:6] == 6'h02) result = {32'd0, aw} << imm12[5:0];
              else if (f7 == 0) result = sext32(aw << imm12[4:0]);
              else legal = 0;
            endcase
          end
          5: begin
            case (f7)
              7'h00: result = sext32(aw >> imm12[4:0]);
              7'h20: result = sext32(32'($signed(aw) >>> imm12[4:0]));
              7'h30: result = sext32(rotate_right_word(aw, imm12[4:0]));
              default: legal = 0;
            endcase
          end
          default: legal = 0;
        endcase
      end
      7'h33: begin // registers
        case ({f7, f3})
          {7'h00, 3'd0}: result = a + b;
          {7'h20, 3'd0}: result = a - b;
          {7'h00, 3'd1}: result = a << b[5:0];
          {7'h00, 3'd2}: result = 64'($signed(a) < $signed(b));
          {7'h00, 3'd3}: result = 64'(a < b);
          {7'h00, 3'd4}: result = a ^ b;
          {7'h00, 3'd5}: result = a >> b[5:0];
          {7'h20, 3'd5}: result = 64'($signed(a) >>> b[5:0]);
          {7'h00, 3'd6}: result = a | b;
          {7'h00, 3'd7}: result = a & b;
          {7'h10, 3'd2}: result = (a << 1) + b;
          {7'h10, 3'd4}: result = (a << 2) + b;
          {7'h10, 3'd6}: result = (a << 3) + b;
          {7'h20, 3'd7}: result = a & ~b;
          {7'h20, 3'd6}: result = a | ~b;
          {7'h20, 3'd4}: result = ~(a ^ b);
          {7'h05, 3'd6}: result = $signed(a) > $signed(b) ? a : b;
          {7'h05, 3'd7}: result = a > b ? a : b;
          {7'h05, 3'd4}: result = $signed(a) < $signed(b) ? a : b;
          {7'h05, 3'd5}: result = a < b ? a : b;
          {7'h30, 3'd1}: result = rotate_right(a, -b[5:0]);
          {7'h30, 3'd5}: result = rotate_right(a, b[5:0]);
          {7'h01, 3'd0}: result = product[63:0];
          {7'h01, 3'd1}, {7'h01, 3'd2}, {7'h01, 3'd3}:
            result = product[127:64];
          {7'h01, 3'd4}: result = divide(a, b, 1, 0);
          {7'h01, 3'd5}: result = divide(a, b, 0, 0);
          {7'h01, 3'd6}: result = divide(a, b, 1, 1);
          {7'h01, 3'd7}: result = divide(a, b, 0, 1);
          default: legal = 0;
        endcase
        is_mul = f7 == 7'h01 && !f3[2];
        is_div = f7 == 7'h01 && f3[2];
      end
      7'h3b: begin // registers, 32 bits
        case ({f7, f3})
          {7'h00, 3'd0}: result = sext32(aw + bw);
          {7'h20, 3'd0}: result = sext32(aw - bw);
          {7'h00, 3'd1}: result = sext32(aw << b[4:0]);
          {7'h00, 3'd5}: result = sext32(aw >> b[4:0]);
          {7'h20, 3'd5}: result = sext32(32'($signed(aw) >>> b[4:0]));
          {7'h01, 3'd0}: result = sext32(aw * bw);
          {7'h01, 3'd4}:
            result = sext32(32'(divide(sext32(aw), sext32(bw), 1, 0)));
          {7'h01, 3'd5}:
            result = sext32(32'(divide({32'd0, aw}, {32'd0, bw}, 0, 0)));
          {7'h01, 3'd6}:
            result = sext32(32'(divide(sext32(aw), sext32(bw), 1, 1)));
          {7'h01, 3'd7}:
            result = sext32(32'(divide({32'd0, aw}, {32'd0, bw}, 0, 1)));
          {7'h04, 3'd0}: result = {32'd0, aw} + b;
          {7'h10, 3'd2}: result = ({32'd0, aw} << 1) + b;
          {7'h10, 3'd4}: result = ({32'd0, aw} << 2) + b;
          {7'h10, 3'd6}: result = ({32'd0, aw} << 3) + b;
          {7'h30, 3'd1}: result = sext32(rotate_right_word(aw, -b[4:0]));
          {7'h30, 3'd5}: result = sext32(rotate_right_word(aw, b[4:0]));
          {7'h04, 3'd4}: begin
            result = {48'd0, a[15:0]};
            legal = word[24:20] == 0;
          end
          default: legal = 0;
        endcase
        is_mul = f7 == 7'h01 && f3 == 0;
        is_div = f7 == 7'h01 && f3 != 0;
      end
      default: legal = 0;
    endcase
  end
endmodule
