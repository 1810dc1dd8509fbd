// The CPU kernels' whole face: a context (threads, instruction set, scratch) and one function per operation.
//
// Rules that hold for every function: matrices are row-major f32 unless a cs_type says otherwise; strides count elements;
// nothing is allocated after cs_context_create; calls on one context from several threads take turns. Numbers never depend on the
// number of threads, nor a row's numbers on the rows beside it: sums run over the inner dimension in one fixed order.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

// MARK: Instruction sets

/// What the kernels are compiled for; the machine's best is chosen at start.
typedef enum cs_isa {
    /// Plain C: SSE2 on x86, NEON without fused multiply-add elsewhere.
    CS_ISA_PORTABLE = 0,
    CS_ISA_AVX2 = 1,
    CS_ISA_AVX512 = 2,
    /// AVX-512 whose bf16 products use vdpbf16ps: x rounded to bf16, denormals flushed, pairs summed in f32.
    /// Small weights (CS_TWO_TERM_INPUTS, CS_TWO_TERM_OUTPUTS) get x in two bf16 terms (16 bits and more).
    CS_ISA_AVX512_BF16 = 3,
    CS_ISA_NEON = 4,
    /// AVX2 with vpdpbusd on 256 bits (AVX-VNNI): byte products; all else as AVX2.
    CS_ISA_AVX_VNNI = 5,
    /// AVX-512 with vpdpbusd and without vdpbf16ps: byte products; all else as AVX-512.
    CS_ISA_AVX512_VNNI = 6,
    /// Tiles (AMX) for bf16 weights, and for bytes where rows are many; all else as AVX512_BF16. A bf16 sum is made of runs
    /// of 32 inputs: even inputs in order, odd ones in order, both added, then added to the runs before.
    CS_ISA_AMX = 7,
    /// NEON with byte dots (Armv8.2 DotProd); all else as NEON.
    CS_ISA_NEON_DOT = 8,
    /// NEON with mixed-sign byte and bf16 dots and 2 x 2 products of them (I8MM, BF16). x is rounded to bf16 as at
    /// AVX512_BF16.
    CS_ISA_NEON_BF16 = 9,
    CS_ISA_COUNT = 10
} cs_isa;

/// Whether this machine runs it.
bool cs_isa_supported(cs_isa isa);
/// The widest that this machine runs.
cs_isa cs_isa_best(void);
/// "portable", "avx2", "avx512", "avx512bf16", "neon", "avxvnni", "avx512vnni", "amx", "neondot", "neonbf16".
const char *cs_isa_name(cs_isa isa);

// MARK: Threads and context

/// Cores that this process may compute on, by its affinity and its control group: one hardware thread of each. Writes the
/// first `most` of them, those of the NUMA node with the most first; returns how many there are, at least 1.
int cs_cores(int *cores, int most);
/// The same for the hardware threads `allowed`, with the system's files under `system` ("/sys"). `cores` holds `count`.
int cs_cores_of(const char *system, const int *allowed, int count, int *cores);
/// How many cores that is.
int cs_core_count(void);

/// A fork-join pool: workers spin for a bounded time, then sleep. The caller works too.
typedef struct cs_pool cs_pool;
/// Computes items first ..< last; `thread` is below the pool's thread count and belongs to this call alone.
typedef void (*cs_job)(void *context, int thread, int first, int last);

/// NULL if memory or threads are refused. `threads` counts the caller.
cs_pool *cs_pool_create(int threads);
/// Joins the workers.
void cs_pool_destroy(cs_pool *pool);
int cs_pool_threads(const cs_pool *pool);
/// Keeps worker i on core cores[i]; the caller (0) stays free to move. False where the system refuses.
bool cs_pool_pin(cs_pool *pool, const int *cores);
/// Runs job over 0 ..< items in runs of `grain` and returns when all are done.
void cs_pool_run(cs_pool *pool, cs_job job, void *context, int items, int grain);

/// Threads, instruction set and scratch of one backend.
typedef struct cs_context cs_context;

/// NULL if memory or threads are refused, or the machine does not run `isa`. `threads` counts the caller.
cs_context *cs_context_create(int threads, cs_isa isa);
void cs_context_destroy(cs_context *context);
/// ``cs_pool_pin`` for its pool; false if there are fewer cores than threads.
bool cs_context_pin(cs_context *context, const int *cores, int count);
int cs_context_threads(const cs_context *context);
cs_isa cs_context_isa(const cs_context *context);
/// Bytes of scratch that a context with so many threads holds.
size_t cs_context_bytes(int threads);
/// Runs job over 0 ..< items on the context's threads.
void cs_context_run(cs_context *context, cs_job job, void *job_context, int items);

// MARK: Memory

