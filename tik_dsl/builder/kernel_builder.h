// SPDX-License-Identifier: Apache-2.0
//
// KernelBuilder: the calls of the C table, made into one kernel function of
// the npu dialect. No second program representation: every call appends an op
// at once.
//
//   KernelBuilder b(context, messages, {.name = "matmul", .capacities = ...});
//   b.addTensor("a", ElementType::F16, {512, 512});
//   ... calls of the table ...
//   OwningOpRef<ModuleOp> module = b.finish();
//
// Handles are indices into two tables. Each entry knows the scope it was made
// in, so that use after scope is found; integers carry Facts (facts.h), so
// that counts and offsets are checked although they are no constants.
//
// Mistakes go to the MessageList; the call then returns handle 0 and later
// calls on it are silent. Nothing asserts on what an author writes.
#pragma once

#include "compiler/transforms/npu/plan_local_memory.h"
#include "isa/codec/machine_types.h"
#include "tik_dsl/builder/facts.h"
#include "tik_dsl/builder/mistakes.h"
#include "tik_dsl/builder/operator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kiln::tik {

struct KernelOptions {
  std::string name;
  npu::Capacities capacities{};
  uint32_t cores = 1;
  std::string file; // of the operator, for messages without a line
  /// Only whether it builds: nothing is made after the first mistake, and
  /// messages need not be complete.
  bool quick = false;
};

/// What a tensor in global memory is for.
enum class TensorKind : uint8_t { kInput, kOutput, kWorkspace };

/// A memory that a handle names.
struct MemoryEntry {
  std::string name;
  isa::Space space{};
  isa::ElementType type{};
  std::vector<int64_t> dims; // KILN_TIK_DYNAMIC: a size of the launch
  int64_t bytes = 0;         // of one slot; Facts::kLimit when dynamic
  mlir::Value base;
  uint32_t scope = 0;
  TensorKind kind = TensorKind::kInput; // of tensors
  bool written = false;
  uint8_t writers = 0;    // pipes that write a tensor, a bit each
  bool stored = false;    // written, not only accumulated into
  AuthorLine accumulated; // the first time; line 0: never
  AuthorLine firstRead;   // line 0: never read
  std::string firstReader;
  AuthorLine declared;               // of tensors
  std::vector<KilnTikValue> extents; // of tensors: one per dimension
};

/// A size that a launch gives: symbol and range.
struct DynamicSize {
  std::string symbol;
  int64_t least = 1, most = 1;
};

/// A tensor of the launch; sizes of -1 - i are the i-th dynamic size.
struct TensorArgument {
  std::string name;
  isa::ElementType type{};
  std::vector<int64_t> dims;
  bool isOutput = false;
  AuthorLine declared;
};

/// A run-time integer or condition that a handle names. A constant has no op
/// of its own; it is made where it is used.
struct ValueEntry {
  mlir::Value value;
  bool isCondition = false;
  Facts facts;
  uint32_t scope = 0;
  /// May differ from block to block.
  bool perBlock = false;
};

/// What a command does with an operand.
enum class Use : uint8_t { kRead, kWrite, kUpdate, kAccumulate };

/// One memory operand of a command, as the instruction wants it.
struct OperandRule {
  const char *role; // "destination", "source"
  std::vector<isa::Space> spaces;
  int64_t align = 1;                // bytes
  std::optional<Facts> extent = {}; // bytes from the offset on
  Use use = Use::kRead;
};

/// An operand that passed its checks.
struct CheckedOperand {
  const MemoryEntry *memory = nullptr;
  mlir::Value base;
  mlir::Value offset;
  Facts offsetFacts;
  Facts extent;
  bool perBlock = false; // the offset
};

class KernelBuilder {
public:
  KernelBuilder(mlir::MLIRContext *context, MessageList &messages,
                KernelOptions options);

  /// Before any other call: the bindings in order, and the sizes that the
  /// launch gives as constants.
  void addArguments(const std::vector<TensorArgument> &tensors,
                    const std::vector<DynamicSize> &sizes);
  /// The module with the kernel, null after mistakes.
  mlir::OwningOpRef<mlir::ModuleOp> finish();
  int64_t blockCount() const { return blockCount_; }
  /// Between beginCalled() and its end.
  bool isCalled() const { return !called_.empty(); }
  /// Bytes of each workspace: bindings after the tensors.
  std::vector<uint64_t> workspaceBytes() const;
  /// Blocks add floats to one place, in the order in which they come to it.
  bool isOrderDependent() const { return orderDependent_; }
  /// By the code of their trap, from kAssertionCode on.
  const std::vector<Assertion> &assertions() const { return assertions_; }

