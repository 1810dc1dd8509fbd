// Compiles one family's body (CS_BODY) once for each instruction set that this architecture may have.
//
// A body is written over the 16-lane words of vector.h, so the same lines become SSE2, AVX2, AVX-512 or NEON code;
// what an instruction set does differently is behind CS_HAS_... in the body. CS_NAME(f) is f's name at this level.
// The order of every sum is the same at all levels; only fused multiply-add and the bf16 dot round differently.
//
// Byte dots matter to few families, bf16 dots on ARM to some: CS_WITH_BYTE_DOTS and CS_WITH_BF16_DOTS before the include
// ask for those levels. (AMX has bodies of its own: amx.h.)

#include "vector_types.h"

#if defined(__aarch64__)
#define CS_NAME(name) name##_neon
#define CS_HAS_FMA 1
#define CS_HAS_F16 1
#include "vector.h"
#include CS_BODY
#undef CS_NAME

#if defined(CS_WITH_BYTE_DOTS)
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#define CS_NAME(name) name##_neondot
#define CS_HAS_DOTPROD 1
#include "vector.h"
#include CS_BODY
#undef CS_HAS_DOTPROD
#undef CS_NAME
#pragma clang attribute pop
#endif

#if defined(CS_WITH_BYTE_DOTS) || defined(CS_WITH_BF16_DOTS)
#pragma clang attribute push(__attribute__((target("dotprod,i8mm,bf16"))), apply_to = function)
#define CS_NAME(name) name##_neonbf16
#define CS_HAS_I8MM 1
#define CS_HAS_BF16_DOT 1
#include "vector.h"
#include CS_BODY
#undef CS_HAS_BF16_DOT
#undef CS_HAS_I8MM
#undef CS_NAME
#pragma clang attribute pop
#endif
#undef CS_HAS_F16
#undef CS_HAS_FMA
#endif

#define CS_NAME(name) name##_portable
#include "vector.h"
#include CS_BODY
#undef CS_NAME

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define CS_NAME(name) name##_avx2
#define CS_HAS_FMA 1
#define CS_HAS_F16 1
#define CS_HAS_AVX2 1
#include "vector.h"
#include CS_BODY
#undef CS_NAME
#pragma clang attribute pop

#if defined(CS_WITH_BYTE_DOTS)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)
#define CS_NAME(name) name##_avxvnni
#define CS_HAS_VNNI 1
#include "vector.h"
#include CS_BODY
#undef CS_HAS_VNNI
#undef CS_NAME
#pragma clang attribute pop
#endif
#undef CS_HAS_AVX2

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#define CS_NAME(name) name##_avx512
#define CS_HAS_AVX512 1
#include "vector.h"
#include CS_BODY
#undef CS_NAME
#pragma clang attribute pop

#define CS_HAS_VNNI 1
#if defined(CS_WITH_BYTE_DOTS)
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), apply_to = function)
#define CS_NAME(name) name##_avx512vnni
#include "vector.h"
#include CS_BODY
#undef CS_NAME
#pragma clang attribute pop
#endif

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni"))), apply_to = function)
#define CS_NAME(name) name##_avx512bf16
#define CS_HAS_BF16_DOT 1
#include "vector.h"
#include CS_BODY
#undef CS_HAS_VNNI
#undef CS_HAS_BF16_DOT
#undef CS_HAS_AVX512
#undef CS_HAS_F16
#undef CS_HAS_FMA
#undef CS_NAME
#pragma clang attribute pop
#endif
