// The paged cache's bytes as every level reads them, and what one attention item is.
#ifndef CS_ATTENTION_H
#define CS_ATTENTION_H

#include "table.h"

enum {
    /// Positions whose same components are one vector.
    CS_RUN = 16,
    /// Runs of a tile.
    CS_TILE_RUNS = CS_ATTENTION_TILE / CS_RUN,
    /// Query rows that read the cache in its own type; more share a tile that is widened once.
    CS_FEW_ROWS = 8,
    /// Floats beside a row's sums: its largest score, its weights' sum, and room that keeps rows on cache lines.
    CS_RECORD_TAIL = 16,
    /// Bytes at the end of each thread's scratch that hold rows of split items.
    CS_SPLIT_BYTES = 128 << 10,
};

/// Blocks of whole runs and heads of whole vectors are stored as the products read them; others row by row.
static inline bool cs_kv_in_runs(const cs_kv_layer *layer) {
    return layer->block_size % CS_RUN == 0 && layer->head_dim % CS_RUN == 0;
}

static inline bool cs_kv_has_scales(cs_type type) { return type == CS_I8 || type == CS_F8; }

/// Bytes of one head's keys (or values) in a block, and from the head's start to the scales.
static inline size_t cs_kv_part_bytes(const cs_kv_layer *layer) {
    return (size_t)layer->block_size * (size_t)layer->head_dim * cs_type_bytes(layer->type);
}
static inline size_t cs_kv_scale_offset(const cs_kv_layer *layer) { return (2 * cs_kv_part_bytes(layer) + 3) / 4 * 4; }

static inline char *cs_kv_head(const cs_kv_layer *layer, int block, int head) {
    size_t bytes = cs_kv_block_bytes(layer->type, layer->kv_heads, layer->head_dim, layer->block_size);
    return (char *)layer->base + (size_t)block * bytes + (size_t)head * (bytes / (size_t)layer->kv_heads);
}

/// Numbers of a head, rounded up to whole vectors.
static inline int cs_padded_dim(int head_dim) { return (head_dim + CS_RUN - 1) / CS_RUN * CS_RUN; }
/// Floats of one row's record: sums [padded dim], largest score, sum of weights.
static inline size_t cs_record_floats(int head_dim) { return (size_t)cs_padded_dim(head_dim) + CS_RECORD_TAIL; }
/// Query rows of an item.
static inline int cs_query_rows(int head_dim) { return head_dim <= CS_MAX_HEAD_DIM / 2 ? CS_QUERY_ROWS : CS_QUERY_ROWS / 2; }

/// Query rows first ..< first + count (a query's heads of one group side by side) of one KV head of one entry.
typedef struct cs_attention_item {
    const cs_attention_args *args;
    const cs_attention_entry *entry;
    int kv_head;
    int first;
    int count;
} cs_attention_item;

static inline int cs_item_position(const cs_attention_item *item, int row) {
    return item->entry->first_position + (item->first + row) / (item->args->heads / item->args->layer.kv_heads);
}
/// The lowest position that a query at `position` sees.
static inline int cs_lowest_seen(const cs_attention_args *args, int position) {
    return args->window > 0 && position >= args->window ? position - args->window + 1 : 0;
}
static inline int cs_first_span(const cs_attention_item *item) {
    return cs_lowest_seen(item->args, cs_item_position(item, 0)) / CS_ATTENTION_SPAN;
}
static inline int cs_last_span(const cs_attention_item *item) {
    return cs_item_position(item, item->count - 1) / CS_ATTENTION_SPAN;
}

#endif
