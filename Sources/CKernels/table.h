// The dispatch table: one row of functions per instruction set, chosen when a context is made.
#ifndef CS_TABLE_H
#define CS_TABLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "CKernels.h"

/// A thread's own memory: activations rounded for a product, or an attention block.
typedef struct cs_scratch {
    /// Which x rows `floats` holds now: the product's number and the chunk in it.
    uint64_t product;
    int chunk;
    float *floats;
} cs_scratch;

enum {
    /// Rows of x that one item of a product covers; a multiple of the row tile.
    CS_CHUNK_ROWS = 96,
    CS_ROW_TILE = 6,
    /// Query rows of an attention item.
    CS_QUERY_ROWS = 48,
    CS_SCRATCH_BYTES = 1 << 20,
};

/// Rows of the next tile where `left` rows are left: as few tiles of at most `most` rows as possible, and even ones, since
/// a tile of two rows takes nearly as long as one of four. (32 rows are 6 6 5 5 5 5, not 6 6 6 6 6 2.)
static inline int cs_tile_rows(int left, int most) {
    int tiles = (left + most - 1) / most;
    return (left + tiles - 1) / tiles;
}

/// bf16 terms that stand for one f32 of x where products are made of bf16 dots.
static inline int cs_rounded_terms(const cs_linear_args *args) {
    return args->inputs <= CS_TWO_TERM_INPUTS || args->outputs <= CS_TWO_TERM_OUTPUTS ? 2 : 1;
}
/// Bytes of one row of x so rounded.
static inline size_t cs_rounded_row_bytes(const cs_linear_args *args) {
    return ((size_t)args->inputs + 1) / 2 * 4 * (size_t)cs_rounded_terms(args);
}

struct cs_code_room;
struct cs_attention_item;

typedef struct cs_kernels {
    void (*linear_prepare)(const cs_linear_args *, int first, int count, void *rounded);
    void (*linear_panel)(const cs_linear_args *, int panel, int first, int count, const void *rounded);
    void (*codes_prepare)(const cs_linear_args *, int first, int count, char *tiles);
    void (*codes_panel)(
        const cs_linear_args *, int panel, int first, int count, const char *tiles, struct cs_code_room *room);
    void (*float_panel)(const cs_linear_args *, int panel, int first, int count, struct cs_code_room *room);
    void (*attention_item)(const struct cs_attention_item *, float *scratch);
    void (*attention_span)(const struct cs_attention_item *, int span, float *scratch, float *const *records);
    void (*attention_merge)(const struct cs_attention_item *, int row, int spans, float *const *records);
    float (*encode)(cs_type, const float *x, int count, uint8_t *codes);
    void (*norm_row)(const float *x, const float *weight, float epsilon, int columns, float *out);
    void (*add_norm_row)(
        const float *delta, float *residual, const float *weight, float epsilon, int columns, float *out);
    void (*add_row)(const float *delta, float factor, float *x, int columns);
    void (*scale_row)(const float *x, float factor, float *out, int columns);
    void (*rotate_head)(float *x, const float *cosines, const float *sines, int half);
    void (*activate_row)(cs_activation, const float *gate_up, int columns, float *out);
    void (*softcap_row)(float *x, float cap, int columns);
    void (*softmax_row)(float *x, int columns);
    void (*log_sum_exp)(const float *x, int count, float *largest, float *log_sum_exp);
    int (*argmax)(const float *x, int count);
    void (*map)(cs_function, const float *x, int count, float *y);
    float (*sigmoid)(float);
    void (*narrow)(cs_type, const float *from, int count, void *out);
} cs_kernels;

struct cs_context {
    cs_isa isa;
    cs_kernels kernels;
    cs_pool *pool;
    int threads;
    pthread_mutex_t turn;
    atomic_uint_fast64_t products;
    cs_scratch *scratch;
    char *memory;
};

