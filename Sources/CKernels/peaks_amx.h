// Loops that do nothing but multiply AMX tiles.

#include "amx.h"

#pragma clang attribute push(__attribute__((target(CS_AMX_TARGET))), apply_to = function)

/// Four sums of full tiles that are all zero.
static void amx_zero_tiles(void) {
    cs_tile_shapes shapes = {.palette = 1};
    for (int tile = 0; tile < 8; tile++) cs_shape_tile(&shapes, tile, CS_TILE_ROWS, CS_TILE_BYTES_WIDE);
    CS_TILE_CONFIGURE(&shapes);
    CS_TILE_ZERO(0);
    CS_TILE_ZERO(1);
    CS_TILE_ZERO(2);
    CS_TILE_ZERO(3);
    CS_TILE_ZERO(4);
    CS_TILE_ZERO(5);
}

static float peak_bf16_amx(int rounds, int first) {
    float sums[CS_TILE_ROWS * 16];
    amx_zero_tiles();
    for (int i = 0; i < rounds; i++) {
        CS_TILE_BF16(0, 4, 5);
        CS_TILE_BF16(1, 4, 5);
        CS_TILE_BF16(2, 4, 5);
        CS_TILE_BF16(3, 4, 5);
    }
    CS_TILE_STORE(0, sums, CS_TILE_BYTES_WIDE);
    CS_TILE_RELEASE();
    return sums[first];
}

static int32_t peak_int8_amx(int rounds, int first) {
    int32_t sums[CS_TILE_ROWS * 16];
    amx_zero_tiles();
    for (int i = 0; i < rounds; i++) {
        CS_TILE_BYTES(0, 4, 5);
        CS_TILE_BYTES(1, 4, 5);
        CS_TILE_BYTES(2, 4, 5);
        CS_TILE_BYTES(3, 4, 5);
    }
    CS_TILE_STORE(0, sums, CS_TILE_BYTES_WIDE);
    CS_TILE_RELEASE();
    return sums[first];
}

static int peak_operations_amx(cs_arithmetic arithmetic) {
    const int rows = 4 * CS_TILE_ROWS * 16 * 2;
    if (arithmetic == CS_ARITHMETIC_F32) return peak_operations_avx512bf16(arithmetic);
    return rows * (arithmetic == CS_ARITHMETIC_BF16 ? CS_TILE_INPUTS : CS_TILE_BYTES_WIDE);
}

#pragma clang attribute pop