/// Has the system put memory behind every page of a run, which keeps its bytes; others may read and write meanwhile.
void cs_touch(void *memory, size_t bytes);
/// Lets other threads go before the calling one wherever both want a core.
void cs_stand_back(void);

// MARK: Packed weights

/// How numbers are stored. CS_I8 and CS_I4 are codes with scales (see cs_format); CS_F8 is e4m3 (fn: no infinities).
typedef enum cs_type { CS_F32 = 0, CS_BF16 = 1, CS_F16 = 2, CS_I8 = 3, CS_I4 = 4, CS_F8 = 5 } cs_type;

/// How a packed matrix's numbers are made of codes. Plain types have group 0 and nothing else.
///
/// A weight is scale * (code - zero), zero = 128 (CS_I8) or 8 (CS_I4), or scale * code - minimum where there are minimums;
/// CS_F8 is scale * e4m3(code). A group is `group` consecutive input features of one output feature: 16, 32, 64 or 128;
/// 0 gives every output feature one scale.
typedef struct cs_format {
    cs_type type;
    int group;
    cs_type scale_type;  // CS_F32, CS_F16 or CS_BF16: how scales and minimums are stored
    bool has_minimums;
} cs_format;

static inline cs_format cs_plain(cs_type type) {
    cs_format format = {type, 0, CS_F32, false};
    return format;
}

/// Output features per panel: four zmm registers.
enum { CS_PANEL = 64 };

/// Bytes of one number.
size_t cs_type_bytes(cs_type type);

/// Bytes of a packed matrix [rows = output features, columns = input features]:
/// ceil(rows / 64) * 64 * padded(columns) * cs_type_bytes(type), where padded() rounds up to 2 for CS_BF16 only.
///
/// Layout: f32 and f16 [rows / 64][columns][64]; bf16 [rows / 64][columns / 2][64][2], so that one 64-byte load holds
/// pairs for vdpbf16ps. Every level reads the same bytes. Padding is zero.
size_t cs_packed_bytes(cs_type type, size_t rows, size_t columns);

/// Packs `count` source rows (any type and alignment, `stride` numbers apart) as rows first_row ..< first_row + count of
/// a packed matrix of `columns` columns. `packed` starts zeroed; disjoint rows may be packed by different threads.
void cs_pack_rows(
    cs_type type, void *packed, size_t first_row, size_t columns, const void *source, cs_type source_type, size_t stride,
    size_t count);

/// The same on a context's threads.
void cs_pack(
    cs_context *context, cs_type type, void *packed, size_t first_row, size_t columns, const void *source,
    cs_type source_type, size_t stride, size_t count);

// MARK: Packed weights made of codes
//
// A panel of 64 output features is one run of memory: its codes, then its scales [groups][64], then its minimums
// [groups][64], rounded up to 64 bytes. Input features are padded to a multiple of 8; padding changes no sum.
// Codes: CS_I8 and CS_F8 [columns / 4][64][4]; CS_I4 [columns / 8][64][4], where byte b of a feature holds input k + b in
// its low and input k + 4 + b in its high half.

/// Scales per output feature: one, or ceil(columns / group).
size_t cs_format_groups(cs_format format, size_t columns);
/// Bytes of one panel.
size_t cs_panel_bytes(cs_format format, size_t columns);
/// Bytes of a packed matrix [rows, columns]: whole panels. Equal to cs_packed_bytes for plain types.
size_t cs_format_bytes(cs_format format, size_t rows, size_t columns);

/// e4m3fn to f32, and back to the nearest (ties to even; beyond 448 becomes 448).
float cs_f8_to_f32(uint8_t code);
uint8_t cs_f32_to_f8(float value);
/// Plain numbers of any alignment as f32.
void cs_widen(cs_type type, const void *from, size_t count, float *out);

/// Quantises one row: codes [columns], one byte each; scales and, where the format has them, minimums [groups], rounded to
/// scale_type before codes are chosen. The one rule for on-load quantisation, the same on every level: scales span the
/// group's range; for CS_I4 without minimums a few around it are tried, and the least squared error is kept.
void cs_quantize_row(cs_format format, const float *row, size_t columns, uint8_t *codes, float *scales, float *minimums);
/// The inverse: what the kernels take a row's weights to be.
void cs_dequantize_row(
    cs_format format, const uint8_t *codes, const float *scales, const float *minimums, size_t columns, float *row);
/// Packs `count` rows of codes [count, columns] with scales and minimums [count, groups] as rows first_row ..< first_row +
/// count of a packed matrix. `packed` starts zeroed; disjoint rows may be packed by different threads.
void cs_pack_codes(
    cs_format format, void *packed, size_t first_row, size_t columns, const uint8_t *codes, const float *scales,
    const float *minimums, size_t count);
