// What the kernels' checks share: seeded numbers, levels, and a count of what was wrong.
#ifndef CHECK_H
#define CHECK_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

/// Contexts of the levels that this machine runs; portable is number 0.
typedef struct levels {
    cs_context *contexts[CS_ISA_COUNT];
    int count;
} levels;

/// Prints a fault (the first few of a run) and counts it.
void fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
/// Numbers of -size to size, the same in every run.
float *random_floats(size_t count, float size);
void fill_random(float *to, size_t count, float size);
int random_below(int bound);
void *zeroed(size_t bytes);

/// Whether products with bf16 numbers round the other side to bf16.
static inline bool rounds_to_bf16(cs_isa isa) {
    return isa == CS_ISA_AVX512_BF16 || isa == CS_ISA_AMX || isa == CS_ISA_NEON_BF16;
}

/// Fails unless all numbers of `found` lie within `bound` of `expected`.
void expect_near(const char *what, cs_isa isa, const float *found, const double *expected, size_t count, double bound);
/// Fails unless all bits are equal.
void expect_equal(const char *what, cs_isa isa, const float *found, const float *expected, size_t count);

void check_products(const levels *levels);
void check_codes(const levels *levels);
void check_attention(const levels *levels);
void check_rows(const levels *levels);
void check_sampling(const levels *levels);

#endif