  // The functions of the table; meaning and units in builder_table.h.
  KilnTikMemory tensor(const char *name, const KilnTikLine *line);
  void describe(KilnTikMemory memory, KilnTikMemoryInfo *out);
  KilnTikValue extent(KilnTikMemory memory, uint32_t dim);
  KilnTikMemory workspace(uint32_t type, uint32_t rank, const int64_t *dims,
                          const char *name, const KilnTikLine *line);
  KilnTikMemory alloc(uint32_t space, uint32_t type, uint32_t rank,
                      const int64_t *dims, uint32_t depth, const char *name,
                      const KilnTikLine *line);

  KilnTikValue constant(int64_t value);
  KilnTikValue arith(uint32_t op, KilnTikValue a, KilnTikValue b,
                     const KilnTikLine *line);
  KilnTikValue compare(uint32_t op, KilnTikValue a, KilnTikValue b,
                       const KilnTikLine *line);
  KilnTikValue logicalNot(KilnTikValue a, const KilnTikLine *line);
  KilnTikValue select(KilnTikValue condition, KilnTikValue a, KilnTikValue b,
                      const KilnTikLine *line);
  KilnTikValue assumeMultiple(KilnTikValue value, int64_t n,
                              const KilnTikLine *line);

  KilnTikValue beginBlocks(int64_t count, const KilnTikLine *line);
  void endBlocks(const KilnTikLine *line);
  KilnTikValue beginRange(KilnTikValue from, KilnTikValue to, KilnTikValue step,
                          uint32_t depth, const KilnTikLine *line);
  void endRange(const KilnTikLine *line);
  void beginWhen(KilnTikValue condition, const KilnTikLine *line);
  void beginOtherwise(const KilnTikLine *line);
  void endWhen(const KilnTikLine *line);
  void continueOtherwise(const KilnTikLine *line);
  void beginManual(const KilnTikLine *line);
  void endManual(const KilnTikLine *line);
  void beginCalled(const KilnTikLine *here, const KilnTikLine *caller);
  void endCalled();
  void setFlag(uint32_t src, uint32_t dst, KilnTikValue id,
               const KilnTikLine *line);
  void waitFlag(uint32_t src, uint32_t dst, KilnTikValue id,
                const KilnTikLine *line);
  void require(KilnTikValue condition, const char *text,
               const KilnTikLine *line);

  void requireValue(KilnTikValue condition, const char *text,
                    KilnTikValue value, const KilnTikLine *line);
  void print(const char *text, uint32_t count, const KilnTikValue *values,
             const KilnTikLine *line);
  void beginAccumulate(uint32_t mode, const KilnTikLine *line);
  void endAccumulate(const KilnTikLine *line);
  void meet(const KilnTikLine *line);
  void post(KilnTikMemory tensor, KilnTikValue block, KilnTikValue id,
            const KilnTikLine *line);
  void pend(KilnTikMemory tensor, KilnTikValue id, const KilnTikLine *line);

  void load(const KilnTikView *dst, const KilnTikPlace *src,
            const KilnTikRows *rows, uint32_t pad, const KilnTikLine *line);
  void loadNz(const KilnTikPlace *dst, int64_t colStride,
              const KilnTikPlace *src, const KilnTikRows *rows, uint32_t pad,
              const KilnTikLine *line);
  void store(const KilnTikPlace *dst, const KilnTikView *src,
             const KilnTikRows *rows, const KilnTikLine *line);
  void moveL1(const KilnTikView *dst, const KilnTikView *src,
              const KilnTikTile *tile, const KilnTikLine *line);
  void loadL0(const KilnTikPlace *dst, const KilnTikPlace *src,
              const KilnTikFractals *fractals, const KilnTikLine *line);
  void loadIm2colBatch(const KilnTikPlace *dst, const KilnTikPlace *src,
                       const KilnTikIm2colBatch *p, const KilnTikLine *line);
  void loadIm2col(const KilnTikPlace *dst, const KilnTikPlace *src,
                  const KilnTikIm2col *patches, const KilnTikLine *line);
  void loadBias(const KilnTikPlace *dst, const KilnTikPlace *src,
                KilnTikValue bytes, const KilnTikLine *line);
  void mmad(const KilnTikMmad *mmad, const KilnTikLine *line);
  void fix(const KilnTikFix *fix, const KilnTikLine *line);
  void fixColumns(const KilnTikFixColumns *fix, const KilnTikLine *line);

