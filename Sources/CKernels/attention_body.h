// Flash-style attention of up to 48 query rows of one KV head: online softmax over tiles of 64 absolute positions, in spans
// of 512 whose results are merged in order.
//
// A row's numbers depend on its own query and the cached keys and values at its visible positions only: tiles that others
// need and it does not see leave its state unchanged, and so do positions that it does not see in a tile. Few rows (decode)
// read the cache once, in its own type; many (prefill) share a tile that is widened first where its numbers need it.

#include "attention.h"
#include "gemm_tile.h"
#include "attention_tile.h"

// MARK: Tiles

/// A thread's room for one item; see CS_NAME(room).
typedef struct CS_NAME(attention_room) {
    float *records;     // [rows][record]: the span at hand
    float *totals;      // [rows][record]: the spans before
    uint32_t *queries;  // [rows][words]
    float *scores;      // [rows][64]
    uint32_t *weights;  // [rows][words of 64 positions]
    char *staged;       // a widened tile
    f32x16 *sums;       // [rows]: weights' sums, lane by lane
    float *factors;     // [rows, up to 16]: of what was summed before a tile
    float *largest;     // [rows]: scores
    size_t query_words, weight_words, record;
    int padded, rows;
    cs_type wide;       // what staged tiles hold
    bool stages;
    float key_scales[CS_ATTENTION_TILE], value_scales[CS_ATTENTION_TILE];
} CS_NAME(attention_room);

static void CS_NAME(room)(const cs_attention_item *item, float *scratch, CS_NAME(attention_room) *room) {
    const cs_kv_layer *layer = &item->args->layer;
    const int dim = layer->head_dim, rows = cs_query_rows(dim);
    const bool dot = CS_NAME(is_dot)(layer->type);
    room->padded = cs_padded_dim(dim);
    room->rows = item->count;
    room->record = cs_record_floats(dim);
    room->query_words = (size_t)room->padded / (dot ? 2 : 1);
    room->weight_words = CS_ATTENTION_TILE / (dot ? 2 : 1);
    room->wide = dot ? CS_BF16 : CS_F32;
    room->stages = !cs_kv_in_runs(layer) || (item->count > CS_FEW_ROWS && layer->type != room->wide);
    room->sums = (f32x16 *)(void *)scratch;
    room->records = (float *)(room->sums + rows);
    room->totals = room->records + (size_t)rows * room->record;
    room->scores = room->totals + (size_t)rows * room->record;
    room->weights = (uint32_t *)(room->scores + rows * CS_ATTENTION_TILE);
    room->queries = room->weights + rows * CS_ATTENTION_TILE;
    room->factors = (float *)(room->queries + (size_t)rows * room->padded);
    room->largest = room->factors + CS_QUERY_ROWS;
    room->staged = (char *)(room->largest + CS_QUERY_ROWS);
}

/// Rounds a row of f32 to the words that tiles are multiplied with.
CS_INLINE void CS_NAME(to_words)(bool dot, const f32x16 *values, int vectors, uint32_t *words) {
#if defined(CS_HAS_BF16_DOT)
    if (dot) {
        for (int v = 0; v < vectors; v++) CS_NAME(to_pairs)(values[v], words + v * 8);
        return;
    }
#endif
    (void)dot;
    for (int v = 0; v < vectors; v++) CS_NAME(store)((float *)(void *)(words + v * 16), values[v]);
}

/// Queries times what brings scores to base 2; under a softcap, to units of the cap.
static void CS_NAME(read_queries)(const cs_attention_item *item, CS_NAME(attention_room) *room) {
    const cs_attention_args *args = item->args;
    const int dim = args->layer.head_dim, group = args->heads / args->layer.kv_heads;
    const float factor = args->softcap > 0 ? args->scale / args->softcap : args->scale * (float)M_LOG2E;
    for (int r = 0; r < item->count; r++) {
        size_t row = (size_t)(item->entry->first_row + (item->first + r) / group);
        size_t head = (size_t)(item->kv_head * group + (item->first + r) % group);
        const float *q = args->q + row * args->q_stride + head * (size_t)dim;
        for (int d = 0; d < dim; d += 16) {
            f32x16 x = (d + 16 <= dim ? CS_NAME(load)(q + d) : CS_NAME(load_some)(q + d, dim - d)) * factor;
            uint32_t *to = room->queries + (size_t)r * room->query_words;
            CS_NAME(to_words)(room->wide == CS_BF16, &x, 1, to + (room->wide == CS_BF16 ? d / 2 : d));
        }
    }
}

