// SPDX-License-Identifier: Apache-2.0
//
// The kernels of the suite as native code. Freestanding: no libc. What they
// do is described in program_kit.h.
#include <stdint.h>

typedef struct {
  uint32_t version, bindingCount, constantCount, reserved;
  uint64_t workspace;
  uint64_t words[]; // bindings, then constants
} KilnArgs;

static int64_t constant(const KilnArgs *args, uint32_t i) {
  return (int64_t)args->words[args->bindingCount + i];
}

void copy(const KilnArgs *args, uint32_t block) {
  int64_t bytes = constant(args, 0);
  const volatile uint8_t *from =
      (const volatile uint8_t *)(uintptr_t)args->words[0] + block * bytes;
  volatile uint8_t *to =
      (volatile uint8_t *)(uintptr_t)args->words[1] + block * bytes;
  for (int64_t i = 0; i < bytes; ++i) {
    to[i] = from[i];
  }
}

void probe(const KilnArgs *args, uint32_t block) {
  uint64_t *out = (uint64_t *)(uintptr_t)args->words[0] + 8 * (uint64_t)block;
  out[0] = block;
  out[1] = args->version;
  out[2] = args->bindingCount;
  out[3] = args->constantCount;
  out[4] = (uint64_t)constant(args, 0);
  out[5] = (uint64_t)constant(args, 1);
  out[6] = args->workspace;
  out[7] = args->reserved;
}

void increment(const KilnArgs *args, uint32_t block) {
  uint64_t *value = (uint64_t *)(uintptr_t)args->words[0];
  (void)block;
  *value += (uint64_t)constant(args, 0);
}

void spin(const KilnArgs *args, uint32_t block) {
  (void)args;
  (void)block;
  for (volatile uint32_t i = 0; i < 1000000; ++i) {
  }
}