  void vbinary(uint32_t op, const KilnTikView *dst, const KilnTikView *src0,
               const KilnTikView *src1, const KilnTikTile *tile,
               const KilnTikLine *line);
  void vscalar(uint32_t op, const KilnTikView *dst, const KilnTikView *src,
               KilnTikValue bits, const KilnTikTile *tile,
               const KilnTikLine *line);
  void vdup(const KilnTikView *dst, KilnTikValue bits, const KilnTikTile *tile,
            const KilnTikLine *line);
  void vunary(uint32_t op, const KilnTikView *dst, const KilnTikView *src,
              const KilnTikTile *tile, const KilnTikLine *line);
  void vcast(const KilnTikView *dst, const KilnTikView *src, uint32_t rounding,
             const KilnTikTile *tile, const KilnTikLine *line);
  void vreduce(uint32_t op, const KilnTikView *dst, const KilnTikView *src,
               const KilnTikTile *tile, const KilnTikLine *line);
  void vbroadcast(const KilnTikView *dst, const KilnTikView *src,
                  const KilnTikTile *tile, const KilnTikLine *line);
  void vtranspose(uint32_t out, const KilnTikView *dst, const KilnTikView *src,
                  const KilnTikTile *tile, const KilnTikLine *line);
  void viota(const KilnTikView *dst, KilnTikValue start, KilnTikValue step,
             const KilnTikTile *tile, const KilnTikLine *line);
  void vgather(const KilnTikView *dst, const KilnTikLookup *table,
               const KilnTikView *indices, const KilnTikTile *tile,
               const KilnTikLine *line);
  void vgatherBlocks(const KilnTikView *dst, const KilnTikLookup *table,
                     const KilnTikView *indices, const KilnTikTile *tile,
                     const KilnTikLine *line);
  void vscatter(const KilnTikLookup *table, const KilnTikView *src,
                const KilnTikView *indices, const KilnTikTile *tile,
                const KilnTikLine *line);
  void vsort32(const KilnTikView *pairs, const KilnTikView *keys,
               const KilnTikView *indices, const KilnTikTile *tile,
               const KilnTikLine *line);
  void vmerge(uint32_t type, const KilnTikView *dst, const KilnTikList *a,
              const KilnTikList *b, KilnTikValue rows, const KilnTikLine *line);
  void vpairs(uint32_t half, const KilnTikView *dst, const KilnTikView *pairs,
              const KilnTikTile *tile, const KilnTikLine *line);
  void vcompare(uint32_t op, const KilnTikView *mask, const KilnTikView *src0,
                const KilnTikView *src1, const KilnTikTile *tile,
                const KilnTikLine *line);
  void vcompareScalar(uint32_t op, const KilnTikView *mask,
                      const KilnTikView *src, KilnTikValue bits,
                      const KilnTikTile *tile, const KilnTikLine *line);
  void vselect(const KilnTikView *dst, const KilnTikView *mask,
               const KilnTikView *src0, const KilnTikView *src1,
               const KilnTikTile *tile, const KilnTikLine *line);
  KilnTikValue scalarLoad(const KilnTikPlace *src, uint32_t type,
                          const KilnTikLine *line);
  void scalarStore(const KilnTikPlace *dst, uint32_t type, KilnTikValue value,
                   const KilnTikLine *line);
  void barrier(const KilnTikLine *line);

private:
  enum class ScopeKind : uint8_t {
    kKernel,
    kBlocks,
    kRange,
    kWhen,
    kManual,
    kAccumulate
  };
  struct Scope {
    uint32_t id = 0;
    ScopeKind kind{};
    uint32_t depth = 1;    // of buffers created directly in it
    bool perBlock = false; // what runs in it depends on the block
  };
  struct ScopeInfo {
    ScopeKind kind{};
    AuthorLine line;
  };
  /// What the vector commands share.
  struct VectorTile {
    mlir::Value rows, cols;
    Facts rowFacts, colFacts;
  };
  /// How a view of a vector command covers the tile.
  enum class Shape : uint8_t {
    kTile,
    kOneRow,
    kOneElementPerRow,
    kBits,  // one per element
    kPairs, // two elements of i32 each
    kBlocks // 32 bytes each
  };
  struct VectorView {
    const char *role;
    const KilnTikView *view;
    Use use = Use::kRead;
    Shape shape = Shape::kTile;
  };
  /// A vector command whose operands passed their checks, in order.
  struct VectorCommand {
    VectorTile size;
    std::vector<CheckedOperand> operands;
    const CheckedOperand &operator[](size_t i) const { return operands[i]; }
  };

