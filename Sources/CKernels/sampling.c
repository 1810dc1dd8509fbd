// What the sampler does with one row of logits: a table of functions per instruction set, without a context.

#define CS_BODY "sampling_body.h"
#include "vector_types.h"

#include "every_isa.h"

#define CS_SAMPLING_TABLE(name)                                                                         \
    {                                                                                                   \
        .greatest = name(row_greatest), .next_above = name(next_above), .rank = name(row_rank),          \
        .exponentials = name(exponentials), .sum_from = name(sum_from), .between = name(between),        \
    }

#define CS_PORTABLE(name) name##_portable
static const cs_sampling portable = CS_SAMPLING_TABLE(CS_PORTABLE);
#if defined(__x86_64__)
#define CS_AVX2(name) name##_avx2
#define CS_AVX512(name) name##_avx512
#define CS_AVX512BF16(name) name##_avx512bf16
static const cs_sampling avx2 = CS_SAMPLING_TABLE(CS_AVX2);
static const cs_sampling avx512 = CS_SAMPLING_TABLE(CS_AVX512);
static const cs_sampling avx512bf16 = CS_SAMPLING_TABLE(CS_AVX512BF16);
#elif defined(__aarch64__)
#define CS_NEON(name) name##_neon
static const cs_sampling neon = CS_SAMPLING_TABLE(CS_NEON);
#endif

const cs_sampling *cs_sampling_kernels(cs_isa isa) {
    if (!cs_isa_supported(isa)) return NULL;
    switch (isa) {  // of the level's base: dots and tiles change nothing here
#if defined(__x86_64__)
    case CS_ISA_AVX2:
    case CS_ISA_AVX_VNNI: return &avx2;
    case CS_ISA_AVX512:
    case CS_ISA_AVX512_VNNI: return &avx512;
    case CS_ISA_AVX512_BF16:
    case CS_ISA_AMX: return &avx512bf16;
#elif defined(__aarch64__)
    case CS_ISA_NEON:
    case CS_ISA_NEON_DOT:
    case CS_ISA_NEON_BF16: return &neon;
#endif
    default: return &portable;
    }
}