/// Widens one position stored row by row into a staged tile: keys [dim][16] by run, values [position][dim], pairs in bf16.
static void CS_NAME(stage_position)(
    const cs_kv_layer *layer, const char *head, int slot, int j, const CS_NAME(attention_room) *room) {
    const size_t number = cs_type_bytes(layer->type), part = cs_kv_part_bytes(layer);
    const int padded = room->padded, dim = layer->head_dim;
    char *values = room->staged + (size_t)CS_ATTENTION_TILE * padded * cs_type_bytes(room->wide);
    for (int half = 0; half < 2; half++) {
        float row[CS_MAX_HEAD_DIM + CS_RUN];
        const char *from = head + half * part + (size_t)slot * dim * number;
        if (layer->type == CS_I8 || layer->type == CS_F8) {
            for (int d = 0; d < dim; d++)
                row[d] = layer->type == CS_I8 ? (float)(int8_t)from[d] : cs_f8_to_f32((uint8_t)from[d]);
        } else {
            cs_widen(layer->type, from, (size_t)dim, row);
        }
        for (int d = dim; d < padded; d++) row[d] = 0;
        for (int d = 0; d < padded; d++) {
            size_t plain = half ? (size_t)j * padded + d : (size_t)(j / 16) * padded * 16 + (size_t)d * 16 + j % 16;
            size_t pair = half ? ((size_t)(j / 2) * padded + d) * 2 + j % 2
                               : (size_t)(j / 16) * padded * 16 + ((size_t)(d / 2) * 16 + j % 16) * 2 + d % 2;
            char *to = half ? values : room->staged;
            if (room->wide == CS_F32) ((float *)(void *)to)[plain] = row[d];
            else ((uint16_t *)(void *)to)[pair] = cs_f32_to_bf16(row[d]);
        }
    }
}

/// Widens `pairs` pairs of rows of 16 numbers.
CS_INLINE void CS_NAME(stage_rows)(
    const cs_type type, const cs_type wide, const char *from, size_t stride, int pairs, char *to, size_t to_stride) {
    for (int i = 0; i < pairs; i++) {
        if (wide == CS_BF16) {
            *(u32x16_any *)(void *)(to + (size_t)i * to_stride) = CS_NAME(load_dot)(type, from, stride, i);
        } else {
            f32x16 even, odd;
            CS_NAME(load_pair)(type, from, stride, i, &even, &odd);
            CS_NAME(store)((float *)(void *)(to + (size_t)(2 * i) * to_stride), even);
            CS_NAME(store)((float *)(void *)(to + (size_t)(2 * i + 1) * to_stride), odd);
        }
    }
}

static void CS_NAME(stage_run)(
    const cs_type type, const cs_type wide, const char *from, size_t stride, int pairs, char *to, size_t to_stride) {
#define CS_STAGE(type, wide) CS_NAME(stage_rows)(type, wide, from, stride, pairs, to, to_stride)
    switch (type) {
    case CS_BF16: CS_STAGE(CS_BF16, CS_F32); break;
    case CS_F16: CS_STAGE(CS_F16, CS_F32); break;
    case CS_I8: if (wide == CS_BF16) CS_STAGE(CS_I8, CS_BF16); else CS_STAGE(CS_I8, CS_F32); break;
    case CS_F8: if (wide == CS_BF16) CS_STAGE(CS_F8, CS_BF16); else CS_STAGE(CS_F8, CS_F32); break;
    default: break;
    }
#undef CS_STAGE
}

