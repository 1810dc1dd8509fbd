// One head's row of keys or values as codes of a byte with one scale.

/// int8 (two's complement) or e4m3 codes [count, rounded up to 16]; returns the scale: the largest magnitude becomes 127 or
/// 448. Where a number is not finite, neither is the scale, and the codes are 0, so that what is computed from them is NaN.
static float CS_NAME(encode)(cs_type type, const float *x, int count, uint8_t *codes) {
    const float top = type == CS_I8 ? 127.0f : 448.0f;
    u32x16 most = 0;
    for (int i = 0; i < count; i += 16) {
        f32x16 value = i + 16 <= count ? CS_NAME(load)(x + i) : CS_NAME(load_some)(x + i, count - i);
        // Magnitudes as integers are in the order of the numbers, NaN above all.
        u32x16 magnitude = (u32x16)value & 0x7fffffffu;
        most = magnitude > most ? magnitude : most;
    }
    uint32_t bits = 0;
    for (int i = 0; i < 16; i++) bits = most[i] > bits ? most[i] : bits;
    float largest;
    memcpy(&largest, &bits, 4);
    // The inverse of a denormal scale would be infinite: so small a row is zero.
    bool usable = largest >= FLT_MIN * 512 && largest <= FLT_MAX;
    float inverse = usable ? top / largest : 0;
    for (int i = 0; i < count; i += 16) {
        f32x16 value = i + 16 <= count ? CS_NAME(load)(x + i) : CS_NAME(load_some)(x + i, count - i);
        f32x16 scaled = value * inverse;
        u32x16 code;
        if (type == CS_I8) {
            // Adding 1.5 * 2^23 rounds to the nearest even integer and leaves it in the low bits.
            f32x16 rounded = scaled + (f32x16)0x1.8p23f;
            code = (u32x16)((i32x16)rounded - 0x4b400000);
        } else {
            u32x16 magnitude = (u32x16)scaled & 0x7fffffffu;
            // Normal numbers: three bits of fraction, exponents counted from -7. Below 2^-6: multiples of 2^-9.
            u32x16 normal = ((magnitude + 0x7ffffu + ((magnitude >> 20) & 1)) >> 20) - (120u << 3);
            u32x16 small = (u32x16)((f32x16)magnitude + (f32x16)0x1p14f) - 0x46800000u;
            code = ((f32x16)magnitude < (f32x16)0x1p-6f ? small : normal) | ((u32x16)scaled >> 31 << 7);
        }
        if (!usable) code = 0;
        for (int j = 0; j < 16; j++) codes[i + j] = (uint8_t)code[j];
    }
    return largest > FLT_MAX || largest != largest ? NAN : usable ? largest / top : 0;
}
