// Loads, stores, sums and the elementary functions over 16 lanes, compiled anew for each level (no include guard).

CS_INLINE f32x16 CS_NAME(splat)(float value) { return (f32x16)value; }
CS_INLINE f32x16 CS_NAME(load)(const float *from) { return *(const f32x16_any *)from; }
CS_INLINE void CS_NAME(store)(float *to, f32x16 value) { *(f32x16_any *)to = value; }

/// a * b + c, rounded once where the machine can.
CS_INLINE f32x16 CS_NAME(madd)(f32x16 a, f32x16 b, f32x16 c) {
#if defined(CS_HAS_FMA)
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

CS_INLINE f32x16 CS_NAME(select)(i32x16 mask, f32x16 yes, f32x16 no) {
    return (f32x16)((mask & (i32x16)yes) | (~mask & (i32x16)no));
}

CS_INLINE f32x16 CS_NAME(vmax)(f32x16 a, f32x16 b) { return CS_NAME(select)(a > b, a, b); }
CS_INLINE f32x16 CS_NAME(vmin)(f32x16 a, f32x16 b) { return CS_NAME(select)(a < b, a, b); }

/// The sum of 16 lanes as a tree: always the same order.
CS_INLINE float CS_NAME(sum)(f32x16 a) {
    float lane[16];
    CS_NAME(store)(lane, a);
    CS_UNROLL for (int width = 8; width > 0; width /= 2)
        CS_UNROLL for (int i = 0; i < width; i++) lane[i] += lane[i + width];
    return lane[0];
}

CS_INLINE float CS_NAME(largest)(f32x16 a) {
    __attribute__((ext_vector_type(8))) float eight = a.lo > a.hi ? a.lo : a.hi;
    __attribute__((ext_vector_type(4))) float four = eight.lo > eight.hi ? eight.lo : eight.hi;
    __attribute__((ext_vector_type(2))) float two = four.lo > four.hi ? four.lo : four.hi;
    return two.x > two.y ? two.x : two.y;
}

CS_INLINE f32x16 CS_NAME(load_bf16)(const uint16_t *from) {
    u32x16 wide = __builtin_convertvector(*(const u16x16_any *)from, u32x16);
    return (f32x16)(wide << 16);
}

CS_INLINE f32x16 CS_NAME(load_f16)(const uint16_t *from) {
#if defined(CS_HAS_AVX512)
    return (f32x16)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)from));
#elif defined(CS_HAS_AVX2)
    f32x16 wide;
    wide.lo = (typeof(wide.lo))_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from));
    wide.hi = (typeof(wide.hi))_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(from + 8)));
    return wide;
#else
    u32x16 half = __builtin_convertvector(*(const u16x16_any *)from, u32x16);
    u32x16 magnitude = (u32x16)((f32x16)((half & 0x7fff) << 13) * 0x1p112f);
    magnitude |= (u32x16)((half & 0x7c00) == 0x7c00) & 0x7f800000u;
    return (f32x16)(magnitude | ((half & 0x8000) << 16));
#endif
}

#if defined(CS_HAS_BF16_DOT)
/// sum[i] += x's pair of bf16 * pair i of w.
CS_INLINE f32x16 CS_NAME(dot_pairs)(f32x16 sum, uint32_t x, u32x16 w) {
#if defined(__x86_64__)
    return (f32x16)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int)x), (__m512bh)w);
#else
    const bfloat16x8_t row = vreinterpretq_bf16_u32(vdupq_n_u32(x));
    float32x4_t part[4];
    bfloat16x8_t pair[4];
    memcpy(part, &sum, sizeof part);
    memcpy(pair, &w, sizeof pair);
    CS_UNROLL for (int i = 0; i < 4; i++) part[i] = vbfdotq_f32(part[i], row, pair[i]);
    memcpy(&sum, part, sizeof sum);
    return sum;
#endif
}

/// Rounds 16 numbers to 8 pairs of bf16, to nearest even.
CS_INLINE void CS_NAME(to_pairs)(f32x16 values, uint32_t *pairs) {
#if defined(__x86_64__)
    _mm256_storeu_si256((__m256i *)(void *)pairs, (__m256i)_mm512_cvtneps_pbh((__m512)values));
#else
    float32x4_t part[4];
    memcpy(part, &values, sizeof part);
    CS_UNROLL for (int i = 0; i < 4; i += 2) {
        bfloat16x8_t rounded = vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(part[i]), part[i + 1]);
        vst1q_u32(pairs + 2 * i, vreinterpretq_u32_bf16(rounded));
    }
#endif
}
#endif

/// `count` (at most 16) numbers of a row of any type as f32; the other lanes are zero.
CS_INLINE f32x16 CS_NAME(load_some)(const float *from, int count) {
    f32x16 value = 0;
    memcpy(&value, from, (size_t)count * sizeof(float));
    return value;
}

