// The byte dots of each level, behind three names: 16 columns' codes of four inputs times one row's.
//
// Included by codes_body.h, once per level. Codes are unsigned, x is signed; nothing saturates, so all levels agree.

/// What is taken off a byte code before it is multiplied: sdot wants signed bytes.
enum {
#if defined(CS_HAS_DOTPROD)
    CS_NAME(BIAS) = 128,
#else
    CS_NAME(BIAS) = 0,
#endif
};

/// acc[i] += sum over b of weight byte 4 i + b (unsigned) * x byte b (signed).
#if defined(CS_HAS_VNNI) && defined(CS_HAS_AVX512)
CS_INLINE i32x16 CS_NAME(dot)(i32x16 acc, const uint8_t *w, int32_t x) {
    return (i32x16)_mm512_dpbusd_epi32((__m512i)acc, _mm512_loadu_si512(w), _mm512_set1_epi32(x));
}
CS_INLINE i32x16 CS_NAME(dot_low)(i32x16 acc, const uint8_t *w, int32_t x) {
    __m512i codes = _mm512_and_si512(_mm512_loadu_si512(w), _mm512_set1_epi8(15));
    return (i32x16)_mm512_dpbusd_epi32((__m512i)acc, codes, _mm512_set1_epi32(x));
}
CS_INLINE i32x16 CS_NAME(dot_high)(i32x16 acc, const uint8_t *w, int32_t x) {
    __m512i codes = _mm512_and_si512(_mm512_srli_epi16(_mm512_loadu_si512(w), 4), _mm512_set1_epi8(15));
    return (i32x16)_mm512_dpbusd_epi32((__m512i)acc, codes, _mm512_set1_epi32(x));
}
#else
CS_INLINE i32x16 CS_NAME(dot_codes)(i32x16 acc, u32x16 codes, int32_t x) {
#if defined(CS_HAS_VNNI)
    __m256i half[2], sum[2];
    memcpy(half, &codes, sizeof half);
    memcpy(sum, &acc, sizeof sum);
    CS_UNROLL for (int h = 0; h < 2; h++) sum[h] = _mm256_dpbusd_avx_epi32(sum[h], half[h], _mm256_set1_epi32(x));
    memcpy(&acc, sum, sizeof acc);
    return acc;
#elif defined(CS_HAS_DOTPROD) || defined(CS_HAS_I8MM)
    const int8x16_t row = vreinterpretq_s8_s32(vdupq_n_s32(x));
    int32x4_t sum[4];
    uint8x16_t part[4];
    memcpy(sum, &acc, sizeof sum);
    memcpy(part, &codes, sizeof part);
    CS_UNROLL for (int i = 0; i < 4; i++)
#if defined(CS_HAS_I8MM)
        sum[i] = vusdotq_s32(sum[i], part[i], row);
#else
        sum[i] = vdotq_s32(sum[i], vreinterpretq_s8_u8(part[i]), row);
#endif
    memcpy(&acc, sum, sizeof acc);
    return acc;
#else
    // Even and odd bytes as 16 bits: both products of a pair fit 32 bits, so nothing saturates.
    const int8_t *b = (const int8_t *)&x;
#if defined(CS_HAS_AVX512)
    __m512i even = _mm512_and_si512((__m512i)codes, _mm512_set1_epi16(255));
    __m512i odd = _mm512_srli_epi16((__m512i)codes, 8);
    __m512i x_even = _mm512_set1_epi32((uint16_t)(int16_t)b[0] | (int32_t)((uint32_t)(uint16_t)(int16_t)b[2] << 16));
    __m512i x_odd = _mm512_set1_epi32((uint16_t)(int16_t)b[1] | (int32_t)((uint32_t)(uint16_t)(int16_t)b[3] << 16));
    return acc + (i32x16)_mm512_add_epi32(_mm512_madd_epi16(even, x_even), _mm512_madd_epi16(odd, x_odd));
#elif defined(CS_HAS_AVX2)
    __m256i x_even = _mm256_set1_epi32((uint16_t)(int16_t)b[0] | (int32_t)((uint32_t)(uint16_t)(int16_t)b[2] << 16));
    __m256i x_odd = _mm256_set1_epi32((uint16_t)(int16_t)b[1] | (int32_t)((uint32_t)(uint16_t)(int16_t)b[3] << 16));
    __m256i half[2];
    memcpy(half, &codes, sizeof half);
    CS_UNROLL for (int h = 0; h < 2; h++) {
        __m256i even = _mm256_and_si256(half[h], _mm256_set1_epi16(255)), odd = _mm256_srli_epi16(half[h], 8);
        half[h] = _mm256_add_epi32(_mm256_madd_epi16(even, x_even), _mm256_madd_epi16(odd, x_odd));
    }
    i32x16 sum;
    memcpy(&sum, half, sizeof sum);
    return acc + sum;
#else
    CS_UNROLL for (int i = 0; i < 4; i++) acc += (i32x16)(codes >> (8 * i) & 255) * (i32x16)(int32_t)b[i];
    return acc;
#endif
#endif
}
CS_INLINE i32x16 CS_NAME(dot)(i32x16 acc, const uint8_t *w, int32_t x) {
    return CS_NAME(dot_codes)(acc, *(const u32x16_any *)(const void *)w ^ CS_NAME(BIAS) * 0x01010101u, x);
}
CS_INLINE i32x16 CS_NAME(dot_low)(i32x16 acc, const uint8_t *w, int32_t x) {
    return CS_NAME(dot_codes)(acc, *(const u32x16_any *)(const void *)w & 0x0f0f0f0fu, x);
}
CS_INLINE i32x16 CS_NAME(dot_high)(i32x16 acc, const uint8_t *w, int32_t x) {
    return CS_NAME(dot_codes)(acc, *(const u32x16_any *)(const void *)w >> 4 & 0x0f0f0f0fu, x);
}
#endif