/// Bytes from one stored row of a run to the next: of keys block_size apart, of values head_dim apart, pairs in bf16.
CS_INLINE size_t CS_NAME(row_bytes)(const cs_type type, int numbers) {
    return (size_t)numbers * cs_type_bytes(type) * (type == CS_BF16 ? 2 : 1);
}

/// Points a tile at its runs in the cache.
static void CS_NAME(find_runs)(const cs_attention_item *item, int first, CS_NAME(tile) *tile) {
    const cs_kv_layer *layer = &item->args->layer;
    const int size = layer->block_size;
    tile->type = layer->type;
    tile->key_stride = CS_NAME(row_bytes)(layer->type, size);
    tile->value_stride = CS_NAME(row_bytes)(layer->type, layer->head_dim);
    tile->value_step = CS_NAME(row_bytes)(layer->type, CS_RUN);
    for (int v = 0; v < tile->runs; v++) {
        int position = first + v * CS_RUN, slot = position % size;
        const char *head = cs_kv_head(layer, item->entry->blocks[position / size], item->kv_head);
        // Keys of 16 positions start 16 numbers (or pairs) on; values, 16 rows.
        tile->keys[v] = head + CS_NAME(row_bytes)(layer->type, slot);
        tile->values[v] = head + cs_kv_part_bytes(layer) + (size_t)slot * layer->head_dim * cs_type_bytes(layer->type);
    }
}

/// Replaces a tile in the cache's type by a widened one.
static void CS_NAME(stage)(
    const cs_attention_item *item, int first, const CS_NAME(attention_room) *room, CS_NAME(tile) *tile) {
    const cs_kv_layer *layer = &item->args->layer;
    const cs_type wide = room->wide;
    const size_t row = CS_NAME(row_bytes)(wide, room->padded), part = (size_t)CS_ATTENTION_TILE * room->padded * cs_type_bytes(wide);
    CS_NAME(tile) staged = {
        .key_stride = CS_NAME(row_bytes)(wide, CS_RUN), .value_stride = row,
        .value_step = CS_NAME(row_bytes)(wide, CS_RUN), .type = wide, .runs = tile->runs, .positions = tile->positions};
    for (int v = 0; v < tile->runs; v++) {
        char *keys = room->staged + (size_t)v * part / CS_TILE_RUNS;
        char *values = room->staged + part + (size_t)v * part / CS_TILE_RUNS;
        staged.keys[v] = keys;
        staged.values[v] = values;
        if (!cs_kv_in_runs(layer)) continue;
        CS_NAME(stage_run)(layer->type, wide, tile->keys[v], tile->key_stride, room->padded / 2, keys, staged.key_stride);
        for (int d = 0; d < room->padded; d += CS_RUN)
            CS_NAME(stage_run)(
                layer->type, wide, tile->values[v] + (size_t)(d / CS_RUN) * tile->value_step, tile->value_stride,
                CS_RUN / 2, values + (size_t)(d / CS_RUN) * staged.value_step, row);
    }
    for (int j = 0; !cs_kv_in_runs(layer) && j < tile->positions; j++) {
        int block = item->entry->blocks[(first + j) / layer->block_size];
        const char *head = cs_kv_head(layer, block, item->kv_head);
        CS_NAME(stage_position)(layer, head, (first + j) % layer->block_size, j, room);
    }
    *tile = staged;
}

/// Scales of a tile's positions; zero where none is cached yet.
static void CS_NAME(read_scales)(
    const cs_attention_item *item, int first, const CS_NAME(tile) *tile, CS_NAME(attention_room) *room) {
    const cs_kv_layer *layer = &item->args->layer;
    const int size = layer->block_size;
    for (int j = 0, run; j < CS_ATTENTION_TILE; j += run) {
        if (j >= tile->positions) {
            run = CS_ATTENTION_TILE - j;
            memset(room->key_scales + j, 0, (size_t)run * sizeof(float));
            memset(room->value_scales + j, 0, (size_t)run * sizeof(float));
            return;
        }
        int slot = (first + j) % size;
        run = size - slot < tile->positions - j ? size - slot : tile->positions - j;
        const char *head = cs_kv_head(layer, item->entry->blocks[(first + j) / size], item->kv_head);
        const float *scales = (const float *)(const void *)(head + cs_kv_scale_offset(layer));
        memcpy(room->key_scales + j, scales + slot, (size_t)run * sizeof(float));
        memcpy(room->value_scales + j, scales + size + slot, (size_t)run * sizeof(float));
    }
}