/// Quantises and packs rows of a plain source on a context's threads.
void cs_quantize(
    cs_context *context, cs_format format, void *packed, size_t first_row, size_t columns, const void *source,
    cs_type source_type, size_t stride, size_t count);

/// out[i, :] = scale * row rows[i] of a packed matrix, zeros where rows[i] - first_row is not in 0 ..< row_count.
void cs_embed(
    cs_context *context, cs_format format, const void *packed, int row_count, int columns, const int32_t *rows,
    int first_row, int count, float scale, float *out, size_t out_stride);

// MARK: Products

/// Small matrices keep x nearly whole in bf16 products: the second term costs little there, and small models, and the
/// routers of large ones, have no accuracy to lose. The rule looks at the weight's shape only, so that a row's numbers do
/// not depend on its company.
enum { CS_TWO_TERM_INPUTS = 512, CS_TWO_TERM_OUTPUTS = 256 };

/// out = x * weight^T + bias.
typedef struct cs_linear_args {
    const float *x;     // [rows, inputs]
    size_t x_stride;
    const void *weight;  // packed [outputs, inputs]
    cs_format format;
    const float *bias;  // [outputs] or NULL
    float *out;         // [rows, outputs]
    size_t out_stride;
    int rows;
    int inputs;
    int outputs;
} cs_linear_args;

void cs_linear(cs_context *context, const cs_linear_args *args);

// MARK: Rows

/// out = x / sqrt(mean(x^2) + epsilon) * weight. out may be x.
void cs_rms_norm(
    cs_context *context, const float *x, size_t x_stride, const float *weight, float epsilon, int rows, int columns,
    float *out, size_t out_stride);

/// residual += delta, then out = rms_norm(residual).
void cs_add_norm(
    cs_context *context, const float *delta, size_t delta_stride, float *residual, size_t residual_stride,
    const float *weight, float epsilon, int rows, int columns, float *out, size_t out_stride);

/// Norms each of `heads` runs of head_dim numbers of every row in place. x points at the first head.
void cs_norm_heads(
    cs_context *context, float *x, size_t x_stride, const float *weight, float epsilon, int rows, int heads, int head_dim);

/// x += delta.
void cs_add(
    cs_context *context, const float *delta, size_t delta_stride, float *x, size_t x_stride, int rows, int columns);

/// x[r, :] += sigmoid(gate[r, 0]) * delta[r, :].
void cs_add_gated(
    cs_context *context, const float *delta, size_t delta_stride, const float *gate, size_t gate_stride, float *x,
    size_t x_stride, int rows, int columns);

/// out[i, :] = x[index[i], :].
void cs_gather(
    cs_context *context, const float *x, size_t x_stride, const int32_t *index, int count, int columns, float *out,
    size_t out_stride);

/// out[r, :] = sum over k < choices, in order, of weights[r, k] * x[places[r, k], :].
void cs_combine(
    cs_context *context, const float *x, size_t x_stride, const float *weights, const int32_t *places, int rows,
    int choices, int columns, float *out, size_t out_stride);

typedef enum cs_activation { CS_SILU = 0, CS_GELU = 1, CS_GELU_TANH = 2, CS_RELU = 3 } cs_activation;

/// out = act(gate_up[:, 0 ..< columns]) * gate_up[:, columns ..< 2 columns].
void cs_activate(
    cs_context *context, cs_activation activation, const float *gate_up, size_t gate_up_stride, int rows, int columns,
    float *out, size_t out_stride);

/// x = cap * tanh(x / cap).
void cs_softcap(cs_context *context, float *x, size_t x_stride, float cap, int rows, int columns);

/// Softmax of each row in place.
void cs_softmax(cs_context *context, float *x, size_t x_stride, int rows, int columns);

// MARK: Attention

/// Rotates pairs (i, i + rotary_dim / 2) of each head by its row's position; tables are [positions, rotary_dim / 2].
void cs_rotate(
    cs_context *context, float *x, size_t x_stride, const int32_t *positions, const float *cosines, const float *sines,
    int rotary_dim, int rows, int heads, int head_dim);

/// A layer of the paged cache: [block][kv_head] of keys, values and, for codes, scales; block_size * head_dim numbers each.
///
/// Types: CS_F32, CS_BF16, CS_F16; CS_I8 and CS_F8 hold codes of a byte (two's complement, e4m3), with one f32 scale per
/// position for a head's keys and one for its values, [keys, values][block_size], from the next multiple of 4 bytes on.
///
/// Blocks of a multiple of 16 positions and heads of a multiple of 16 numbers are laid out as attention reads them: keys
/// [head_dim][block_size], values [block_size][head_dim]; in bf16 in pairs, keys [head_dim / 2][block_size][2], values
/// [block_size / 2][head_dim][2]. Others hold keys and values as [block_size][head_dim], and cost more to read.
typedef struct cs_kv_layer {
    void *base;
    cs_type type;
    int kv_heads;
    int head_dim;
    int block_size;
} cs_kv_layer;

