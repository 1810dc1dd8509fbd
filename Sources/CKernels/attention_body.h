// Flash-style attention of up to 48 query rows of one KV head: online softmax over tiles of 64 absolute positions.
//
// Both products are the register tile of gemm_tile.h: scores = q [rows, dim] x keys [dim][64 positions], then
// out += weights [rows, 64] x values [64 positions][64 components]. A row's numbers depend on its own query and the cached
// keys and values at its visible positions only: tiles that others need and it does not see leave its state unchanged.

#include "gemm_tile.h"

/// `count` cached numbers as f32.
CS_INLINE void CS_NAME(widen)(const cs_type type, const void *from, int count, float *out) {
    const float *words = from;
    const uint16_t *halves = from;
    int i = 0;
    for (; i + 16 <= count; i += 16)
        CS_NAME(store)(
            out + i, type == CS_F32    ? CS_NAME(load)(words + i)
                     : type == CS_BF16 ? CS_NAME(load_bf16)(halves + i)
                                       : CS_NAME(load_f16)(halves + i));
    for (; i < count; i++)
        out[i] = type == CS_F32 ? words[i] : type == CS_BF16 ? cs_bf16_to_f32(halves[i]) : cs_f16_to_f32(halves[i]);
}

/// Reads positions first ..< limit (at most one tile) of one head: keys [dim][64], values [panel][64][64]; the rest of
/// the tile is zero.
CS_INLINE void CS_NAME(read_tile)(
    const cs_type type, const cs_kv_layer *layer, int kv_head, const int32_t *blocks, int first, int limit, float *keys,
    float *values) {
    const int dim = layer->head_dim, size = layer->block_size;
    const size_t bytes = cs_type_bytes(type), head = (size_t)size * dim * bytes;
    int end = limit - first < CS_ATTENTION_TILE ? limit - first : CS_ATTENTION_TILE;
    if (end < CS_ATTENTION_TILE) {
        memset(keys, 0, (size_t)dim * CS_ATTENTION_TILE * sizeof(float));
        memset(values, 0, (size_t)(dim + 63) / 64 * 64 * CS_ATTENTION_TILE * sizeof(float));
    }
    for (int j = 0; j < end;) {
        int slot = (first + j) % size;
        int run = size - slot < end - j ? size - slot : end - j;
        const char *block = (const char *)layer->base + (size_t)blocks[(first + j) / size] * 2 * layer->kv_heads * head;
        const char *k = block + kv_head * head + slot * bytes;
        const char *v = block + (layer->kv_heads + kv_head) * head + (size_t)slot * dim * bytes;
        if (run == 16) {
            for (int d = 0; d < dim; d++)
                CS_NAME(widen)(type, k + (size_t)d * size * bytes, 16, keys + d * CS_ATTENTION_TILE + j);
        } else {
            for (int d = 0; d < dim; d++)
                CS_NAME(widen)(type, k + (size_t)d * size * bytes, run, keys + d * CS_ATTENTION_TILE + j);
        }
        for (int i = 0; i < run; i++)
            for (int d = 0; d < dim; d += CS_PANEL)
                CS_NAME(widen)(
                    type, v + ((size_t)i * dim + d) * bytes, dim - d < CS_PANEL ? dim - d : CS_PANEL,
                    values + (size_t)d * CS_ATTENTION_TILE + (j + i) * CS_PANEL);
        j += run;
    }
}

typedef struct CS_NAME(row_state) {
    float largest;
    float sum;
} CS_NAME(row_state);

