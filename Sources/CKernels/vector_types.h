// The 16-lane words that every kernel is written in: one zmm, two ymm, or four SSE or NEON registers.
#ifndef CS_VECTOR_TYPES_H
#define CS_VECTOR_TYPES_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "CKernels.h"

// Vectors are passed between always-inlined functions only, so no calling convention is at stake.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float f32x16 __attribute__((ext_vector_type(16)));
typedef int32_t i32x16 __attribute__((ext_vector_type(16)));
typedef uint32_t u32x16 __attribute__((ext_vector_type(16)));
typedef uint16_t u16x16 __attribute__((ext_vector_type(16)));
typedef int8_t i8x16 __attribute__((ext_vector_type(16)));

/// The same words at any address.
typedef f32x16 f32x16_any __attribute__((aligned(4)));
typedef u32x16 u32x16_any __attribute__((aligned(4)));
typedef u16x16 u16x16_any __attribute__((aligned(2)));

#define CS_INLINE static inline __attribute__((always_inline, unused))
#define CS_UNROLL _Pragma("clang loop unroll(full)")

/// One bf16 or f16 number as f32, and back with round to nearest even; exact on every machine.
static inline float cs_bf16_to_f32(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, 4);
    return value;
}

static inline uint16_t cs_f32_to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)((bits >> 16) | 0x40);
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}

/// Shifting the exponent by a multiplication with 2^112 makes f16's subnormals come out right too.
static inline float cs_f16_to_f32(uint16_t bits) {
    uint32_t magnitude = (uint32_t)(bits & 0x7fff) << 13;
    float value;
    memcpy(&value, &magnitude, 4);
    value *= 0x1p112f;
    memcpy(&magnitude, &value, 4);
    if ((bits & 0x7c00) == 0x7c00) magnitude |= 0x7f800000u;
    magnitude |= (uint32_t)(bits & 0x8000) << 16;
    memcpy(&value, &magnitude, 4);
    return value;
}

static inline uint16_t cs_f32_to_f16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    uint16_t sign = (uint16_t)((bits >> 16) & 0x8000);
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u) return (uint16_t)(sign | 0x7e00);
    if (bits >= 0x477ff000u) return (uint16_t)(sign | 0x7c00);
    if (bits < 0x38800000u) {  // subnormal in f16: adding 0.5 aligns the bits, the hardware rounds
        float magnitude;
        memcpy(&magnitude, &bits, 4);
        magnitude += 0.5f;
        memcpy(&bits, &magnitude, 4);
        return (uint16_t)(sign | (bits - 0x3f000000u));
    }
    bits += 0xfffu + ((bits >> 13) & 1);
    return (uint16_t)(sign | ((bits - 0x38000000u) >> 13));
}

#endif