  // kernel_builder.cpp, kernel_values.cpp
  void at(const KilnTikLine *line);
  void mistake(Mistake number, const std::string &text);
  uint32_t openScope(ScopeKind kind, uint32_t depth, bool perBlock = false);
  void closeScope(ScopeKind kind);
  bool isOpen(uint32_t scope) const;
  std::string scopeText(uint32_t scope) const;
  bool insideWhen() const;
  bool insideManual() const;
  bool inside(ScopeKind kind) const;
  /// How stores meet global memory here: 0, or a KilnTikStoreMode.
  uint32_t accumulation() const { return accumulation_; }
  /// Whether what runs here depends on the block.
  bool insidePerBlock() const;
  const MemoryEntry *memory(KilnTikMemory handle);
  const ValueEntry *value(KilnTikValue handle);
  KilnTikValue add(mlir::Value value, const Facts &facts,
                   bool isCondition = false, bool perBlock = false);
  bool isPerBlock(KilnTikValue handle) const;
  mlir::Value index(int64_t value);
  mlir::Value indexOf(KilnTikValue handle);
  mlir::Value conditionOf(KilnTikValue handle);
  /// i64; a condition is 0 or 1.
  mlir::Value wordOf(KilnTikValue handle);
  /// i64: the low bits hold the value, those above are 0.
  mlir::Value bitsOf(KilnTikValue handle, isa::ElementType type);
  Facts factsOf(KilnTikValue handle);
  bool isField(const char *what, const char *name, uint32_t value,
               uint32_t least, uint32_t most);
  bool checkShape(const MemoryEntry &entry);
  KilnTikMemory addMemory(MemoryEntry entry);
  mlir::Value tensorArgument(const MemoryEntry &entry);
  /// Adds an op of the kernel's commands: marks it in a manual scope.
  void created(mlir::Operation *op);
  template <typename Op, typename... Args> void create(Args &&...args) {
    created(Op::create(builder_, loc_, std::forward<Args>(args)...));
  }
  /// Whether an assertion needs code; a mistake when it never holds.
  bool mayFail(KilnTikValue condition, const char *text);
  template <typename Op> void flag(uint32_t src, uint32_t dst, KilnTikValue id);
  KilnTikValue emitArith(uint32_t op, const ValueEntry &a, const ValueEntry &b);
  mlir::Value arithValue(uint32_t op, const ValueEntry &a, const ValueEntry &b);
  mlir::Value ceilDiv(mlir::Value a, mlir::Value b);

  // finish.cpp
  bool checkVerifiers(mlir::ModuleOp module);
  bool checkCapacities(mlir::func::FuncOp kernel);
  bool certainlyFits(isa::Space space, int64_t bytes);
  bool checkUses();
  bool checkManualSync(mlir::func::FuncOp kernel);

  // checks.cpp
  std::optional<CheckedOperand> operand(const KilnTikPlace &place,
                                        const OperandRule &rule);
  void noteUse(KilnTikMemory handle, Use use);
  bool aligned(const std::string &who, const Facts &offset, int64_t align);
  bool inside(const std::string &who, const CheckedOperand &operand);
  /// The count's value; null after a mistake.
  mlir::Value count(const char *name, KilnTikValue handle, int64_t most,
                    Mistake number = Mistake::kCountRange);
  bool inRange(const char *name, int64_t value, int64_t least, int64_t most,
               Mistake number = Mistake::kBadField);
  bool strides(const char *role, const KilnTikView &view);
  bool sameType(const CheckedOperand &a, const CheckedOperand &b);
  bool distinctRows(const char *role, const KilnTikView &view,
                    const Facts &rows, const Facts &rowBytes);
  bool differentBuffers(const CheckedOperand &a, const CheckedOperand &b);
  /// A write to global memory: allowed, and not the same for all blocks.
  bool mayWrite(const CheckedOperand &dst, bool sizePerBlock);
  bool noPartialOverlap(const CheckedOperand &dst, const KilnTikView &dstView,
                        const CheckedOperand &src, const KilnTikView &srcView,
                        const Facts &rows);
  Facts viewExtent(const KilnTikView &view, const Facts &rows,
                   const Facts &rowBytes) const;
  bool exceeds(const Facts &value, int64_t most) const;