/// Each family fills in its functions of one level.
void cs_fill_gemm(cs_kernels *kernels, cs_isa isa);
void cs_fill_codes(cs_kernels *kernels, cs_isa isa);
void cs_fill_attention(cs_kernels *kernels, cs_isa isa);
void cs_fill_cache(cs_kernels *kernels, cs_isa isa);
void cs_fill_norm(cs_kernels *kernels, cs_isa isa);
void cs_fill_activation(cs_kernels *kernels, cs_isa isa);
void cs_fill_elementwise(cs_kernels *kernels, cs_isa isa);

/// ``cs_linear`` for weights made of codes.
void cs_linear_codes(cs_context *context, const cs_linear_args *args);
/// One number of a packed matrix, of plain numbers or made of codes.
float cs_plain_value(cs_type type, const void *packed, size_t columns, size_t row, size_t column);
float cs_code_value(cs_format format, const void *packed, size_t columns, size_t row, size_t column);
static inline bool cs_is_coded(cs_type type) { return type == CS_I8 || type == CS_I4 || type == CS_F8; }

/// Runs items on the pool, or on the caller alone when `work` (numbers touched) is not worth a hand-over.
void cs_spread(cs_context *context, cs_job job, void *job_context, int items, long work);

/// A family's function of a level. CS_PICK: of the level's base, where byte and bf16 dots and tiles change nothing. The others
/// serve families that are compiled for more levels (every_isa.h): CS_PICK_BF16 where bf16 dots matter, CS_PICK_BYTES where
/// byte dots do too, CS_PICK_TILES and CS_PICK_BYTE_TILES where there are tiles besides.
#if defined(__aarch64__)
#define CS_IS_NEON(isa) ((isa) == CS_ISA_NEON || (isa) == CS_ISA_NEON_DOT || (isa) == CS_ISA_NEON_BF16)
#define CS_PICK(isa, name) (CS_IS_NEON(isa) ? name##_neon : name##_portable)
#define CS_PICK_BF16(isa, name) ((isa) == CS_ISA_NEON_BF16 ? name##_neonbf16 : CS_PICK(isa, name))
#define CS_PICK_BYTES(isa, name) ((isa) == CS_ISA_NEON_DOT ? name##_neondot : CS_PICK_BF16(isa, name))
#define CS_PICK_TILES(isa, name) CS_PICK_BF16(isa, name)
#define CS_PICK_BYTE_TILES(isa, name) CS_PICK_BYTES(isa, name)
#elif defined(__x86_64__)
#define CS_PICK(isa, name)                                                               \
    ((isa) == CS_ISA_AVX512_BF16 || (isa) == CS_ISA_AMX           ? name##_avx512bf16      \
     : (isa) == CS_ISA_AVX512 || (isa) == CS_ISA_AVX512_VNNI      ? name##_avx512          \
     : (isa) == CS_ISA_AVX2 || (isa) == CS_ISA_AVX_VNNI           ? name##_avx2            \
                                                                  : name##_portable)
#define CS_PICK_BF16(isa, name) CS_PICK(isa, name)
#define CS_PICK_BYTES(isa, name)                             \
    ((isa) == CS_ISA_AVX_VNNI      ? name##_avxvnni          \
     : (isa) == CS_ISA_AVX512_VNNI ? name##_avx512vnni       \
                                   : CS_PICK(isa, name))
#define CS_PICK_TILES(isa, name) ((isa) == CS_ISA_AMX ? name##_amx : CS_PICK(isa, name))
#define CS_PICK_BYTE_TILES(isa, name) ((isa) == CS_ISA_AMX ? name##_amx : CS_PICK_BYTES(isa, name))
#else
#define CS_PICK(isa, name) (name##_portable)
#define CS_PICK_BF16(isa, name) (name##_portable)
#define CS_PICK_BYTES(isa, name) (name##_portable)
#define CS_PICK_TILES(isa, name) (name##_portable)
#define CS_PICK_BYTE_TILES(isa, name) (name##_portable)
#endif

#endif
