// Attention over the paged cache: the split of a batch into items of query rows, and of long items into spans.

#define CS_BODY "attention_body.h"
#define CS_WITH_BF16_DOTS
#include "table.h"

#include "every_isa.h"

void cs_fill_attention(cs_kernels *kernels, cs_isa isa) {
    kernels->attention_item = CS_PICK_BF16(isa, attention_item);
    kernels->attention_span = CS_PICK_BF16(isa, attention_span);
    kernels->attention_merge = CS_PICK_BF16(isa, attention_merge);
    cs_fill_cache(kernels, isa);
}

typedef struct attention_job {
    cs_context *context;
    const cs_attention_args *args;
} attention_job;

/// Items per KV head of one entry: its query rows (each query times the heads of a group) in runs.
static int blocks_of(const cs_attention_args *args, const cs_attention_entry *entry) {
    int rows = entry->rows * (args->heads / args->layer.kv_heads), most = cs_query_rows(args->layer.head_dim);
    return (rows + most - 1) / most;
}

static cs_attention_item item_of(const cs_attention_args *args, const cs_attention_entry *entry, int index) {
    int blocks = blocks_of(args, entry), all = entry->rows * (args->heads / args->layer.kv_heads);
    int most = cs_query_rows(args->layer.head_dim), first = index % blocks * most;
    cs_attention_item item = {args, entry, index / blocks, first, all - first < most ? all - first : most};
    return item;
}

static int spans_of(const cs_attention_item *item) { return cs_last_span(item) - cs_first_span(item) + 1; }

/// Record `index` of those at the ends of the threads' scratch.
static float *record_at(const cs_context *context, size_t index, size_t floats) {
    size_t each = CS_SPLIT_BYTES / sizeof(float) / floats;
    char *end = context->memory + (index / each + 1) * CS_SCRATCH_BYTES;
    return (float *)(void *)(end - CS_SPLIT_BYTES) + index % each * floats;
}

// MARK: Whole items

static void attention_items(void *opaque, int thread, int first, int last) {
    const attention_job *job = opaque;
    const cs_attention_args *args = job->args;
    int start = 0;
    for (int e = 0; e < args->entry_count && start < last; e++) {
        int end = start + blocks_of(args, &args->entries[e]) * args->layer.kv_heads;
        for (int i = start > first ? start : first; i < end && i < last; i++) {
            cs_attention_item item = item_of(args, &args->entries[e], i - start);
            job->context->kernels.attention_item(&item, job->context->scratch[thread].floats);
        }
        start = end;
    }
}

// MARK: Items split into spans

/// Calls `each` for jobs first ..< last of all (item, span) in order, with the index of the item's first record; a record
/// is one row of one span, [span][row].
static void each_span(
    const attention_job *job, int first, int last, int thread,
    void (*each)(const attention_job *, const cs_attention_item *, int span, size_t record, int thread)) {
    const cs_attention_args *args = job->args;
    int start = 0;
    size_t record = 0;
    for (int e = 0; e < args->entry_count; e++) {
        int count = blocks_of(args, &args->entries[e]) * args->layer.kv_heads;
        for (int i = 0; i < count; i++) {
            cs_attention_item item = item_of(args, &args->entries[e], i);
            int spans = spans_of(&item);
            for (int s = 0; s < spans; s++)
                if (start + s >= first && start + s < last) each(job, &item, s, record, thread);
            start += spans;
            record += (size_t)spans * (size_t)item.count;
        }
    }
}

static void attend_span(const attention_job *job, const cs_attention_item *item, int span, size_t record, int thread) {
    const size_t floats = cs_record_floats(job->args->layer.head_dim);
    float *records[CS_QUERY_ROWS];
    for (int r = 0; r < item->count; r++)
        records[r] = record_at(job->context, record + (size_t)span * item->count + r, floats);
    job->context->kernels.attention_span(
        item, cs_first_span(item) + span, job->context->scratch[thread].floats, records);
}

static void merge_span(const attention_job *job, const cs_attention_item *item, int span, size_t record, int thread) {
    (void)thread;
    const size_t floats = cs_record_floats(job->args->layer.head_dim);
    const int spans = spans_of(item);
    float *records[CS_SPLIT_BYTES / sizeof(float) / CS_RECORD_TAIL];
    // An item's rows are dealt out to its spans' jobs.
    for (int r = span; r < item->count; r += spans) {
        for (int s = 0; s < spans; s++) records[s] = record_at(job->context, record + (size_t)s * item->count + r, floats);
        job->context->kernels.attention_merge(item, r, spans, records);
    }
}

static void attention_spans(void *opaque, int thread, int first, int last) {
    each_span(opaque, first, last, thread, attend_span);
}

static void attention_merges(void *opaque, int thread, int first, int last) {
    each_span(opaque, first, last, thread, merge_span);
}

// MARK: Batches

/// Splitting pays where there are few items for the threads; it changes no number, for spans are merged in order anyway.
void cs_attention(cs_context *context, const cs_attention_args *args) {
    enum { items_per_thread = 4 };
    int items = 0, jobs = 0;
    long work = 0;
    size_t records = 0;
    for (int e = 0; e < args->entry_count; e++) {
        const cs_attention_entry *entry = &args->entries[e];
        int count = blocks_of(args, entry) * args->layer.kv_heads;
        items += count;
        work += (long)entry->rows * (entry->first_position + entry->rows) * args->heads * args->layer.head_dim / 8;
        for (int i = 0; i < count && items <= items_per_thread * context->threads; i++) {
            cs_attention_item item = item_of(args, entry, i);
            jobs += spans_of(&item);
            records += (size_t)spans_of(&item) * (size_t)item.count;
        }
    }
    size_t room = CS_SPLIT_BYTES / sizeof(float) / cs_record_floats(args->layer.head_dim) * (size_t)context->threads;
    attention_job job = {context, args};
    if (context->threads > 1 && items <= items_per_thread * context->threads && jobs > items && records <= room) {
        cs_spread(context, attention_spans, &job, jobs, work);
        cs_spread(context, attention_merges, &job, jobs, (long)(records * (size_t)args->layer.head_dim));
    } else {
        cs_spread(context, attention_items, &job, items, work);
    }
}
