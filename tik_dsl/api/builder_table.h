/* SPDX-License-Identifier: Apache-2.0
 *
 * The C interface between an operator file and Kiln: one table of functions.
 *
 * Kiln fills a KilnTikTable and calls the one entry point of an operator,
 * kilnTikOperator, with a request that holds it. The operator answers by
 * calling functions of the table: to declare itself, to build its kernel for
 * one shape, or to compute its reference. No C++ type crosses; values and
 * memories are 32-bit handles of the builder, so any language with a C
 * interface can drive the same table. The C++ face is tik_dsl/api/tik.h.
 *
 * Versions: `size` is sizeof(KilnTikTable) of the one who filled it. Functions
 * are only ever appended, so an operator works with any table that is at least
 * as long as the one it was compiled against; the entry point checks that.
 *
 * Errors: a mistake of the author never crashes. The builder records a numbered
 * message at the given line and returns handle 0; calls on handle 0 do nothing.
 *
 * Units: offsets in bytes, strides of local memory in 32-byte blocks, counts
 * in elements where nothing else is said. Thread rule: one thread per request.
 */
#ifndef KILN_TIK_BUILDER_TABLE_H
#define KILN_TIK_BUILDER_TABLE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KILN_TIK_MAX_RANK 8

typedef uint32_t KilnTikValue;  /* run-time integer or condition; 0: none */
typedef uint32_t KilnTikMemory; /* tensor in GM or local buffer; 0: none */

/* The author's line. */
typedef struct KilnTikLine {
  const char *file;
  uint32_t line;
  uint32_t column;
} KilnTikLine;

/* Values are those of the instruction fields (isa/codec/machine_types.h). */
enum KilnTikType {
  KILN_TIK_I8,
  KILN_TIK_U8,
  KILN_TIK_I16,
  KILN_TIK_U16,
  KILN_TIK_I32,
  KILN_TIK_F16,
  KILN_TIK_BF16,
  KILN_TIK_F32
};
enum KilnTikSpace {
  KILN_TIK_GM,
  KILN_TIK_L1,
  KILN_TIK_L0A,
  KILN_TIK_L0B,
  KILN_TIK_L0C,
  KILN_TIK_UB,
  KILN_TIK_BT
};
enum KilnTikArith {
  KILN_TIK_ADD,
  KILN_TIK_SUB,
  KILN_TIK_MUL,
  KILN_TIK_DIV, /* toward zero */
  KILN_TIK_REM,
  KILN_TIK_MIN,
  KILN_TIK_MAX,
  KILN_TIK_CEIL_DIV, /* of values >= 0 */
  KILN_TIK_AND,      /* of conditions, as the next */
  KILN_TIK_OR
};
enum KilnTikCompare {
  KILN_TIK_EQ,
  KILN_TIK_NE,
  KILN_TIK_LT,
  KILN_TIK_LE,
  KILN_TIK_GT,
  KILN_TIK_GE
};
enum KilnTikBinary {
  KILN_TIK_VADD,
  KILN_TIK_VSUB,
  KILN_TIK_VMUL,
  KILN_TIK_VDIV,
  KILN_TIK_VMAX,
  KILN_TIK_VMIN,
  KILN_TIK_VMADD, /* dst = src0 * src1 + dst */
  KILN_TIK_VEXPD, /* dst = exp(src0 - src1) */
  KILN_TIK_VAND = 10,
  KILN_TIK_VOR,
  KILN_TIK_VXOR,
  KILN_TIK_VSHL,
  KILN_TIK_VSHR, /* signed types fill with their sign */
  KILN_TIK_VSHRU /* fills with 0 */
};
enum KilnTikScalarOp {
  KILN_TIK_VADDS,
  KILN_TIK_VMULS,
  KILN_TIK_VMAXS,
  KILN_TIK_VMINS,
  KILN_TIK_VMADDS = 6, /* dst = src * scalar + dst */
  KILN_TIK_VANDS = 10,
  KILN_TIK_VORS,
  KILN_TIK_VXORS,
  KILN_TIK_VSHLS,
  KILN_TIK_VSHRS,
  KILN_TIK_VSHRUS
};
enum KilnTikUnary {
  KILN_TIK_VMOV = 0,
  KILN_TIK_VEXP = 1,
  KILN_TIK_VREC = 2,
  KILN_TIK_VSQRT = 4,
  KILN_TIK_VTANH = 5,
  KILN_TIK_VNOT,
  KILN_TIK_VLN,
  KILN_TIK_VRSQRT,
  KILN_TIK_VERF,
  KILN_TIK_VSIN,
  KILN_TIK_VCOS
};
enum KilnTikReduce {
  KILN_TIK_SUM_ROW, /* along each row: one element per row */
  KILN_TIK_MAX_ROW,
  KILN_TIK_SUM_ROWS, /* over the rows: one row */
  KILN_TIK_MAX_ROWS,
  KILN_TIK_MIN_ROW = 7,
  KILN_TIK_ARGMAX_ROW, /* an i32 index, as the other ARG ones */
  KILN_TIK_ARGMIN_ROW,
  KILN_TIK_MIN_ROWS,
  KILN_TIK_ARGMAX_ROWS,
  KILN_TIK_ARGMIN_ROWS
};
/* The half of a pair of a sorted list. */
enum KilnTikPair { KILN_TIK_KEYS = 12, KILN_TIK_INDICES = 13 };
/* What a store does with what global memory holds. */
enum KilnTikStoreMode {
  KILN_TIK_STORE_ADD = 1,
  KILN_TIK_STORE_MAX,
  KILN_TIK_STORE_MIN
};
enum KilnTikActivation {
  KILN_TIK_NONE,
  KILN_TIK_RELU,
  KILN_TIK_LEAKY, /* values below 0 times the parameter */
  KILN_TIK_CLIP,  /* 0 to the parameter */
  KILN_TIK_PRELU  /* values below 0 times the slope of the column */
};