// MARK: Softmax

/// Finishes a row's scores of a tile, those that it does not see at -infinity; returns the largest of these and those before.
CS_INLINE float CS_NAME(finish_scores)(
    const cs_attention_args *args, const CS_NAME(attention_room) *room, const CS_NAME(tile) *tile, int row, int first,
    int position) {
    const i32x16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    float *scores = room->scores + row * CS_ATTENTION_TILE;
    const int lowest = cs_lowest_seen(args, position);
    const bool all_seen = first >= lowest && first + CS_ATTENTION_TILE - 1 <= position;
    const bool has_scales = cs_kv_has_scales(args->layer.type), stays = all_seen && !has_scales && args->softcap <= 0;
    f32x16 most = (f32x16)room->largest[row];
    for (int v = 0; v < tile->runs; v++) {
        f32x16 s = CS_NAME(load)(scores + v * 16);
        if (!stays) {
            if (has_scales) s *= CS_NAME(load)(room->key_scales + v * 16);
            if (args->softcap > 0) s = (args->softcap * (float)M_LOG2E) * CS_NAME(vtanh)(s);
            i32x16 key = lane + (first + v * 16);
            s = CS_NAME(select)((key <= position) & (key >= lowest), s, (f32x16)-INFINITY);
            CS_NAME(store)(scores + v * 16, s);
        }
        most = CS_NAME(vmax)(s, most);
    }
    return CS_NAME(largest)(most);
}

/// Turns a row's finished scores into words of weights.
CS_INLINE void CS_NAME(weigh)(CS_NAME(attention_room) *room, const CS_NAME(tile) *tile, bool has_scales, int row) {
    const float *scores = room->scores + row * CS_ATTENTION_TILE;
    f32x16 total[4], scaled[4];
    CS_UNROLL for (int v = 0; v < 4; v++) {
        if (v < tile->runs) {
            // A row that has seen nothing yet has no largest score: its weights are zero.
            f32x16 s = CS_NAME(load)(scores + v * 16) - (room->largest[row] == -INFINITY ? 0.0f : room->largest[row]);
            total[v] = CS_NAME(vexp2)(s);
        } else {
            total[v] = 0;
        }
        scaled[v] = has_scales ? total[v] * CS_NAME(load)(room->value_scales + v * 16) : total[v];
    }
    room->sums[row] = room->sums[row] * room->factors[row] + ((total[0] + total[1]) + (total[2] + total[3]));
    CS_NAME(to_words)(room->wide == CS_BF16, scaled, 4, room->weights + (size_t)row * room->weight_words);
}

/// Online softmax of rows first_row ... over a tile: weights, and the factors of what was summed before.
static void CS_NAME(weigh_tile)(
    const cs_attention_item *item, CS_NAME(attention_room) *room, const CS_NAME(tile) *tile, int first_row, int first) {
    for (int r = first_row; r < item->count; r++) {
        float largest = CS_NAME(finish_scores)(item->args, room, tile, r, first, cs_item_position(item, r));
        room->factors[r] = largest == -INFINITY ? 0 : room->largest[r] - largest;
        room->largest[r] = largest;
    }
    for (int r = first_row / 16 * 16; r < item->count; r += 16)
        CS_NAME(store)(room->factors + r, CS_NAME(vexp2)(CS_NAME(load)(room->factors + r)));
    const bool has_scales = cs_kv_has_scales(item->args->layer.type);
    for (int r = first_row; r < item->count; r++) CS_NAME(weigh)(room, tile, has_scales, r);
}