/// e^x, within 2 ulp for -87.3 <= x <= 88.7; 0 below, infinity above. Source: Cephes expf, range halved by ln 2.
CS_INLINE f32x16 CS_NAME(vexp)(f32x16 x) {
    const f32x16 round = (f32x16)0x1.8p23f;
    f32x16 clamped = CS_NAME(vmax)(CS_NAME(vmin)(x, (f32x16)88.8f), (f32x16)-87.5f);
    f32x16 n = CS_NAME(madd)(clamped, (f32x16)0x1.715476p0f, round) - round;
    f32x16 r = CS_NAME(madd)(n, (f32x16)-0x1.63p-1f, clamped);
    r = CS_NAME(madd)(n, (f32x16)0x1.bd0106p-13f, r);
    f32x16 p = CS_NAME(madd)((f32x16)1.9875691500e-4f, r, (f32x16)1.3981999507e-3f);
    p = CS_NAME(madd)(p, r, (f32x16)8.3334519073e-3f);
    p = CS_NAME(madd)(p, r, (f32x16)4.1665795894e-2f);
    p = CS_NAME(madd)(p, r, (f32x16)1.6666665459e-1f);
    p = CS_NAME(madd)(p, r, (f32x16)5.0000001201e-1f);
    p = CS_NAME(madd)(p * r, r, r) + 1.0f;
    // 2^n in two factors, so that n = 128 does not overflow before the product does.
    i32x16 exponent = __builtin_convertvector(n, i32x16);
    i32x16 half = exponent >> 1;
    f32x16 scale1 = (f32x16)((half + 127) << 23);
    f32x16 scale2 = (f32x16)((exponent - half + 127) << 23);
    f32x16 result = p * scale1 * scale2;
    result = CS_NAME(select)(x < (f32x16)-87.33654f, (f32x16)0.0f, result);
    result = CS_NAME(select)(x > (f32x16)88.72284f, (f32x16)INFINITY, result);
    return CS_NAME(select)(x == x, result, x);
}

/// 2^x for x <= 0, within 2 ulp; 0 below -126 and at -infinity, NaN at NaN. Source: Cephes exp2f's polynomial.
CS_INLINE f32x16 CS_NAME(vexp2)(f32x16 x) {
    // Adding 1.5 * 2^23 leaves the nearest integer in the low bits.
    f32x16 shifted = x + (f32x16)0x1.8p23f;
    f32x16 r = x - (shifted - (f32x16)0x1.8p23f);
    f32x16 p = CS_NAME(madd)((f32x16)1.535336188319500e-4f, r, (f32x16)1.339887440266574e-3f);
    p = CS_NAME(madd)(p, r, (f32x16)9.618437357674640e-3f);
    p = CS_NAME(madd)(p, r, (f32x16)5.550332471162809e-2f);
    p = CS_NAME(madd)(p, r, (f32x16)2.402264791363012e-1f);
    p = CS_NAME(madd)(p, r, (f32x16)6.931472028550421e-1f);
    p = CS_NAME(madd)(p, r, (f32x16)1.0f);
    f32x16 result = (f32x16)((i32x16)p + ((i32x16)shifted << 23));
    return CS_NAME(select)(x < (f32x16)-126.0f, (f32x16)0.0f, result);
}

/// tanh x: Cephes' polynomial below 0.625, 1 - 2 / (e^2x + 1) above.
CS_INLINE f32x16 CS_NAME(vtanh)(f32x16 x) {
    f32x16 size = (f32x16)((u32x16)x & 0x7fffffffu);
    f32x16 z = x * x;
    f32x16 p = CS_NAME(madd)((f32x16)-5.70498872745e-3f, z, (f32x16)2.06390887954e-2f);
    p = CS_NAME(madd)(p, z, (f32x16)-5.37397155531e-2f);
    p = CS_NAME(madd)(p, z, (f32x16)1.33314422036e-1f);
    p = CS_NAME(madd)(p, z, (f32x16)-3.33332819422e-1f);
    f32x16 small = CS_NAME(madd)(p * z, x, x);
    f32x16 large = 1.0f - 2.0f / (CS_NAME(vexp)(size + size) + 1.0f);
    large = (f32x16)((u32x16)large | ((u32x16)x & 0x80000000u));
    return CS_NAME(select)(size < (f32x16)0.625f, small, CS_NAME(select)(x == x, large, x));
}

/// erf x as an odd rational function on [-4, 4], where it reaches 1 in f32. Source: Eigen's generic erf.
CS_INLINE f32x16 CS_NAME(verf)(f32x16 x) {
    f32x16 v = CS_NAME(vmax)(CS_NAME(vmin)(x, (f32x16)4.0f), (f32x16)-4.0f);
    f32x16 z = v * v;
    f32x16 p = CS_NAME(madd)((f32x16)-2.72614225801306e-10f, z, (f32x16)2.77068142495902e-08f);
    p = CS_NAME(madd)(p, z, (f32x16)-2.10102402082508e-06f);
    p = CS_NAME(madd)(p, z, (f32x16)-5.69250639462346e-05f);
    p = CS_NAME(madd)(p, z, (f32x16)-7.34990630326855e-04f);
    p = CS_NAME(madd)(p, z, (f32x16)-2.95459980854025e-03f);
    p = CS_NAME(madd)(p, z, (f32x16)-1.60960333262415e-02f) * v;
    f32x16 q = CS_NAME(madd)((f32x16)-1.45660718464996e-05f, z, (f32x16)-2.13374055278905e-04f);
    q = CS_NAME(madd)(q, z, (f32x16)-1.68282697438203e-03f);
    q = CS_NAME(madd)(q, z, (f32x16)-7.37332916720468e-03f);
    q = CS_NAME(madd)(q, z, (f32x16)-1.42647390514189e-02f);
    return p / q;
}