/* Pipes of a core, as flags name them; the values of isa::Pipe. */
enum KilnTikPipe {
  KILN_TIK_PIPE_S,
  KILN_TIK_PIPE_MTE2, /* loads from global memory */
  KILN_TIK_PIPE_MTE1, /* L1 to L0 */
  KILN_TIK_PIPE_M,    /* cube */
  KILN_TIK_PIPE_FIX,  /* out of L0C */
  KILN_TIK_PIPE_V,    /* vector unit */
  KILN_TIK_PIPE_MTE3  /* stores */
};

/* A dimension that the launch gives (declareDynamic). */
#define KILN_TIK_DYNAMIC (-1)

/* What a memory handle is. */
typedef struct KilnTikMemoryInfo {
  uint32_t type;
  uint32_t space;
  uint32_t rank;
  int64_t dims[KILN_TIK_MAX_RANK];
} KilnTikMemoryInfo;

/* A byte in a memory. */
typedef struct KilnTikPlace {
  KilnTikMemory memory;
  KilnTikValue offset; /* bytes; 0: the beginning */
} KilnTikPlace;

/* row_stride of a view whose pitch is not a whole number of blocks. */
#define KILN_TIK_ODD_PITCH INT64_MIN

/* Rows of a local memory: element (r, e) lies at offset + 32*(r*row_stride +
 * (e/epb)*block_stride) + size*(e%epb), epb elements per 32-byte block. */
typedef struct KilnTikView {
  KilnTikPlace place;
  int64_t row_stride;
  int64_t block_stride;
} KilnTikView;

typedef struct KilnTikTile {
  KilnTikValue rows;
  KilnTikValue cols; /* elements; bytes where the function says so */
} KilnTikTile;

/* Rows in global memory. */
typedef struct KilnTikRows {
  KilnTikValue rows;
  KilnTikValue row_bytes;
  KilnTikValue gm_stride; /* bytes from row to row */
} KilnTikRows;