/// Asks for the keys or the values of the tile that starts at `first`, as far as a query sees it: blocks lie apart, and the
/// machine's own prefetch stops at their ends. Into the second-level cache: the first has too few lines in flight.
CS_INLINE void CS_NAME(prefetch_tile)(const cs_attention_item *item, int first, bool values) {
    const cs_kv_layer *layer = &item->args->layer;
    const int size = layer->block_size, last = cs_item_position(item, item->count - 1);
    const size_t run = (size_t)CS_RUN * layer->head_dim * cs_type_bytes(layer->type);
    if (item->count > CS_FEW_ROWS || !cs_kv_in_runs(layer)) return;
    if (!values && size > CS_RUN) return;  // a run's keys are not together
    for (int position = first; position < first + CS_ATTENTION_TILE && position <= last; position += CS_RUN) {
        const char *from = cs_kv_head(layer, item->entry->blocks[position / size], item->kv_head);
        if (values) from += cs_kv_part_bytes(layer) + (size_t)(position % size / CS_RUN) * run;
        for (size_t at = 0; at < run; at += 64) __builtin_prefetch(from + at, 0, 2);
    }
}

/// Adds one tile to the records of the rows that see some of it.
static void CS_NAME(attend_tile)(const cs_attention_item *item, int first, CS_NAME(attention_room) *room) {
    const cs_attention_args *args = item->args;
    const int group = args->heads / args->layer.kv_heads;
    int highest = cs_item_position(item, item->count - 1), cached = item->entry->first_position + item->entry->rows - first;
    CS_NAME(tile) tile = {.runs = (highest - first) / CS_RUN + 1};
    if (tile.runs > CS_TILE_RUNS) tile.runs = CS_TILE_RUNS;
    tile.positions = cached < tile.runs * CS_RUN ? cached : tile.runs * CS_RUN;
    if (cs_kv_in_runs(&args->layer)) CS_NAME(find_runs)(item, first, &tile);
    if (room->stages) CS_NAME(stage)(item, first, room, &tile);
    if (cs_kv_has_scales(args->layer.type)) CS_NAME(read_scales)(item, first, &tile, room);
    // Rows stand in the order of their positions: the first ones may lie before the tile.
    int before = (first - item->entry->first_position) * group - item->first;
    int start = before > 0 ? before : 0, count = item->count - start;
    CS_NAME(prefetch_tile)(item, first + CS_ATTENTION_TILE, false);
    CS_NAME(score_tile)(
        &tile, count, room->padded / 2, room->queries + (size_t)start * room->query_words, room->query_words,
        room->scores + start * CS_ATTENTION_TILE);
    CS_NAME(weigh_tile)(item, room, &tile, start, first);
    CS_NAME(prefetch_tile)(item, first + CS_ATTENTION_TILE, true);
    CS_NAME(value_tile)(
        &tile, count, room->padded / CS_RUN, room->weights + (size_t)start * room->weight_words, room->weight_words,
        room->factors + start, room->records + (size_t)start * room->record, room->record);
}

// MARK: Spans

/// Empties a row's record.
CS_INLINE void CS_NAME(clear_record)(float *record, int padded) {
    memset(record, 0, (size_t)(padded + 2) * sizeof(float));
    record[padded] = -INFINITY;
}

/// Fills room->records with one span's sums, largest scores and weights' sums; a row that sees nothing keeps -infinity.
static void CS_NAME(attend_span)(const cs_attention_item *item, int span, CS_NAME(attention_room) *room) {
    for (int r = 0; r < item->count; r++) {
        memset(room->records + (size_t)r * room->record, 0, (size_t)room->padded * sizeof(float));
        room->largest[r] = -INFINITY;
        room->sums[r] = 0;
    }
    int lowest = cs_lowest_seen(item->args, cs_item_position(item, 0)), start = span * CS_ATTENTION_SPAN;
    int highest = cs_item_position(item, item->count - 1), end = start + CS_ATTENTION_SPAN;
    if (lowest > start) start = lowest / CS_ATTENTION_TILE * CS_ATTENTION_TILE;
    for (int tile = start; tile < end && tile <= highest; tile += CS_ATTENTION_TILE)
        CS_NAME(attend_tile)(item, tile, room);
    for (int r = 0; r < item->count; r++) {
        float *tail = room->records + (size_t)r * room->record + room->padded;
        tail[0] = room->largest[r];
        tail[1] = CS_NAME(sum)(room->sums[r]);
    }
}

