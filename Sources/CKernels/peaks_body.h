// Loops that do nothing but read, or nothing but multiply and add, at one instruction set.

/// Independent chains: more than a unit's latency times its width, fewer than the registers.
enum {
#if defined(CS_HAS_AVX512)
    CS_NAME(CHAINS) = 24,
#else
    CS_NAME(CHAINS) = 5,
#endif
};

/// The words' sum, so that no read can be left out.
static uint32_t CS_NAME(peak_read)(const uint32_t *words, size_t count) {
    u32x16 sum[4] = {0};
    for (size_t i = 0; i + 64 <= count; i += 64)
        CS_UNROLL for (int v = 0; v < 4; v++) sum[v] += *(const u32x16_any *)(words + i + 16 * v);
    u32x16 all = sum[0] + sum[1] + sum[2] + sum[3];
    uint32_t total = 0;
    for (int i = 0; i < 16; i++) total += all[i];
    return total;
}

static float CS_NAME(peak_f32)(int rounds, int first) {
    f32x16 acc[CS_NAME(CHAINS)], factor = (f32x16)(0.5f + (float)first), term = (f32x16)0.25f;
    CS_UNROLL for (int v = 0; v < CS_NAME(CHAINS); v++) acc[v] = (f32x16)(float)v;
    for (int i = 0; i < rounds; i++)
        CS_UNROLL for (int v = 0; v < CS_NAME(CHAINS); v++) acc[v] = CS_NAME(madd)(acc[v], factor, term);
    f32x16 sum = 0;
    CS_UNROLL for (int v = 0; v < CS_NAME(CHAINS); v++) sum += acc[v];
    return sum[0];
}

static float CS_NAME(peak_bf16)(int rounds, int first) {
#if defined(CS_HAS_BF16_DOT) && defined(__aarch64__)
    float32x4_t acc[4 * CS_NAME(CHAINS)];
    bfloat16x8_t one = vreinterpretq_bf16_u32(vdupq_n_u32(0x3f803f80u + (uint32_t)first));
    bfloat16x8_t other = vreinterpretq_bf16_u32(vdupq_n_u32(0x3c003c00));
    CS_UNROLL for (int v = 0; v < 4 * CS_NAME(CHAINS); v++) acc[v] = vdupq_n_f32((float)v);
    for (int i = 0; i < rounds; i++)
        CS_UNROLL for (int v = 0; v < 4 * CS_NAME(CHAINS); v++) acc[v] = vbfmmlaq_f32(acc[v], one, other);
    float sum = 0;
    CS_UNROLL for (int v = 0; v < 4 * CS_NAME(CHAINS); v++) sum += acc[v][0];
    return sum;
#elif defined(CS_HAS_BF16_DOT)
    __m512 acc[CS_NAME(CHAINS)];
    __m512bh one = (__m512bh)_mm512_set1_epi32(0x3f803f80 + first), other = (__m512bh)_mm512_set1_epi32(0x3c003c00);
    CS_UNROLL for (int v = 0; v < CS_NAME(CHAINS); v++) acc[v] = _mm512_set1_ps((float)v);
    for (int i = 0; i < rounds; i++)
        CS_UNROLL for (int v = 0; v < CS_NAME(CHAINS); v++) acc[v] = _mm512_dpbf16_ps(acc[v], one, other);
    __m512 sum = acc[0];
    CS_UNROLL for (int v = 1; v < CS_NAME(CHAINS); v++) sum = _mm512_add_ps(sum, acc[v]);
    return ((f32x16)sum)[0];
#else
    (void)rounds, (void)first;
    return 0;
#endif
}