/* Fractals of 512 bytes: (o, i) from source + 512*(o*outer_stride +
 * i*inner_stride). */
typedef struct KilnTikFractals {
  KilnTikValue outer, inner;
  int64_t outer_stride, inner_stride;
  uint32_t transpose;
} KilnTikFractals;

/* Patches of an image [c1][height][width][C0] in L1. */
typedef struct KilnTikIm2col {
  KilnTikValue m_start, m_count, k1_start, k1_count, height, pad_top;
  int64_t width, out_width, pad_left;
  int64_t kernel[2], stride[2], dilation[2];
  int64_t c1, c1_stride, c_valid_last, pad;
} KilnTikIm2col;

/* The same over several images: m = (n*out_height + oh)*out_width + ow, images
 * image_stride 32-byte blocks apart. c04: pixels hold four channels, a column
 * block the C0/4 neighbouring taps of a kernel row. */
typedef struct KilnTikIm2colBatch {
  KilnTikIm2col image;
  int64_t images, image_stride, out_height;
  uint32_t c04;
} KilnTikIm2colBatch;

typedef struct KilnTikMmad {
  KilnTikPlace acc, a, b, bias; /* bias.memory 0: none */
  KilnTikValue m, n, k;
  KilnTikValue accumulate; /* condition; 0: start from bias or zero */
} KilnTikMmad;

/* Element (m, n) goes to dst + (n/C0)*c1_stride + m*m_pitch + (n%C0)*size. */
typedef struct KilnTikFix {
  KilnTikPlace dst, src;
  KilnTikValue m, n, m1, c1_stride, m_pitch;
  uint32_t relu;
  uint32_t has_scale;
  float scale;
} KilnTikFix;

/* The same with a factor and a slope per column, from the bias table. */
typedef struct KilnTikFixColumns {
  KilnTikFix fix;              /* relu 0 */
  KilnTikPlace scales, slopes; /* memory 0: none */
  uint32_t activation;
  float parameter;
  int64_t zero_point; /* added after rounding to an 8-bit type */
} KilnTikFixColumns;

/* `count` consecutive elements in UB that indices choose from. */
typedef struct KilnTikLookup {
  KilnTikPlace place;
  KilnTikValue count;
} KilnTikLookup;

/* Rows of sorted lists of `pairs` pairs each. */
typedef struct KilnTikList {
  KilnTikView view;
  KilnTikValue pairs;
} KilnTikList;

/* One tensor of a reference computation, every type widened to double. */
typedef struct KilnTikHostTensor {
  double *data;
  uint32_t rank;
  int64_t dims[KILN_TIK_MAX_RANK];
} KilnTikHostTensor;

