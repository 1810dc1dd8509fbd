// Weights made of codes: their bytes, the numbers that they stand for, and packing into panels.

#include <math.h>
#include <string.h>

#include "table.h"
#include "vector_types.h"

size_t cs_format_groups(cs_format format, size_t columns) {
    return format.group > 0 ? (columns + (size_t)format.group - 1) / (size_t)format.group : 1;
}

static size_t code_bytes(cs_format format, size_t columns) {
    size_t padded = (columns + 7) / 8 * 8;
    return CS_PANEL * padded / (format.type == CS_I4 ? 2 : 1);
}

size_t cs_panel_bytes(cs_format format, size_t columns) {
    if (!cs_is_coded(format.type)) return cs_packed_bytes(format.type, CS_PANEL, columns);
    size_t scales = CS_PANEL * cs_format_groups(format, columns) * cs_type_bytes(format.scale_type);
    return (code_bytes(format, columns) + scales * (format.has_minimums ? 2 : 1) + 63) / 64 * 64;
}

size_t cs_format_bytes(cs_format format, size_t rows, size_t columns) {
    return (rows + CS_PANEL - 1) / CS_PANEL * cs_panel_bytes(format, columns);
}

// MARK: Numbers

/// e4m3fn: no infinities, one NaN per sign, largest 448, smallest 2^-9.
float cs_f8_to_f32(uint8_t code) {
    int exponent = code >> 3 & 15, fraction = code & 7;
    if (exponent == 15 && fraction == 7) return NAN;
    float size = exponent == 0 ? ldexpf((float)fraction, -9) : ldexpf((float)(8 + fraction), exponent - 10);
    return code & 0x80 ? -size : size;
}

/// To the nearest, ties to even; beyond 448 becomes 448, NaN stays NaN.
uint8_t cs_f32_to_f8(float value) {
    uint8_t sign = signbit(value) ? 0x80 : 0;
    float size = fabsf(value);
    if (size != size) return sign | 0x7f;
    if (size >= 448) return sign | 0x7e;
    int exponent = 0;
    frexpf(size, &exponent);
    if (exponent < -5) exponent = -5;
    // Steps of this binade: 2^(exponent - 4), at least 2^-9. A step count of 16 is the next binade's 8.
    int steps = (int)rintf(ldexpf(size, 4 - exponent));
    if (steps == 16) {
        steps = 8;
        exponent++;
    }
    if (steps < 8) return sign | (uint8_t)steps;
    return sign | (uint8_t)((exponent + 6) << 3) | (uint8_t)(steps - 8);
}

static void write_scale(cs_type type, void *to, size_t index, float value) {
    if (type == CS_F32) ((float *)to)[index] = value;
    if (type == CS_BF16) ((uint16_t *)to)[index] = cs_f32_to_bf16(value);
    if (type == CS_F16) ((uint16_t *)to)[index] = cs_f32_to_f16(value);
}

// MARK: Codes as numbers

void cs_dequantize_row(
    cs_format format, const uint8_t *codes, const float *scales, const float *minimums, size_t columns, float *row) {
    const int zero = format.type == CS_I8 ? 128 : 8;
    for (size_t i = 0; i < columns; i++) {
        size_t g = format.group > 0 ? i / (size_t)format.group : 0;
        row[i] = format.type == CS_F8     ? scales[g] * cs_f8_to_f32(codes[i])
                 : format.has_minimums    ? scales[g] * (float)codes[i] - minimums[g]
                                          : scales[g] * (float)((int)codes[i] - zero);
    }
}

// MARK: Packing

void cs_pack_codes(
    cs_format format, void *packed, size_t first_row, size_t columns, const uint8_t *codes, const float *scales,
    const float *minimums, size_t count) {
    const size_t groups = cs_format_groups(format, columns), bytes = code_bytes(format, columns);
    for (size_t r = 0; r < count; r++) {
        const size_t lane = (first_row + r) % CS_PANEL;
        char *panel = (char *)packed + (first_row + r) / CS_PANEL * cs_panel_bytes(format, columns);
        const uint8_t *row = codes + r * columns;
        uint8_t *to = (uint8_t *)panel;
        size_t k = 0;
        for (; k + 8 <= columns; k += 8) {
            if (format.type == CS_I4) {
                uint8_t pairs[4];
                CS_UNROLL for (int b = 0; b < 4; b++) pairs[b] = (uint8_t)(row[k + b] | row[k + 4 + b] << 4);
                memcpy(to + k * CS_PANEL / 2 + lane * 4, pairs, 4);
            } else {
                memcpy(to + k * CS_PANEL + lane * 4, row + k, 4);
                memcpy(to + (k + 4) * CS_PANEL + lane * 4, row + k + 4, 4);
            }
        }
        for (; k < columns; k++) {
            if (format.type == CS_I4) {
                uint8_t *byte = to + k / 8 * 8 * CS_PANEL / 2 + lane * 4 + k % 4;
                *byte |= (uint8_t)(row[k] << (k % 8 < 4 ? 0 : 4));
            } else {
                to[k / 4 * 4 * CS_PANEL + lane * 4 + k % 4] = row[k];
            }
        }
        char *tail = panel + bytes;
        for (size_t g = 0; g < groups; g++) write_scale(format.scale_type, tail, g * CS_PANEL + lane, scales[r * groups + g]);
        if (!format.has_minimums) continue;
        tail += CS_PANEL * groups * cs_type_bytes(format.scale_type);
        for (size_t g = 0; g < groups; g++)
            write_scale(format.scale_type, tail, g * CS_PANEL + lane, minimums[r * groups + g]);
    }
}
