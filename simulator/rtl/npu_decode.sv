// SPDX-License-Identifier: Apache-2.0
//
// Which NPU instruction a word is, and for which pipe. Instructions this core
// does not have are not legal here: S traps on them.
module npu_decode
  import kiln_rtl_pkg::*;
(
    input  logic [31:0] word,
    output npu_decode_t npu
);
  logic [6:0] op;
  logic [2:0] f3;
  logic [1:0] f2;
  logic [4:0] sub, rs1, rs2, rs3;
  assign op = word[6:0];
  assign sub = word[11:7];
  assign f3 = word[14:12];
  assign rs1 = word[19:15];
  assign rs2 = word[24:20];
  assign f2 = word[26:25];
  assign rs3 = word[31:27];

  logic is_float, two_only;
  assign is_float = f3 == 5 || f3 == 7;  // f16, f32
  assign two_only = rs3 == 0;

  always_comb begin
    npu = '0;
    npu.kind = KIND_DATA;
    case (op)
      7'h0b: begin // control
        npu.legal = rs2 == 0 && rs3 == 0;
        case (f2)
          0: begin
            npu.kind = KIND_CONFIG;
            npu.pipe = sub[2:0];
            if (!(sub == 1 && f3 == 0 || sub == 2 && f3 <= 3 ||
                  sub == 4 && f3 <= 2))
              npu.legal = 0;
          end
          1, 2: begin
            npu.kind = f2 == 1 ? KIND_SET : KIND_WAIT;
            npu.is_set = f2 == 1;
            npu.is_wait = f2 == 2;
            npu.source = sub[2:0];
            npu.destination = f3;
            npu.pipe = f2 == 1 ? sub[2:0] : f3;
            if (sub > 6 || f3 > 6 || sub == {2'b0, f3}) npu.legal = 0;
          end
          default: begin
            npu.pipe = 3'(PIPE_S);
            npu.is_barrier = sub == 0 || sub == 1;
            npu.is_end = sub == 1;
            npu.is_trap = sub == 2;
            if (sub > 2 || f3 != 0 || (sub != 2 && rs1 != 0)) npu.legal = 0;
          end
        endcase
      end
      7'h2b: begin // GM to UB and back
        if (f2 == 0 && sub == 0 && f3 == 0) begin
          npu.legal = 1;
          npu.pipe = 3'(PIPE_MTE2);
        end else if (f2 == 0 && sub == 3) begin
          npu.legal = 1;
          npu.pipe = 3'(PIPE_MTE3);
        end
      end
      7'h7b: begin // vector
        npu.pipe = 3'(PIPE_V);
        case ({f2, sub})
          {2'd0, 5'd0}, {2'd0, 5'd2}, {2'd0, 5'd4}: // vadd, vmul, vmax
            npu.legal = is_float;
          {2'd2, 5'd3}: // vcast
            npu.legal = is_float;
          {2'd3, 5'd0}: // vsum.l
            npu.legal = is_float && two_only;
          default: npu.legal = 0;
        endcase
      end
      default: ;
    endcase
  end
endmodule
