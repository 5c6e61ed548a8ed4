/* SPDX-License-Identifier: Apache-2.0
 *
 * An operator in plain C, through nothing but the table: y = 2 * x + 1. Proves
 * that no C++ type crosses the interface.
 */
#include "tik_dsl/api/builder_table.h"

enum { kTile = 512 };

static void declare(const KilnTikTable *t) {
  static const char *const kDims[] = {"N"};
  const int64_t size = 1300, edge = 1;
  t->declareOperator(t->self, "affine", "y = 2 * x + 1");
  t->declareTensor(t->self, 0, "x", KILN_TIK_F32, 0, 1, kDims, -4, 4);
  t->declareTensor(t->self, 1, "y", KILN_TIK_F32, 0, 1, kDims, 0, 0);
  t->declareShape(t->self, 0, 1, kDims, &size);
  t->declareShape(t->self, 1, 1, kDims, &edge);
  t->declareTolerance(t->self, KILN_TIK_F32, 1e-6, 1e-6, "two roundings");
}

static void build(const KilnTikTable *t) {
  const KilnTikLine line = {"c_operator.c", __LINE__, 1};
  const int64_t tile = kTile;
  const KilnTikMemory x = t->tensor(t->self, "x", &line);
  const KilnTikMemory y = t->tensor(t->self, "y", &line);
  const KilnTikValue one = t->constant(t->self, 1);
  const KilnTikValue four = t->constant(t->self, 4);
  const KilnTikValue n =
      t->constant(t->self, t->attribute(t->self, "N", &line));
  const KilnTikValue step = t->constant(t->self, kTile);
  const KilnTikValue i =
      t->beginRange(t->self, t->constant(t->self, 0), n, step, 2, &line);
  const KilnTikValue left = t->arith(t->self, KILN_TIK_SUB, n, i, &line);
  const KilnTikValue count = t->arith(t->self, KILN_TIK_MIN, step, left, &line);
  const KilnTikRows rows = {one,
                            t->arith(t->self, KILN_TIK_MUL, count, four, &line),
                            t->constant(t->self, 0)};
  const KilnTikPlace gm = {x, t->arith(t->self, KILN_TIK_MUL, i, four, &line)};
  const KilnTikPlace out = {y, gm.offset};
  const KilnTikMemory buffer =
      t->alloc(t->self, KILN_TIK_UB, KILN_TIK_F32, 1, &tile, 0, "tile", &line);
  const KilnTikView view = {{buffer, 0}, 0, 1};
  const KilnTikTile size = {one, count};
  t->load(t->self, &view, &gm, &rows, 0, &line);
  t->vscalar(t->self, KILN_TIK_VMULS, &view, &view,
             t->constant(t->self, 0x40000000), &size, &line);
  t->vscalar(t->self, KILN_TIK_VADDS, &view, &view,
             t->constant(t->self, 0x3f800000), &size, &line);
  t->store(t->self, &out, &view, &rows, &line);
  t->endRange(t->self, &line);
}

static void reference(const KilnTikTable *t) {
  KilnTikHostTensor x, y;
  int64_t i;
  t->hostTensor(t->self, "x", &x);
  t->hostTensor(t->self, "y", &y);
  for (i = 0; i < x.dims[0]; ++i) {
    y.data[i] = 2 * x.data[i] + 1;
  }
}

int32_t kilnTestCOperator(const KilnTikRequest *request) {
  switch (request->verb) {
  case KILN_TIK_DECLARE:
    declare(request->table);
    return KILN_TIK_DONE;
  case KILN_TIK_BUILD:
    build(request->table);
    return KILN_TIK_DONE;
  case KILN_TIK_REFERENCE:
    reference(request->table);
    return KILN_TIK_DONE;
  default:
    return KILN_TIK_UNKNOWN_VERB;
  }
}