  // commands_meet.cpp
  bool meetsOthers();
  bool handsOver(const MemoryEntry &tensor);
  bool textFits(const char *text, uint32_t values);
  mlir::Value semaphore(KilnTikValue id);
  /// The first line of each semaphore's posts or pends; line 0: none.
  using SemaphoreLines = std::array<AuthorLine, 16>;
  void noteSemaphore(KilnTikValue id, SemaphoreLines &lines);
  void checkSemaphores();

  // commands_move.cpp, commands_cube.cpp, commands_vector.cpp,
  // commands_index.cpp
  struct GmRows {
    mlir::Value rows, rowBytes, stride;
    Facts rowFacts, byteFacts, extent;
    bool perBlock = false;
  };
  std::optional<GmRows> gmRows(const KilnTikRows &rows);
  bool cubeTypes(const CheckedOperand &acc, const CheckedOperand &a,
                 const CheckedOperand &b);
  std::optional<VectorTile> vectorTile(const KilnTikTile &tile);
  std::optional<CheckedOperand> vectorOperand(const VectorView &view,
                                              const VectorTile &tile);
  /// All checks that vector commands share; null after a mistake.
  std::optional<VectorCommand>
  vectorCommand(const KilnTikTile &tile,
                std::initializer_list<VectorView> views);
  bool typeAllowed(const CheckedOperand &operand, uint8_t mask);
  void unknownOperation(uint32_t code);
  bool isIndex(const CheckedOperand &operand);
  bool isPairs(const CheckedOperand &operand);
  bool isMask(const CheckedOperand &operand);
  bool maskPitch(const KilnTikView &mask, const VectorTile &tile);
  /// `entryBytes`: 0 for elements.
  std::optional<CheckedOperand> lookup(const KilnTikLookup &table, Use use,
                                       mlir::Value &count,
                                       int64_t entryBytes = 0);
  /// Op is VGatherOp or VGatherBlocksOp; `shape`: of dst.
  template <typename Op>
  void createGather(const KilnTikView &dst, const KilnTikLookup &table,
                    const KilnTikView &indices, const KilnTikTile &tile,
                    Shape shape);
  std::optional<CheckedOperand> list(const char *role, const KilnTikList &list,
                                     const VectorTile &rows,
                                     mlir::Value &pairs);
  std::optional<CheckedOperand>
  columnTable(const char *role, const KilnTikPlace &place, KilnTikValue n);
  bool epilogue(const KilnTikFixColumns &fix, isa::ElementType out);

  KernelOptions options_;
  MessageList &messages_;
  mlir::OpBuilder builder_;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  mlir::func::FuncOp kernel_;
  mlir::Location loc_;
  AuthorLine line_;
  /// Functions that are being called, outermost first.
  struct Called {
    std::string file; // of the function
    AuthorLine caller;
  };
  std::vector<Called> called_;
  /// The line that answers for this one: the caller's, where the function that
  /// was called last is of the same file.
  AuthorLine authorOf(const KilnTikLine *line) const;
  const char *call_ = ""; // the author's call, for messages
  std::vector<MemoryEntry> memories_;
  std::vector<ValueEntry> values_;
  std::vector<ScopeInfo> scopeInfos_;
  std::vector<Scope> scopes_; // open ones, outermost first
  /// The when() that ended last.
  struct {
    mlir::Operation *branch = nullptr;
    bool perBlock = false;
  } lastWhen_;
  std::vector<Assertion> assertions_;
  uint32_t accumulation_ = 0; // KilnTikStoreMode of the open scope
  SemaphoreLines posted_, pended_;
  bool orderDependent_ = false;
  bool hasManual_ = false;
  /// Bytes of buffers with several slots, by memory and outermost loop; of a
  /// quick build.
  std::map<std::pair<isa::Space, uint32_t>, int64_t> rotating_;
  int64_t blockCount_ = 1;
  bool hasBlocks_ = false;
};

inline std::array<int64_t, 2> stridesOf(const KilnTikView &view) {
  return {view.row_stride, view.block_stride};
}
isa::ElementType elementTypeOf(uint32_t type);
mlir::Type mlirType(mlir::MLIRContext *context, isa::ElementType type);

} // namespace kiln::tik