/// Bytes of one block of one layer.
size_t cs_kv_block_bytes(cs_type type, int kv_heads, int head_dim, int block_size);

/// Writes keys and values [rows, kv_heads * head_dim] into slots (block * block_size + offset).
void cs_kv_store(
    cs_context *context, const cs_kv_layer *layer, const float *keys, const float *values, size_t stride,
    const int32_t *slots, int rows);

/// One request's rows in a batch; positions first_position + i for row first_row + i.
typedef struct cs_attention_entry {
    int first_row;
    int rows;
    int first_position;
    const int32_t *blocks;
} cs_attention_entry;

/// Positions per tile of the online softmax, aligned to absolute positions: part of the numerics.
enum { CS_ATTENTION_TILE = 64 };
/// Positions per span: each is summed by itself and merged with those before it, wherever it was computed.
enum { CS_ATTENTION_SPAN = 512 };
/// The largest head.
enum { CS_MAX_HEAD_DIM = 1024 };

/// Attends rows of q [rows, heads * head_dim] to their own request's cache at positions <= their own.
typedef struct cs_attention_args {
    const float *q;
    size_t q_stride;
    float *out;  // [rows, heads * head_dim]
    size_t out_stride;
    cs_kv_layer layer;
    int heads;
    float scale;
    float softcap;  // 0: none
    int window;     // 0: none; else a query at i sees keys at j with i - j < window
    const cs_attention_entry *entries;
    int entry_count;
} cs_attention_args;

void cs_attention(cs_context *context, const cs_attention_args *args);

// MARK: Sampling

/// The largest of a row and log(sum(exp(x))), in one fixed order. Entries of -infinity count for nothing.
void cs_log_sum_exp(const cs_context *context, const float *x, int count, float *largest, float *log_sum_exp);

/// The index of the largest, the lowest among equals; NaN counts as -infinity.
int cs_argmax(const cs_context *context, const float *x, int count);

/// Numbers per partial sum of the functions below: short enough for f32, and the stride of a search in their sums.
enum { CS_SAMPLING_RUN = 512 };

/// Passes over one row of logits, on the caller's thread. Sums run in one order per level.
typedef struct cs_sampling {
    /// The greatest number; NaN if any is NaN.
    float (*greatest)(const float *x, int count);
    /// The first place from `first` on with a number above the bar (or at it, if `or_equal`); `count` if there is none.
    int (*next_above)(const float *x, int first, int count, float bar, bool or_equal);
    /// The place's rank: 1 for the greatest; of equals, the lowest place first.
    int (*rank)(const float *x, int count, int place);
    /// Sums exp((x - greatest) * scale), terms below `floor` left out. Writes the terms (those left out are 0) and the
    /// sums of runs of CS_SAMPLING_RUN where they are not NULL. `greatest` is at least every x.
    double (*exponentials)(
        const float *x, int count, float greatest, float scale, float floor, float *terms, float *sums);
    /// Sums the numbers from `bound` (above 0 or 0) on; writes the sums of runs as above.
    double (*sum_from)(const float *x, int count, float bound, float *sums);
    /// Keeps, in order, the numbers from `low` up to, not including, `high`; returns how many. All are 0 or above. `kept`
    /// may be x and must hold `count` numbers.
    int (*between)(const float *x, int count, float low, float high, float *kept);
} cs_sampling;

/// NULL if the machine does not run `isa`.
const cs_sampling *cs_sampling_kernels(cs_isa isa);

/// y[i] = f(x[i]) by the kernels' own functions, for tests against libm.
typedef enum cs_function { CS_EXP = 0, CS_TANH = 1, CS_ERF = 2 } cs_function;
void cs_map(const cs_context *context, cs_function function, const float *x, int count, float *y);

// MARK: The machine's peaks

/// What products are made of.
typedef enum cs_arithmetic { CS_ARITHMETIC_F32 = 0, CS_ARITHMETIC_BF16 = 1, CS_ARITHMETIC_INT8 = 2 } cs_arithmetic;

/// Does multiply-adds in registers on all threads, nothing else; returns how many operations (a multiply-add is two), 0
/// where the context's level has no such instruction. What a product can reach at most.
double cs_peak_compute(cs_context *context, cs_arithmetic arithmetic, int rounds);

/// Reads memory (aligned to 4, a multiple of 256 bytes) on all threads, piece by piece, each so many times; returns the words' sum.
uint32_t cs_peak_read(cs_context *context, const void *memory, size_t bytes, size_t piece, int times);

#if defined(__cplusplus)
}
#endif
#endif
