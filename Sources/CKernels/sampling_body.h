// Passes over one row of logits; every sum runs in one order, which depends on the row's length only.

/// The greatest number of a row; NaN if there is one in it.
static float CS_NAME(row_greatest)(const float *x, int count) {
    f32x16 most[4] = {(f32x16)-INFINITY, (f32x16)-INFINITY, (f32x16)-INFINITY, (f32x16)-INFINITY};
    i32x16 broken[4] = {0, 0, 0, 0};
    int i = 0;
    for (; i + 64 <= count; i += 64) {
        CS_UNROLL for (int k = 0; k < 4; k++) {
            f32x16 value = CS_NAME(load)(x + i + 16 * k);
            broken[k] |= value != value;
            most[k] = CS_NAME(vmax)(value, most[k]);
        }
    }
    float largest = CS_NAME(largest)(CS_NAME(vmax)(CS_NAME(vmax)(most[0], most[1]), CS_NAME(vmax)(most[2], most[3])));
    bool is_broken = __builtin_reduce_or((broken[0] | broken[1]) | (broken[2] | broken[3])) != 0;
    for (; i < count; i++) {
        is_broken |= x[i] != x[i];
        largest = x[i] > largest ? x[i] : largest;
    }
    return is_broken ? NAN : largest;
}

/// The first place from `first` on whose number is above the bar (at the bar, if `or_equal`); `count` if there is none.
static int CS_NAME(next_above)(const float *x, int first, int count, float bar, bool or_equal) {
    // The next float below the bar makes one comparison of the two.
    if (or_equal) bar = nextafterf(bar, -INFINITY);
    int i = first;
    for (; i + 64 <= count; i += 64) {
        i32x16 hit = CS_NAME(load)(x + i) > bar;
        CS_UNROLL for (int k = 1; k < 4; k++) hit |= CS_NAME(load)(x + i + 16 * k) > bar;
        if (__builtin_reduce_or(hit)) break;
    }
    for (; i < count; i++)
        if (x[i] > bar) return i;
    return count;
}

CS_INLINE int CS_NAME(count_above)(const float *x, int count, float bar, const bool or_equal) {
    i32x16 sum[2] = {0, 0};
    int i = 0;
    for (; i + 32 <= count; i += 32) {
        CS_UNROLL for (int k = 0; k < 2; k++) {
            f32x16 value = CS_NAME(load)(x + i + 16 * k);
            sum[k] -= or_equal ? value >= bar : value > bar;
        }
    }
    int total = __builtin_reduce_add(sum[0] + sum[1]);
    for (; i < count; i++) total += or_equal ? x[i] >= bar : x[i] > bar;
    return total;
}

/// 1 for the greatest, the lowest place first among equals.
static int CS_NAME(row_rank)(const float *x, int count, int place) {
    return 1 + CS_NAME(count_above)(x, place, x[place], true)
           + CS_NAME(count_above)(x + place + 1, count - place - 1, x[place], false);
}

/// vexp for x <= 0 without its care for large and broken numbers: 2^n fits one factor.
CS_INLINE f32x16 CS_NAME(vexp_below)(f32x16 x) {
    const f32x16 round = (f32x16)0x1.8p23f, least = (f32x16)-87.33654f;
    f32x16 clamped = CS_NAME(vmax)(x, least);
    f32x16 shifted = CS_NAME(madd)(clamped, (f32x16)0x1.715476p0f, round);
    f32x16 n = shifted - round;
    f32x16 r = CS_NAME(madd)(n, (f32x16)-0x1.63p-1f, clamped);
    r = CS_NAME(madd)(n, (f32x16)0x1.bd0106p-13f, r);
    f32x16 p = CS_NAME(madd)((f32x16)1.9875691500e-4f, r, (f32x16)1.3981999507e-3f);
    p = CS_NAME(madd)(p, r, (f32x16)8.3334519073e-3f);
    p = CS_NAME(madd)(p, r, (f32x16)4.1665795894e-2f);
    p = CS_NAME(madd)(p, r, (f32x16)1.6666665459e-1f);
    p = CS_NAME(madd)(p, r, (f32x16)5.0000001201e-1f);
    p = CS_NAME(madd)(p * r, r, r) + 1.0f;
    // The low bits of `shifted` are n; its other bits leave by the shift.
    f32x16 scale = (f32x16)(((u32x16)shifted + 127) << 23);
    return CS_NAME(select)(x < least, (f32x16)0.0f, p * scale);
}

