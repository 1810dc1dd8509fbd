// AMX tiles under names of our own, so that the same blocking runs on the machine's tiles or, where CS_AMX_MODEL names a
// header that computes them in software, on a machine without any.
//
// A tile is up to 16 rows of 64 bytes. Numbers 0 to 7 stand for registers, so they must be literals.
#ifndef CS_AMX_H
#define CS_AMX_H

#include "table.h"
#include "vector_types.h"

#define CS_AMX_BASE "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni"
#if defined(CS_AMX_MODEL)
#include CS_AMX_MODEL
#define CS_AMX_TARGET CS_AMX_BASE
#else
#define CS_AMX_TARGET CS_AMX_BASE ",amx-tile,amx-bf16,amx-int8"
#define CS_TILE_CONFIGURE(shapes) _tile_loadconfig(shapes)
#define CS_TILE_RELEASE() _tile_release()
#define CS_TILE_ZERO(tile) _tile_zero(tile)
#define CS_TILE_LOAD(tile, from, stride) _tile_loadd(tile, from, stride)
#define CS_TILE_STORE(tile, to, stride) _tile_stored(tile, to, stride)
/// sum += bf16 rows * bf16 columns.
#define CS_TILE_BF16(sum, rows, columns) _tile_dpbf16ps(sum, rows, columns)
/// sum += signed byte rows * unsigned byte columns.
#define CS_TILE_BYTES(sum, rows, columns) _tile_dpbsud(sum, rows, columns)
#endif

enum {
    CS_TILE_ROWS = 16,
    CS_TILE_BYTES_WIDE = 64,
    /// Inputs of a tile in bf16.
    CS_TILE_INPUTS = 32,
};

/// Palette 1: bytes per row and rows of each tile. Source: Intel SDM, volume 2A, LDTILECFG.
typedef struct cs_tile_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} cs_tile_shapes;

/// One tile's shape.
static inline void cs_shape_tile(cs_tile_shapes *shapes, int tile, int rows, int row_bytes) {
    shapes->rows[tile] = (uint8_t)rows;
    shapes->row_bytes[tile] = (uint16_t)row_bytes;
}

#endif
