// SPDX-License-Identifier: Apache-2.0
//
// The accesses of MTE2 or MTE3 that wait for banks of UB (rules 37 and 39): a
// queue per bank of a group. An access comes with its beat and can be served
// in that cycle; what is kept of it is the slot of its command.
//
// The room of a queue has no figure on the page: there is enough. Here it is
// MAX_WAITING, and `overflow` stops the core.
module bank_queues
  import kiln_rtl_pkg::*;
#(
    parameter int SLOTS = 2
) (
    input logic clk,
    input logic rst,

    // Accesses of the beat of this cycle, all of one command.
    input banks_t come,
    input logic [1:0] come_slot,

    // What pipes before this one leave it.
    input  banks_t taken,
    input  groups_t shut,
    output banks_t served,

    output logic [15:0] left[SLOTS],   // not served before this cycle
    output logic waits,                // some are not served in this cycle
    output logic overflow
);
  parameter int QUEUES = UB_BANKS * UB_GROUPS;
  logic [1:0] queue[QUEUES][MAX_WAITING];
  logic [WAITING_BITS-1:0] first[QUEUES], last[QUEUES];
  logic [WAITING_BITS:0] count[QUEUES];
  banks_t holds, full, open_to, wanted;

  always_comb
    for (int q = 0; q < QUEUES; q++) begin
      holds[q] = count[q] != 0;
      full[q] = count[q] == (WAITING_BITS + 1)'(MAX_WAITING);
    end

  // Of the banks of a group that could be served, the lowest.
  assign open_to = ~taken & ~{UB_BANKS{shut}};
  assign wanted = (holds | come) & open_to;
  always_comb begin
    groups_t done;
    served = 0;
    done = 0;
    for (int b = 0; b < UB_BANKS; b++) begin
      served[b*UB_GROUPS+:UB_GROUPS] = wanted[b*UB_GROUPS+:UB_GROUPS] & ~done;
      done = done | wanted[b*UB_GROUPS+:UB_GROUPS];
    end
  end
  assign waits = ((holds | come) & ~served) != 0 || (holds & come) != 0;
  assign overflow = (full & come & ~served) != 0;

  // The commands that the served ones belong to.
  logic [1:0] owner[QUEUES];
  logic [15:0] left_next[SLOTS];
  always_comb begin
    for (int q = 0; q < QUEUES; q++)
      owner[q] = holds[q] ? queue[q][first[q]] : come_slot;
    for (int i = 0; i < SLOTS; i++) begin
      left_next[i] = left[i];
      for (int q = 0; q < QUEUES; q++)
        left_next[i] = left_next[i] +
            16'(come[q] && come_slot == 2'(i)) -
            16'(served[q] && owner[q] == 2'(i));
    end
  end

  always_ff @(posedge clk) begin
    for (int i = 0; i < SLOTS; i++) left[i] <= rst ? 16'd0 : left_next[i];
    for (int q = 0; q < QUEUES; q++)
      if (rst) begin
        first[q] <= 0;
        last[q] <= 0;
        count[q] <= 0;
      end else begin
        if (come[q]) begin
          queue[q][last[q]] <= come_slot;
          last[q] <= last[q] + 1;
        end
        if (served[q]) first[q] <= first[q] + 1;
        count[q] <= count[q] + (WAITING_BITS + 1)'(come[q]) -
            (WAITING_BITS + 1)'(served[q]);
      end
  end
endmodule
