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
      RNE: return rest[1] && (rest[0] || odd);
      RTZ: return 0;
      RDN: return sign && rest != 0;
      RUP: return !sign && rest != 0;
      RMM: return rest[1];
      RHU: return rest[1] && (rest[0] || !sign);
      default: return rest != 0 && !odd;  // to odd
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
    if (mantissa == 0) return {sign, 31'd0};
    m = mantissa;
    e = exponent;
    // The leading bit to place 49, as far as the exponent allows: then bits
    // 49 to 26 are the significand.
    while (m[75:50] != 0) begin
      m = {1'b0, m[75:2], m[1] | m[0]};
      e = e + 1;
    end
    while (!m[49] && e > 0) begin
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
    if (e >= 254 || bits >= 32'h7f80_0000) return {sign, 8'hff, 23'd0};
    return {sign, bits[30:0]};
  endfunction

  function automatic logic is_nan32(input logic [31:0] x);
    return x[30:0] > 31'h7f80_0000;
  endfunction
  function automatic logic is_inf32(input logic [31:0] x);
    return x[30:0] == 31'h7f80_0000;
  endfunction

  function automatic logic [31:0] add32(input logic [31:0] a,
                                        input logic [31:0] b);
    /* verilator no_inline_task */
    logic [31:0] upper, lower;
    logic [7:0] upper_exponent, lower_exponent, distance;
    logic [75:0] mb, ms, shifted;
    if (is_nan32(a) || is_nan32(b)) return NAN32;
    if (is_inf32(a) || is_inf32(b)) begin
      if (is_inf32(a) && is_inf32(b) && a[31] != b[31]) return NAN32;
      return is_inf32(a) ? a : b;
    end
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
    if (a[31] == b[31])
      return pack32(a[31], 12'(upper_exponent) - 1, mb + shifted);
    if (mb == shifted) return 32'd0;
    return pack32(upper[31], 12'(upper_exponent) - 1, mb - shifted);
  endfunction

  function automatic logic [31:0] mul32(input logic [31:0] a,
                                        input logic [31:0] b);
    /* verilator no_inline_task */
    logic sign;
    logic [7:0] ea, eb;
    logic [47:0] product;
    sign = a[31] ^ b[31];
    if (is_nan32(a) || is_nan32(b)) return NAN32;
    if (is_inf32(a) || is_inf32(b)) begin
      if (a[30:0] == 0 || b[30:0] == 0) return NAN32;
      return {sign, 8'hff, 23'd0};
    end
    ea = a[30:23] == 0 ? 8'd1 : a[30:23];
    eb = b[30:23] == 0 ? 8'd1 : b[30:23];
    product = {24'd0, a[30:23] != 0, a[22:0]} *
        {24'd0, b[30:23] != 0, b[22:0]};
    // product * 2^(ea + eb - 300); pack32 takes 2^(exponent - 175).
    return pack32(sign, 12'(ea) + 12'(eb) - 12'd125, {28'd0, product});
  endfunction

  // Maximum: NaN propagates, +0 is above -0.
  function automatic logic [31:0] max32(input logic [31:0] a,
                                        input logic [31:0] b);
    /* verilator no_inline_task */
    logic [31:0] ka, kb;
    if (is_nan32(a) || is_nan32(b)) return NAN32;
    ka = a[31] ? ~a : {1'b1, a[30:0]};
    kb = b[31] ? ~b : {1'b1, b[30:0]};
    return ka >= kb ? a : b;
  endfunction

  function automatic logic [31:0] widen(input logic [15:0] h);
    /* verilator no_inline_task */
    logic [9:0] m;
    logic [7:0] e;
    if (h[14:10] == 5'h1f) return h[9:0] != 0 ? NAN32 : {h[15], 8'hff, 23'd0};
    if (h[14:10] != 0) return {h[15], 8'(h[14:10]) + 8'd112, h[9:0], 13'd0};
    if (h[9:0] == 0) return {h[15], 31'd0};
    m = h[9:0];
    e = 8'd113;
    while (!m[9]) begin
      m = m << 1;
      e = e - 1;
    end
    return {h[15], e - 8'd1, m[8:0], 14'd0};
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
    if (is_nan32(x)) return NAN16;
    if (is_inf32(x)) return {x[31], 5'h1f, 10'd0};
    if (x[30:0] == 0) return {x[31], 15'd0};
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
    if (e > 142) return infinite ? {x[31], 5'h1f, 10'd0} : {x[31], 15'h7bff};
    bits = (e >= 113 ? {6'(e - 8'd113), 10'd0} : 16'd0) + 16'(kept) +
        16'(round_up(mode, x[31], kept[0], rest));
    if (bits >= 16'h7c00)
      return infinite ? {x[31], 5'h1f, 10'd0} : {x[31], 15'h7bff};
    return {x[31], bits[14:0]};
  endfunction

endpackage