/// Turns a row's raw scores of a tile into weights; returns what its earlier sums are to be multiplied with.
static float CS_NAME(weigh)(
    const cs_attention_args *args, float *scores, int first, int position, CS_NAME(row_state) *state) {
    const i32x16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    int lowest = args->window > 0 ? position - args->window + 1 : 0;
    f32x16 s[4], most = (f32x16)-INFINITY;
    CS_UNROLL for (int v = 0; v < 4; v++) {
        i32x16 key = lane + (first + v * 16);
        s[v] = CS_NAME(load)(scores + v * 16) * args->scale;
        if (args->softcap > 0) s[v] = args->softcap * CS_NAME(vtanh)(s[v] / args->softcap);
        s[v] = CS_NAME(select)((key <= position) & (key >= lowest), s[v], (f32x16)-INFINITY);
        most = CS_NAME(vmax)(s[v], most);
    }
    float largest = CS_NAME(largest)(most);
    if (largest < state->largest) largest = state->largest;
    if (largest == -INFINITY) {  // nothing seen yet
        memset(scores, 0, CS_ATTENTION_TILE * sizeof(float));
        return 1;
    }
    float factor = CS_NAME(vexp)((f32x16)(state->largest - largest))[0];
    CS_UNROLL for (int v = 0; v < 4; v++) {
        s[v] = CS_NAME(vexp)(s[v] - largest);
        CS_NAME(store)(scores + v * 16, s[v]);
    }
    state->sum = state->sum * factor + CS_NAME(sum)((s[0] + s[1]) + (s[2] + s[3]));
    state->largest = largest;
    return factor;
}

static void CS_NAME(attention_block)(
    const cs_attention_args *args, const cs_attention_entry *entry, int kv_head, int first, int count, float *scratch) {
    const cs_kv_layer *layer = &args->layer;
    const int dim = layer->head_dim, group = args->heads / layer->kv_heads;
    const int padded = (dim + CS_PANEL - 1) / CS_PANEL * CS_PANEL;
    float *keys = scratch, *values = keys + (size_t)dim * CS_ATTENTION_TILE;
    float *scores = values + (size_t)padded * CS_ATTENTION_TILE;
    float *queries = scores + CS_QUERY_ROWS * CS_ATTENTION_TILE;
    float *sums = queries + (size_t)CS_QUERY_ROWS * dim;
    CS_NAME(row_state) state[CS_QUERY_ROWS];
    for (int r = 0; r < count; r++) {
        size_t row = (size_t)(entry->first_row + (first + r) / group), head = (size_t)(kv_head * group + (first + r) % group);
        memcpy(queries + (size_t)r * dim, args->q + row * args->q_stride + head * dim, (size_t)dim * sizeof(float));
        state[r].largest = -INFINITY;
        state[r].sum = 0;
    }
    memset(sums, 0, (size_t)count * padded * sizeof(float));
    memset(values, 0, (size_t)padded * CS_ATTENTION_TILE * sizeof(float));
    int lowest = entry->first_position + first / group, highest = entry->first_position + (first + count - 1) / group;
    int start = args->window > 0 && lowest - args->window + 1 > 0 ? lowest - args->window + 1 : 0;
    for (int tile = start / CS_ATTENTION_TILE * CS_ATTENTION_TILE; tile <= highest; tile += CS_ATTENTION_TILE) {
        int limit = entry->first_position + entry->rows;
        switch (layer->type) {
        case CS_F32: CS_NAME(read_tile)(CS_F32, layer, kv_head, entry->blocks, tile, limit, keys, values); break;
        case CS_BF16: CS_NAME(read_tile)(CS_BF16, layer, kv_head, entry->blocks, tile, limit, keys, values); break;
        case CS_F16: CS_NAME(read_tile)(CS_F16, layer, kv_head, entry->blocks, tile, limit, keys, values); break;
        default: break;
        }
        CS_NAME(product_f32)(count, dim, queries, (size_t)dim, keys, scores, CS_ATTENTION_TILE, false);
        for (int r = 0; r < count; r++) {
            int position = entry->first_position + (first + r) / group;
            float factor = CS_NAME(weigh)(args, scores + r * CS_ATTENTION_TILE, tile, position, &state[r]);
            for (int d = 0; d < padded; d++) sums[(size_t)r * padded + d] *= factor;
        }
        for (int d = 0; d < padded; d += CS_PANEL)
            CS_NAME(product_f32)(
                count, CS_ATTENTION_TILE, scores, CS_ATTENTION_TILE, values + (size_t)d * CS_ATTENTION_TILE, sums + d,
                (size_t)padded, true);
    }
    for (int r = 0; r < count; r++) {
        size_t row = (size_t)(entry->first_row + (first + r) / group), head = (size_t)(kv_head * group + (first + r) % group);
        float *out = args->out + row * args->out_stride + head * dim;
        for (int d = 0; d < dim; d++) out[d] = sums[(size_t)r * padded + d] / state[r].sum;
    }
}
#undef CS_STRIP
