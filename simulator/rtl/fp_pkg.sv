// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic of V on IEEE binary32 and binary16: subnormals are kept, every
// NaN is the canonical one, one rounding.
//
// binary16 sums and products go through binary32: the 24 bits of its
// significand are at least 2 * 11 + 2, so rounding twice to nearest gives the
// bits of rounding once.
// Source: IEEE 754-2019, clauses 4.3, 6 and 9.6 (maximum).
package fp_pkg;

  parameter logic [31:0] NAN32 = 32'h7fc0_0000;
  parameter logic [15:0] NAN16 = 16'h7e00;
  parameter logic [2:0] RNE = 0, RTZ = 1, RDN = 2, RUP = 3, RMM = 4, RHU = 5;
  parameter logic [2:0] ROD = 6;

  // Whether a magnitude is rounded up; rest: above half (11), half (10),
  // below half (01), exact (00).
  function automatic logic round_up(input logic [2:0] mode, input logic sign,
                                    input logic odd, input logic [1:0] rest);
    /* verilator no_inline_task */
    case (mode)
      RNE: round_up = rest[1] && (rest[0] || odd);
      RTZ: round_up = 0;
      RDN: round_up = sign && rest != 0;
      RUP: round_up = !sign && rest != 0;
      RMM: round_up = rest[1];
      RHU: round_up = rest[1] && (rest[0] || !sign);
      default: round_up = rest != 0 && !odd;  // to odd
    endcase
  endfunction

  // mantissa * 2^(exponent - 149 - 26) to binary32, to nearest. The lowest bit
  // of the mantissa is sticky; 26 bits lie below those of a subnormal.
  function automatic logic [31:0] pack32(input logic sign,
                                         input logic signed [11:0] exponent,
                                         input logic [75:0] mantissa);
    /* verilator no_inline_task */
    logic [75:0] m;
    logic signed [11:0] e;
    logic [23:0] kept;
    logic [1:0] rest;
    logic [31:0] bits;
    m = mantissa;
    e = exponent;
    // The leading bit to place 49, as far as the exponent allows: then bits
    // 49 to 26 are the significand.
    while (m[75:50] != 0) begin
      m = {1'b0, m[75:2], m[1] | m[0]};
      e = e + 1;
    end
    while (!m[49] && m != 0 && e > 0) begin
      m = m << 1;
      e = e - 1;
    end
    while (e < 0) begin
      m = {1'b0, m[75:2], m[1] | m[0]};
      e = e + 1;
    end
    kept = m[49:26];
    rest = {m[25], m[24:0] != 0};
    // The hidden bit of a normal number adds one to the exponent field.
    bits = {9'(e), 23'd0} + {8'd0, kept} +
        32'(round_up(RNE, sign, kept[0], rest));
    if (mantissa == 0) pack32 = {sign, 31'd0};
    else if (e >= 254 || bits >= 32'h7f80_0000) pack32 = {sign, 8'hff, 23'd0};
    else pack32 = {sign, bits[30:0]};
  endfunction

  function automatic logic is_nan32(input logic [31:0] x);
    is_nan32 = x[30:0] > 31'h7f80_0000;
  endfunction
  function automatic logic is_inf32(input logic [31:0] x);
    is_inf32 = x[30:0] == 31'h7f80_0000;
  endfunction

  function automatic logic [31:0] add32(input logic [31:0] a,
                                        input logic [31:0] b);
    /* verilator no_inline_task */
    logic [31:0] upper, lower;
    logic [7:0] upper_exponent, lower_exponent, distance;
    logic [75:0] mb, ms, shifted;
    upper = a[30:0] >= b[30:0] ? a : b;
    lower = a[30:0] >= b[30:0] ? b : a;
    upper_exponent = upper[30:23] == 0 ? 8'd1 : upper[30:23];
    lower_exponent = lower[30:23] == 0 ? 8'd1 : lower[30:23];
    distance = upper_exponent - lower_exponent;
    mb = {26'd0, upper[30:23] != 0, upper[22:0], 26'd0};
    ms = {26'd0, lower[30:23] != 0, lower[22:0], 26'd0};
    // Two guard bits and a sticky one are enough; 26 keep it simple.
    shifted = distance > 60 ? 76'(ms != 0) : ms >> distance;
    if (distance <= 60 && (shifted << distance) != ms) shifted[0] = 1;
    if (is_nan32(a) || is_nan32(b)) add32 = NAN32;
    else if (is_inf32(a) && is_inf32(b) && a[31] != b[31]) add32 = NAN32;
    else if (is_inf32(a)) add32 = a;
    else if (is_inf32(b)) add32 = b;
    else if (a[31] == b[31])
      add32 = pack32(a[31], 12'(upper_exponent) - 1, mb + shifted);
    else if (mb == shifted) add32 = 32'd0;
    else add32 = pack32(upper[31], 12'(upper_exponent) - 1, mb - shifted);
  endfunction

  function automatic logic [31:0] mul32(input logic [31:0] a,
                                        input logic [31:0] b);
    /* verilator no_inline_task */
    logic sign;
    logic [7:0] ea, eb;
    logic [47:0] product;
    sign = a[31] ^ b[31];
    ea = a[30:23] == 0 ? 8'd1 : a[30:23];
    eb = b[30:23] == 0 ? 8'd1 : b[30:23];
    product = {24'd0, a[30:23] != 0, a[22:0]} *
        {24'd0, b[30:23] != 0, b[22:0]};
    // product * 2^(ea + eb - 300); pack32 takes 2^(exponent - 175).
    if (is_nan32(a) || is_nan32(b)) mul32 = NAN32;
    else if (is_inf32(a) || is_inf32(b))
      mul32 = a[30:0] == 0 || b[30:0] == 0 ? NAN32 : {sign, 8'hff, 23'd0};
    else
      mul32 = pack32(sign, 12'(ea) + 12'(eb) - 12'd125, {28'd0, product});
  endfunction

  // Maximum: NaN propagates, +0 is above -0.
  function automatic logic [31:0] max32(input logic [31:0] a,
                                        input logic [31:0] b);
    /* verilator no_inline_task */
    logic [31:0] ka, kb;
    ka = a[31] ? ~a : {1'b1, a[30:0]};
    kb = b[31] ? ~b : {1'b1, b[30:0]};
    if (is_nan32(a) || is_nan32(b)) max32 = NAN32;
    else max32 = ka >= kb ? a : b;
  endfunction

  function automatic logic [31:0] widen(input logic [15:0] h);
    /* verilator no_inline_task */
    logic [9:0] m;
    logic [7:0] e;
    m = h[9:0];
    e = 8'd113;
    while (!m[9] && m != 0) begin
      m = m << 1;
      e = e - 1;
    end
    if (h[14:10] == 5'h1f)
      widen = h[9:0] != 0 ? NAN32 : {h[15], 8'hff, 23'd0};
    else if (h[14:10] != 0)
      widen = {h[15], 8'(h[14:10]) + 8'd112, h[9:0], 13'd0};
    else if (h[9:0] == 0) widen = {h[15], 31'd0};
    else widen = {h[15], e - 8'd1, m[8:0], 14'd0};
  endfunction

  function automatic logic [15:0] narrow(input logic [31:0] x,
                                         input logic [2:0] mode);
    /* verilator no_inline_task */
    logic [54:0] m;  // 24 bits and 31 below
    logic [7:0] e;
    logic [10:0] kept;
    logic [1:0] rest;
    logic [15:0] bits;
    logic infinite;
    logic [5:0] shift;
    infinite = mode == RDN ? x[31] : mode == RUP ? !x[31] :
        mode == RTZ || mode == ROD ? 1'b0 : 1'b1;
    e = x[30:23] == 0 ? 8'd1 : x[30:23];
    m = {x[30:23] != 0, x[22:0], 31'd0};
    // Exponents below binary16's smallest, 113 here, make a subnormal.
    shift = e >= 113 ? 6'd0 : 8'd113 - e > 54 ? 6'd54 : 6'(8'd113 - e);
    if ((m >> shift << shift) != m) m = (m >> shift) | 55'd1;
    else m = m >> shift;
    kept = m[54:44];
    rest = {m[43], m[42:0] != 0};
    bits = (e >= 113 ? {6'(e - 8'd113), 10'd0} : 16'd0) + 16'(kept) +
        16'(round_up(mode, x[31], kept[0], rest));
    if (is_nan32(x)) narrow = NAN16;
    else if (is_inf32(x)) narrow = {x[31], 5'h1f, 10'd0};
    else if (x[30:0] == 0) narrow = {x[31], 15'd0};
    else if (e > 142 || bits >= 16'h7c00)
      narrow = infinite ? {x[31], 5'h1f, 10'd0} : {x[31], 15'h7bff};
    else narrow = {x[31], bits[14:0]};
  endfunction

endpackage