CS_INLINE f32x16 CS_NAME(term)(f32x16 x, float greatest, float scale, float floor) {
    f32x16 value = CS_NAME(vexp_below)((x - greatest) * scale);
    return CS_NAME(select)(value < floor, (f32x16)0.0f, value);
}

CS_INLINE float CS_NAME(exponentials_of_run)(
    const float *x, int count, float greatest, float scale, float floor, float *terms) {
    f32x16 sum[2] = {0, 0};
    int i = 0;
    for (; i + 32 <= count; i += 32) {
        CS_UNROLL for (int k = 0; k < 2; k++) {
            f32x16 value = CS_NAME(term)(CS_NAME(load)(x + i + 16 * k), greatest, scale, floor);
            if (terms) CS_NAME(store)(terms + i + 16 * k, value);
            sum[k] += value;
        }
    }
    for (; i < count; i += 16) {
        size_t bytes = (size_t)(count - i < 16 ? count - i : 16) * sizeof(float);
        f32x16 value = (f32x16)-INFINITY;
        memcpy(&value, x + i, bytes);
        value = CS_NAME(term)(value, greatest, scale, floor);
        if (terms) memcpy(terms + i, &value, bytes);
        sum[0] += value;
    }
    return CS_NAME(sum)(sum[0] + sum[1]);
}

static double CS_NAME(exponentials)(
    const float *x, int count, float greatest, float scale, float floor, float *terms, float *sums) {
    double total = 0;
    for (int i = 0; i < count; i += CS_SAMPLING_RUN) {
        int some = count - i < CS_SAMPLING_RUN ? count - i : CS_SAMPLING_RUN;
        float sum = CS_NAME(exponentials_of_run)(x + i, some, greatest, scale, floor, terms ? terms + i : NULL);
        if (sums) sums[i / CS_SAMPLING_RUN] = sum;
        total += (double)sum;
    }
    return total;
}

CS_INLINE float CS_NAME(sum_of_run)(const float *x, int count, float bound) {
    f32x16 sum[4] = {0, 0, 0, 0};
    int i = 0;
    for (; i + 64 <= count; i += 64) {
        CS_UNROLL for (int k = 0; k < 4; k++) {
            f32x16 value = CS_NAME(load)(x + i + 16 * k);
            sum[k] += CS_NAME(select)(value >= bound, value, (f32x16)0.0f);
        }
    }
    for (; i < count; i += 16) {
        f32x16 value = CS_NAME(load_some)(x + i, count - i < 16 ? count - i : 16);
        sum[0] += CS_NAME(select)(value >= bound, value, (f32x16)0.0f);
    }
    return CS_NAME(sum)((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static double CS_NAME(sum_from)(const float *x, int count, float bound, float *sums) {
    double total = 0;
    for (int i = 0; i < count; i += CS_SAMPLING_RUN) {
        float sum = CS_NAME(sum_of_run)(x + i, count - i < CS_SAMPLING_RUN ? count - i : CS_SAMPLING_RUN, bound);
        if (sums) sums[i / CS_SAMPLING_RUN] = sum;
        total += (double)sum;
    }
    return total;
}

static int CS_NAME(between)(const float *x, int count, float low, float high, float *kept) {
    // Numbers from 0 on are ordered as their bits are, so one comparison of integers does. No branch: which numbers are
    // kept cannot be foretold.
    uint32_t first, last;
    memcpy(&first, &low, sizeof first);
    memcpy(&last, &high, sizeof last);
    uint32_t width = last - first;
    int length = 0;
    for (int i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        memcpy(kept + length, &bits, sizeof bits);
        length += bits - first < width;
    }
    return length;
}