/// Adds a later span's record to a row's total.
static void CS_NAME(merge_record)(const float *record, float *total, int padded) {
    if (record[padded] == -INFINITY) return;
    float largest = record[padded] < total[padded] ? total[padded] : record[padded];
    float mine = CS_NAME(vexp2)((f32x16)(record[padded] - largest))[0];
    float before = CS_NAME(vexp2)((f32x16)(total[padded] - largest))[0];
    for (int d = 0; d < padded; d += 16)
        CS_NAME(store)(
            total + d, CS_NAME(madd)(CS_NAME(load)(total + d), (f32x16)before, CS_NAME(load)(record + d) * mine));
    total[padded + 1] = total[padded + 1] * before + record[padded + 1] * mine;
    total[padded] = largest;
}

/// Writes a row's answer: its sums over its weights' sum.
static void CS_NAME(finish_row)(const cs_attention_item *item, int r, const float *total) {
    const cs_attention_args *args = item->args;
    const int dim = args->layer.head_dim, group = args->heads / args->layer.kv_heads;
    size_t row = (size_t)(item->entry->first_row + (item->first + r) / group);
    size_t head = (size_t)(item->kv_head * group + (item->first + r) % group);
    float *out = args->out + row * args->out_stride + head * (size_t)dim;
    const float inverse = 1 / total[cs_padded_dim(dim) + 1];
    // Adding zero makes every zero positive, whether spans were merged or not.
    for (int d = 0; d < dim; d++) out[d] = total[d] * inverse + 0.0f;
}

/// A whole item. Merging a first span into nothing changes no number, so an item of one span is finished as it is.
static void CS_NAME(attention_item)(const cs_attention_item *item, float *scratch) {
    CS_NAME(attention_room) room;
    CS_NAME(room)(item, scratch, &room);
    CS_NAME(read_queries)(item, &room);
    const bool merges = cs_first_span(item) < cs_last_span(item);
    float *totals = merges ? room.totals : room.records;
    for (int r = 0; merges && r < item->count; r++)
        CS_NAME(clear_record)(totals + (size_t)r * room.record, room.padded);
    for (int span = cs_first_span(item); span <= cs_last_span(item); span++) {
        CS_NAME(attend_span)(item, span, &room);
        for (int r = 0; merges && r < item->count; r++) {
            size_t at = (size_t)r * room.record;
            CS_NAME(merge_record)(room.records + at, totals + at, room.padded);
        }
    }
    for (int r = 0; r < item->count; r++) CS_NAME(finish_row)(item, r, totals + (size_t)r * room.record);
}

/// One span of an item into records[row].
static void CS_NAME(attention_span)(
    const cs_attention_item *item, int span, float *scratch, float *const *records) {
    CS_NAME(attention_room) room;
    CS_NAME(room)(item, scratch, &room);
    CS_NAME(read_queries)(item, &room);
    CS_NAME(attend_span)(item, span, &room);
    for (int r = 0; r < item->count; r++)
        memcpy(records[r], room.records + (size_t)r * room.record, room.record * sizeof(float));
}

/// One row of an item from the records of its spans in order.
static void CS_NAME(attention_merge)(const cs_attention_item *item, int r, int spans, float *const *records) {
    float total[CS_MAX_HEAD_DIM + CS_RECORD_TAIL];
    const int padded = cs_padded_dim(item->args->layer.head_dim);
    CS_NAME(clear_record)(total, padded);
    for (int s = 0; s < spans; s++) CS_NAME(merge_record)(records[s], total, padded);
    CS_NAME(finish_row)(item, r, total);
}
#undef CS_STRIP
