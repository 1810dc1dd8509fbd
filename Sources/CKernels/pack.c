// Packing plain matrices into panels of 64 output features, and where a packed number stands.

#define CS_BODY "pack_body.h"
#include "table.h"

#include "every_isa.h"

size_t cs_type_bytes(cs_type type) { return type == CS_F32 ? 4 : type == CS_F8 || type == CS_I8 ? 1 : 2; }

static size_t padded_columns(cs_type type, size_t columns) {
    return type == CS_BF16 ? (columns + 1) / 2 * 2 : columns;
}

size_t cs_packed_bytes(cs_type type, size_t rows, size_t columns) {
    return (rows + CS_PANEL - 1) / CS_PANEL * CS_PANEL * padded_columns(type, columns) * cs_type_bytes(type);
}

static float read_one(const char *from, cs_type type) {
    if (type == CS_F32) {
        float value;
        memcpy(&value, from, 4);
        return value;
    }
    uint16_t bits;
    memcpy(&bits, from, 2);
    return type == CS_BF16 ? cs_bf16_to_f32(bits) : cs_f16_to_f32(bits);
}

void cs_widen(cs_type type, const void *from, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = read_one((const char *)from + i * cs_type_bytes(type), type);
}

/// Where [row, column] stands in a packed matrix, in numbers.
static size_t packed_index(cs_type type, size_t columns, size_t row, size_t column) {
    size_t panel = row / CS_PANEL * CS_PANEL * padded_columns(type, columns);
    size_t lane = row % CS_PANEL;
    if (type == CS_BF16) return panel + column / 2 * 2 * CS_PANEL + lane * 2 + column % 2;
    return panel + column * CS_PANEL + lane;
}

static void pack_one(cs_type type, char *to, const char *from, cs_type source_type) {
    size_t bytes = cs_type_bytes(type);
    if (type == source_type) {
        memcpy(to, from, bytes);
        return;
    }
    float value = read_one(from, source_type);
    uint16_t half = type == CS_BF16 ? cs_f32_to_bf16(value) : cs_f32_to_f16(value);
    memcpy(to, type == CS_F32 ? (const void *)&value : (const void *)&half, bytes);
}

/// A rectangle of one panel, number by number: what is left around the whole blocks.
static void pack_each(
    cs_type type, char *packed, size_t columns, const char *source, cs_type source_type, size_t stride, size_t first_row,
    size_t rows, size_t first_column) {
    size_t bytes = cs_type_bytes(type), source_bytes = cs_type_bytes(source_type);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = first_column; c < columns; c++)
            pack_one(
                type, packed + packed_index(type, columns, first_row + r, c) * bytes,
                source + (r * stride + c) * source_bytes, source_type);
}

void cs_pack_rows(
    cs_type type, void *packed, size_t first_row, size_t columns, const void *source, cs_type source_type, size_t stride,
    size_t count) {
    // Packing is exact, so the machine's best level serves every context.
    void (*const pack_strips)(cs_type, cs_type, const char *, size_t, int, size_t, char *) =
        CS_PICK(cs_isa_best(), pack_strips);
    const size_t whole = columns / 32 * 32, row_bytes = stride * cs_type_bytes(source_type);
    const char *from = source;
    for (size_t done = 0; done < count;) {
        size_t row = first_row + done, left = count - done;
        size_t rows = CS_PANEL - row % CS_PANEL < left ? CS_PANEL - row % CS_PANEL : left;
        if (row % 16 != 0 || rows < 16) {
            rows = row % 16 != 0 && 16 - row % 16 < rows ? 16 - row % 16 : rows;
            pack_each(type, packed, columns, from + done * row_bytes, source_type, stride, row, rows, 0);
        } else {
            rows = rows / 16 * 16;
            char *to = (char *)packed + packed_index(type, columns, row, 0) * cs_type_bytes(type);
            pack_strips(type, source_type, from + done * row_bytes, row_bytes, (int)(rows / 16), whole, to);
            pack_each(type, packed, columns, from + done * row_bytes, source_type, stride, row, rows, whole);
        }
        done += rows;
    }
}

typedef struct pack_job {
    cs_type type, source_type;
    char *packed;
    const char *source;
    size_t first_row, columns, stride, count;
} pack_job;

static void pack_items(void *opaque, int thread, int first, int last) {
    (void)thread;
    const pack_job *job = opaque;
    size_t from = (size_t)first * CS_PANEL, to = (size_t)last * CS_PANEL;
    if (to > job->count) to = job->count;
    cs_pack_rows(
        job->type, job->packed, job->first_row + from, job->columns,
        job->source + from * job->stride * cs_type_bytes(job->source_type), job->source_type, job->stride, to - from);
}

void cs_pack(
    cs_context *context, cs_type type, void *packed, size_t first_row, size_t columns, const void *source,
    cs_type source_type, size_t stride, size_t count) {
    pack_job job = {type, source_type, packed, source, first_row, columns, stride, count};
    cs_spread(context, pack_items, &job, (int)((count + CS_PANEL - 1) / CS_PANEL), (long)(count * columns));
}

float cs_plain_value(cs_type type, const void *packed, size_t columns, size_t row, size_t column) {
    return read_one((const char *)packed + packed_index(type, columns, row, column) * cs_type_bytes(type), type);
}