typedef struct KilnTikTable {
  uint32_t size;
  uint32_t version; /* 7 */
  void *self;       /* first argument of every function */

  /* -- declaration ------------------------------------------------------- */
  void (*declareOperator)(void *self, const char *name, const char *summary);
  /* `dims` are symbols ("M") or numbers ("16"). `type_symbol`: an attribute
   * that holds the type, or null for `type`. Test inputs lie in low..high. */
  void (*declareTensor)(void *self, uint32_t is_output, const char *name,
                        uint32_t type, const char *type_symbol, uint32_t rank,
                        const char *const *dims, double low, double high);
  /* A named build-time integer; the first legal value is the default. */
  void (*declareAttribute)(void *self, const char *name, uint32_t count,
                           const int64_t *legal);
  /* A shape to test: symbols and attributes by name. */
  void (*declareShape)(void *self, uint32_t is_edge, uint32_t count,
                       const char *const *names, const int64_t *values);
  /* got passes if |got - want| <= absolute + relative*|want|; outputs of
   * `type`; `source` says where the figures come from. */
  void (*declareTolerance)(void *self, uint32_t type, double relative,
                           double absolute, const char *source);
  /* Useful multiply-accumulates: the product of these symbols and numbers. */
  void (*declareMacs)(void *self, uint32_t count, const char *const *names);

  /* -- reference ----------------------------------------------------------*/
  void (*hostTensor)(void *self, const char *name, KilnTikHostTensor *out);

  /* -- the kernel's surroundings ------------------------------------------*/
  KilnTikMemory (*tensor)(void *self, const char *name,
                          const KilnTikLine *line);
  int64_t (*attribute)(void *self, const char *name, const KilnTikLine *line);
  uint32_t (*cores)(void *self);
  void (*describe)(void *self, KilnTikMemory memory, KilnTikMemoryInfo *out);
  /* Reports a mistake the front end found itself. */
  void (*mistake)(void *self, uint32_t number, const char *text,
                  const KilnTikLine *line);

  /* -- buffers; depth 0: that of the enclosing loop ------------------------*/
  KilnTikMemory (*alloc)(void *self, uint32_t space, uint32_t type,
                         uint32_t rank, const int64_t *dims, uint32_t depth,
                         const char *name, const KilnTikLine *line);

  /* -- run-time integers and conditions -----------------------------------*/
  KilnTikValue (*constant)(void *self, int64_t value);
  KilnTikValue (*arith)(void *self, uint32_t op, KilnTikValue a, KilnTikValue b,
                        const KilnTikLine *line);
  KilnTikValue (*compare)(void *self, uint32_t op, KilnTikValue a,
                          KilnTikValue b, const KilnTikLine *line);
  KilnTikValue (*logicalNot)(void *self, KilnTikValue a,
                             const KilnTikLine *line);
  KilnTikValue (*select)(void *self, KilnTikValue condition, KilnTikValue a,
                         KilnTikValue b, const KilnTikLine *line);
  /* The author knows that value is a multiple of n. */
  KilnTikValue (*assumeMultiple)(void *self, KilnTikValue value, int64_t n,
                                 const KilnTikLine *line);

  /* -- control flow: every begin has its end ------------------------------*/
  KilnTikValue (*beginBlocks)(void *self, int64_t count,
                              const KilnTikLine *line);
  void (*endBlocks)(void *self, const KilnTikLine *line);
  KilnTikValue (*beginRange)(void *self, KilnTikValue from, KilnTikValue to,
                             KilnTikValue step, uint32_t depth,
                             const KilnTikLine *line);
  void (*endRange)(void *self, const KilnTikLine *line);
  void (*beginWhen)(void *self, KilnTikValue condition,
                    const KilnTikLine *line);
  void (*beginOtherwise)(void *self, const KilnTikLine *line);
  void (*endWhen)(void *self, const KilnTikLine *line);

  /* -- movement -----------------------------------------------------------*/
  void (*load)(void *self, const KilnTikView *dst, const KilnTikPlace *src,
               const KilnTikRows *rows, uint32_t pad, const KilnTikLine *line);
  /* col_stride: 32-byte blocks from column block to column block. */
  void (*loadNz)(void *self, const KilnTikPlace *dst, int64_t col_stride,
                 const KilnTikPlace *src, const KilnTikRows *rows, uint32_t pad,
                 const KilnTikLine *line);
  void (*store)(void *self, const KilnTikPlace *dst, const KilnTikView *src,
                const KilnTikRows *rows, const KilnTikLine *line);
  /* tile.cols: 32-byte blocks per row. */
  void (*moveL1)(void *self, const KilnTikView *dst, const KilnTikView *src,
                 const KilnTikTile *tile, const KilnTikLine *line);
  void (*loadL0)(void *self, const KilnTikPlace *dst, const KilnTikPlace *src,
                 const KilnTikFractals *fractals, const KilnTikLine *line);
  void (*loadIm2col)(void *self, const KilnTikPlace *dst,
                     const KilnTikPlace *src, const KilnTikIm2col *patches,
                     const KilnTikLine *line);
  void (*loadBias)(void *self, const KilnTikPlace *dst, const KilnTikPlace *src,
                   KilnTikValue bytes, const KilnTikLine *line);

  /* -- cube ---------------------------------------------------------------*/
  void (*mmad)(void *self, const KilnTikMmad *mmad, const KilnTikLine *line);
  void (*fix)(void *self, const KilnTikFix *fix, const KilnTikLine *line);

  /* -- vector -------------------------------------------------------------*/
  void (*vbinary)(void *self, uint32_t op, const KilnTikView *dst,
                  const KilnTikView *src0, const KilnTikView *src1,
                  const KilnTikTile *tile, const KilnTikLine *line);
  /* `bits`: a value of the element type in the low bits. */
  void (*vscalar)(void *self, uint32_t op, const KilnTikView *dst,
                  const KilnTikView *src, KilnTikValue bits,
                  const KilnTikTile *tile, const KilnTikLine *line);
  void (*vdup)(void *self, const KilnTikView *dst, KilnTikValue bits,
               const KilnTikTile *tile, const KilnTikLine *line);
  void (*vunary)(void *self, uint32_t op, const KilnTikView *dst,
                 const KilnTikView *src, const KilnTikTile *tile,
                 const KilnTikLine *line);
  void (*vcast)(void *self, const KilnTikView *dst, const KilnTikView *src,
                uint32_t rounding, const KilnTikTile *tile,
                const KilnTikLine *line);
  void (*vreduce)(void *self, uint32_t op, const KilnTikView *dst,
                  const KilnTikView *src, const KilnTikTile *tile,
                  const KilnTikLine *line);
  /* Row r of dst = the element at src + 32*r*row_stride. */
  void (*vbroadcast)(void *self, const KilnTikView *dst, const KilnTikView *src,
                     const KilnTikTile *tile, const KilnTikLine *line);
  /* out 0: planar to C0-blocked; 1: back. */
  void (*vtranspose)(void *self, uint32_t out, const KilnTikView *dst,
                     const KilnTikView *src, const KilnTikTile *tile,
                     const KilnTikLine *line);

  /* -- the control core and UB --------------------------------------------*/
  KilnTikValue (*scalarLoad)(void *self, const KilnTikPlace *src, uint32_t type,
                             const KilnTikLine *line);
  void (*scalarStore)(void *self, const KilnTikPlace *dst, uint32_t type,
                      KilnTikValue value, const KilnTikLine *line);
  /* Waits until every pipe is empty. */
  void (*barrier)(void *self, const KilnTikLine *line);

  /* == version 2 ==========================================================*/

  /* The ONNX domain of the operator; by default "kiln.custom". */
  void (*declareDomain)(void *self, const char *domain);
  /* The line of the declarations, or of the tensors of a reference, that
   * follow. */
  void (*declareLine)(void *self, const KilnTikLine *line);
  /* A dimension that one kernel serves from least to most: every launch gives
   * it. Its tensors' dims are KILN_TIK_DYNAMIC in a kernel. */
  void (*declareDynamic)(void *self, const char *symbol, int64_t least,
                         int64_t most);
  /* The size of a tensor's dimension as a run-time value; a constant where it
   * is known. */
  KilnTikValue (*extent)(void *self, KilnTikMemory tensor, uint32_t dim);
  /* Global memory that lives as long as the launch, shared by all blocks; its
   * contents are undefined at the start. */
  KilnTikMemory (*workspace)(void *self, uint32_t type, uint32_t rank,
                             const int64_t *dims, const char *name,
                             const KilnTikLine *line);
  /* Between begin and end the compiler orders nothing: commands of different
   * pipes meet only at the flags set here. A barrier stands at both ends. */
  void (*beginManual)(void *self, const KilnTikLine *line);
  void (*endManual)(void *self, const KilnTikLine *line);
  /* Pipe src sets flag `id` (0 to 7) for pipe dst after its earlier commands;
   * pipe dst waits for it and clears it. */
  void (*setFlag)(void *self, uint32_t src, uint32_t dst, KilnTikValue id,
                  const KilnTikLine *line);
  void (*waitFlag)(void *self, uint32_t src, uint32_t dst, KilnTikValue id,
                   const KilnTikLine *line);
  /* Stops the kernel with a fault that names `text` where the condition does
   * not hold. */
  void (*require)(void *self, KilnTikValue condition, const char *text,
                  const KilnTikLine *line);

  /* == version 3 ==========================================================*/

  /* Element e of every row = start + e * step, bits of the element type. */
  void (*viota)(void *self, const KilnTikView *dst, KilnTikValue start,
                KilnTikValue step, const KilnTikTile *tile,
                const KilnTikLine *line);
  /* dst = table[index]; 0 where an i32 index is not below the count. */
  void (*vgather)(void *self, const KilnTikView *dst,
                  const KilnTikLookup *table, const KilnTikView *indices,
                  const KilnTikTile *tile, const KilnTikLine *line);
  /* table[index] = src; the last of equal indices stays. */
  void (*vscatter)(void *self, const KilnTikLookup *table,
                   const KilnTikView *src, const KilnTikView *indices,
                   const KilnTikTile *tile, const KilnTikLine *line);
  /* Each 32 elements of a row become pairs (key, i32 index), descending. A
   * list of n pairs is a row of 2n elements of i32. */
  void (*vsort32)(void *self, const KilnTikView *pairs, const KilnTikView *keys,
                  const KilnTikView *indices, const KilnTikTile *tile,
                  const KilnTikLine *line);
  /* Row by row: two sorted lists with keys of `type` become one. */
  void (*vmerge)(void *self, uint32_t type, const KilnTikView *dst,
                 const KilnTikList *a, const KilnTikList *b, KilnTikValue rows,
                 const KilnTikLine *line);
  /* `half` of the pairs of each row; tile.cols counts pairs. */
  void (*vpairs)(void *self, uint32_t half, const KilnTikView *dst,
                 const KilnTikView *pairs, const KilnTikTile *tile,
                 const KilnTikLine *line);
  /* Bit e%8 of byte e/8 of a row of the mask (u8) = src0 op src1 (or the
   * scalar); `op` of KilnTikCompare. */
  void (*vcompare)(void *self, uint32_t op, const KilnTikView *mask,
                   const KilnTikView *src0, const KilnTikView *src1,
                   const KilnTikTile *tile, const KilnTikLine *line);
  void (*vcompareScalar)(void *self, uint32_t op, const KilnTikView *mask,
                         const KilnTikView *src, KilnTikValue bits,
                         const KilnTikTile *tile, const KilnTikLine *line);
  /* dst = src0 where the bit is 1, else src1. */
  void (*vselect)(void *self, const KilnTikView *dst, const KilnTikView *mask,
                  const KilnTikView *src0, const KilnTikView *src1,
                  const KilnTikTile *tile, const KilnTikLine *line);

  /* Between begin and end every store updates global memory, in one piece with
   * respect to the other blocks. */
  void (*beginAccumulate)(void *self, uint32_t mode, const KilnTikLine *line);
  void (*endAccumulate)(void *self, const KilnTikLine *line);
  /* Waits until every block has come here, its writes done. */
  void (*meet)(void *self, const KilnTikLine *line);
  /* This block has written `tensor` as far as `block` waits for it: adds 1 to
   * semaphore `id` (0 to 15) of that block. */
  void (*post)(void *self, KilnTikMemory tensor, KilnTikValue block,
               KilnTikValue id, const KilnTikLine *line);
  /* Waits for such a post and takes 1 away. */
  void (*pend)(void *self, KilnTikMemory tensor, KilnTikValue id,
               const KilnTikLine *line);

  void (*fixColumns)(void *self, const KilnTikFixColumns *fix,
                     const KilnTikLine *line);

  /* Prints to the launch's report; {d} {u} {x} {f16} {bf16} {f32} stand for
   * the values, at most two. */
  void (*print)(void *self, const char *text, uint32_t count,
                const KilnTikValue *values, const KilnTikLine *line);
  /* As require(), with a text that shows a value. */
  void (*requireValue)(void *self, KilnTikValue condition, const char *text,
                       KilnTikValue value, const KilnTikLine *line);

  /* == version 4 ==========================================================*/

  /* A build-time choice that does not change what the kernel computes; the
   * first value is the default. Only in the phase KILN_TIK_KNOBS. */
  void (*declareKnob)(void *self, const char *name, uint32_t count,
                      const int64_t *values, const KilnTikLine *line);
  /* The value of a declared knob in this kernel. */
  int64_t (*knob)(void *self, const char *name, const KilnTikLine *line);
  /* Bytes of a local memory (KilnTikSpace) of the machine; 0 for GM. */
  int64_t (*capacity)(void *self, uint32_t space);

  /* Until the matching end, what is written in the file of `here` counts as
   * written at `caller`: for functions that others call. Nests. */
  void (*beginCalled)(void *self, const KilnTikLine *here,
                      const KilnTikLine *caller);
  void (*endCalled)(void *self);

  /* loadIm2col over several images, or in C04 mode. */
  void (*loadIm2colBatch)(void *self, const KilnTikPlace *dst,
                          const KilnTikPlace *src,
                          const KilnTikIm2colBatch *patches,
                          const KilnTikLine *line);

  /* == version 5 ==========================================================*/

  /* The operator as MLIR text: one func.func of linalg on tensors, {NAME} for
   * the size or attribute NAME. `line`: of the text's first line. */
  void (*declareBody)(void *self, const char *text, const KilnTikLine *line);
  /* The operator has no kernel, only a body. */
  void (*declareNoKernel)(void *self);

  /* == version 6 ==========================================================*/

  /* As vgather by blocks of 32 bytes; tile.cols and the table's count count
   * blocks. */
  void (*vgatherBlocks)(void *self, const KilnTikView *dst,
                        const KilnTikLookup *table, const KilnTikView *indices,
                        const KilnTikTile *tile, const KilnTikLine *line);

  /* == version 7 ==========================================================*/

  /* As declareTolerance, for shapes in which each of these attributes has this
   * value. */
  void (*declareToleranceAt)(void *self, uint32_t type, double relative,
                             double absolute, const char *source,
                             uint32_t count, const char *const *names,
                             const int64_t *values);

  /* The reference asks for an element that the tensor of hostTensor() does not
   * have. */
  void (*noElement)(void *self, const double *data, int64_t index,
                    const KilnTikLine *line);

  /* The values of this attribute, which is declared already, are element
   * types: texts name them. */
  void (*declareTypeValues)(void *self, const char *attribute);

  /* What runs where the condition of the when() that ended last does not hold;
   * nothing may stand between. endWhen() ends it. */
  void (*continueOtherwise)(void *self, const KilnTikLine *line);
} KilnTikTable;

enum KilnTikVerb {
  KILN_TIK_DECLARE,   /* call the declare functions */
  KILN_TIK_BUILD,     /* build the kernel */
  KILN_TIK_REFERENCE, /* fill the host tensors of the outputs */
  KILN_TIK_KNOBS      /* declare the knobs of a shape on a machine */
};

typedef struct KilnTikRequest {
  uint32_t size;
  uint32_t verb;
  const KilnTikTable *table;
} KilnTikRequest;

enum KilnTikAnswer {
  KILN_TIK_DONE,
  KILN_TIK_TABLE_TOO_SHORT, /* Kiln is older than the operator's headers */
  KILN_TIK_UNKNOWN_VERB
};

/* The one symbol of an operator file; KILN_OPERATOR defines it. */
#define KILN_TIK_ENTRY "kilnTikOperator"
typedef int32_t (*KilnTikEntry)(const KilnTikRequest *request);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