/// Products of bytes: by the level's own instruction, else as pairs of 16 bits.
static int32_t CS_NAME(peak_int8)(int rounds, int first) {
#if defined(CS_HAS_AVX512)
    __m512i acc[CS_NAME(CHAINS)], one = _mm512_set1_epi32(0x00010001 + first), other = _mm512_set1_epi32(0x00020002);
    CS_UNROLL for (int v = 0; v < CS_NAME(CHAINS); v++) acc[v] = _mm512_set1_epi32(v);
    for (int i = 0; i < rounds; i++)
        CS_UNROLL for (int v = 0; v < CS_NAME(CHAINS); v++) {
#if defined(CS_HAS_VNNI)
            acc[v] = _mm512_dpbusd_epi32(acc[v], one, other);
#else
            acc[v] = _mm512_add_epi32(acc[v], _mm512_madd_epi16(_mm512_xor_si512(one, acc[v]), other));
#endif
        }
    __m512i sum = acc[0];
    CS_UNROLL for (int v = 1; v < CS_NAME(CHAINS); v++) sum = _mm512_add_epi32(sum, acc[v]);
    return ((i32x16)sum)[0];
#elif defined(CS_HAS_AVX2)
    __m256i acc[2 * CS_NAME(CHAINS)], one = _mm256_set1_epi32(0x00010001 + first), other = _mm256_set1_epi32(0x00020002);
    CS_UNROLL for (int v = 0; v < 2 * CS_NAME(CHAINS); v++) acc[v] = _mm256_set1_epi32(v);
    for (int i = 0; i < rounds; i++)
        CS_UNROLL for (int v = 0; v < 2 * CS_NAME(CHAINS); v++) {
#if defined(CS_HAS_VNNI)
            acc[v] = _mm256_dpbusd_avx_epi32(acc[v], one, other);
#else
            acc[v] = _mm256_add_epi32(acc[v], _mm256_madd_epi16(_mm256_xor_si256(one, acc[v]), other));
#endif
        }
    int32_t sum = 0;
    CS_UNROLL for (int v = 0; v < 2 * CS_NAME(CHAINS); v++) sum += _mm256_extract_epi32(acc[v], 0);
    return sum;
#elif defined(CS_HAS_DOTPROD) || defined(CS_HAS_I8MM)
    int32x4_t acc[4 * CS_NAME(CHAINS)];
    int8x16_t one = vdupq_n_s8((int8_t)(1 + first)), other = vdupq_n_s8(2);
    CS_UNROLL for (int v = 0; v < 4 * CS_NAME(CHAINS); v++) acc[v] = vdupq_n_s32(v);
    for (int i = 0; i < rounds; i++)
        CS_UNROLL for (int v = 0; v < 4 * CS_NAME(CHAINS); v++)
#if defined(CS_HAS_I8MM)
            acc[v] = vusmmlaq_s32(acc[v], vreinterpretq_u8_s8(one), other);
#else
            acc[v] = vdotq_s32(acc[v], one, other);
#endif
    int32_t sum = 0;
    CS_UNROLL for (int v = 0; v < 4 * CS_NAME(CHAINS); v++) sum += acc[v][0];
    return sum;
#else
    (void)rounds, (void)first;
    return 0;
#endif
}

/// Operations of one round, a multiply-add counted as two; 0 where the level has no such instruction.
static int CS_NAME(peak_operations)(cs_arithmetic arithmetic) {
    switch (arithmetic) {
    case CS_ARITHMETIC_F32: return CS_NAME(CHAINS) * 16 * 2;
#if defined(CS_HAS_BF16_DOT) && defined(__aarch64__)
    case CS_ARITHMETIC_BF16: return 4 * CS_NAME(CHAINS) * 16 * 2;
#elif defined(CS_HAS_BF16_DOT)
    case CS_ARITHMETIC_BF16: return CS_NAME(CHAINS) * 32 * 2;
#endif
#if defined(CS_HAS_I8MM)
    case CS_ARITHMETIC_INT8: return 4 * CS_NAME(CHAINS) * 32 * 2;
#elif defined(CS_HAS_DOTPROD)
    case CS_ARITHMETIC_INT8: return 4 * CS_NAME(CHAINS) * 16 * 2;
#elif defined(CS_HAS_VNNI)
    case CS_ARITHMETIC_INT8: return CS_NAME(CHAINS) * 64 * 2;
#elif defined(CS_HAS_AVX512) || defined(CS_HAS_AVX2)
    case CS_ARITHMETIC_INT8: return CS_NAME(CHAINS) * 32 * 2;
#endif
    default: return 0;
    }
}
