// What the products with weights made of codes share: how a chunk of quantised activations lies in a thread's scratch.
#ifndef CS_CODES_H
#define CS_CODES_H

#include "table.h"
#include "vector_types.h"

enum {
    /// Inputs that share one scale of the activations.
    CS_INPUT_BLOCK = 128,
    /// Inputs that many tiles of a chunk pass over at a time: 16 kB of bytes, which stay in the first-level cache. One or
    /// two tiles take all inputs, so that the machine sees a stream and reads ahead.
    CS_SHORT_RUN = 256,
};

/// Inputs of one integer sum: a weight group, at most a block.
static inline int cs_sum_inputs(cs_format format) {
    return format.group > 0 && format.group < CS_INPUT_BLOCK ? format.group : CS_INPUT_BLOCK;
}

/// A tile of rows of x: codes [inputs / 4][rows][4], then per sum the integer that it starts at (or, with minimums, minus
/// the sum of the codes as f32) [sums][rows], then a scale per block [blocks][rows]. All counts are per row.
typedef struct cs_tile_layout {
    int inputs;  // padded to 8
    int sum_inputs;
    int sums;
    int blocks;
    size_t row_bytes;
} cs_tile_layout;

static inline cs_tile_layout cs_tile_layout_of(const cs_linear_args *args) {
    cs_tile_layout layout;
    layout.inputs = (args->inputs + 7) / 8 * 8;
    layout.sum_inputs = cs_sum_inputs(args->format);
    layout.sums = (args->inputs + layout.sum_inputs - 1) / layout.sum_inputs;
    layout.blocks = (args->inputs + CS_INPUT_BLOCK - 1) / CS_INPUT_BLOCK;
    layout.row_bytes = (size_t)layout.inputs + 4 * (size_t)(layout.sums + layout.blocks);
    return layout;
}

/// Rows per register tile: with small groups the float sums stay in registers beside the integer ones.
static inline int cs_code_tile(cs_format format) { return cs_sum_inputs(format) < CS_INPUT_BLOCK ? 3 : CS_ROW_TILE; }

/// A thread's room for one panel.
typedef struct cs_code_room {
    float sums[CS_CHUNK_ROWS * CS_PANEL];
    uint8_t codes[CS_SHORT_RUN * CS_PANEL];
    // e4m3 only: a block of weights as f32, and its products.
    float wide[CS_INPUT_BLOCK * CS_PANEL];
    float products[CS_CHUNK_ROWS * CS_PANEL];
} cs_code_room;

#endif
