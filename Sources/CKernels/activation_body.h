// Activations, softcap, softmax and the sampler's sums over one row, on the polynomials of vector.h.

CS_INLINE f32x16 CS_NAME(logistic)(f32x16 x) { return 1.0f / (1.0f + CS_NAME(vexp)(-x)); }

CS_INLINE f32x16 CS_NAME(act)(const cs_activation activation, f32x16 x) {
    switch (activation) {
    case CS_SILU: return x * CS_NAME(logistic)(x);
    case CS_GELU: return 0.5f * x * (1.0f + CS_NAME(verf)(x * 0x1.6a09e6p-1f));
    case CS_GELU_TANH: {
        f32x16 inner = 0x1.988454p-1f * CS_NAME(madd)((f32x16)0.044715f * x * x, x, x);
        return 0.5f * x * (1.0f + CS_NAME(vtanh)(inner));
    }
    case CS_RELU: return CS_NAME(vmax)(x, (f32x16)0.0f);
    }
    return x;
}

CS_INLINE void CS_NAME(activate_as)(const cs_activation activation, const float *gate, int columns, float *out) {
    const float *up = gate + columns;
    int c = 0;
    for (; c + 16 <= columns; c += 16)
        CS_NAME(store)(out + c, CS_NAME(act)(activation, CS_NAME(load)(gate + c)) * CS_NAME(load)(up + c));
    if (c < columns) {
        size_t bytes = (size_t)(columns - c) * sizeof(float);
        f32x16 a = CS_NAME(load_some)(gate + c, columns - c), b = CS_NAME(load_some)(up + c, columns - c);
        f32x16 value = CS_NAME(act)(activation, a) * b;
        memcpy(out + c, &value, bytes);
    }
}

static void CS_NAME(activate_row)(cs_activation activation, const float *gate_up, int columns, float *out) {
    switch (activation) {
    case CS_SILU: CS_NAME(activate_as)(CS_SILU, gate_up, columns, out); break;
    case CS_GELU: CS_NAME(activate_as)(CS_GELU, gate_up, columns, out); break;
    case CS_GELU_TANH: CS_NAME(activate_as)(CS_GELU_TANH, gate_up, columns, out); break;
    case CS_RELU: CS_NAME(activate_as)(CS_RELU, gate_up, columns, out); break;
    }
}

static void CS_NAME(softcap_row)(float *x, float cap, int columns) {
    for (int c = 0; c < columns; c += 16) {
        int count = columns - c < 16 ? columns - c : 16;
        f32x16 value = cap * CS_NAME(vtanh)(CS_NAME(load_some)(x + c, count) / cap);
        memcpy(x + c, &value, (size_t)count * sizeof(float));
    }
}

static float CS_NAME(row_largest)(const float *x, int count) {
    f32x16 most = (f32x16)-INFINITY;
    int i = 0;
    for (; i + 16 <= count; i += 16) most = CS_NAME(vmax)(CS_NAME(load)(x + i), most);
    float largest = CS_NAME(largest)(most);
    for (; i < count; i++) largest = x[i] > largest ? x[i] : largest;
    return largest;
}

/// exp(x - shift) of the next 16 or fewer numbers; absent ones count for nothing.
CS_INLINE f32x16 CS_NAME(exp_some)(const float *x, int count, float shift) {
    f32x16 value = (f32x16)-INFINITY;
    memcpy(&value, x, (size_t)count * sizeof(float));
    return CS_NAME(vexp)(value - shift);
}

static void CS_NAME(softmax_row)(float *x, int columns) {
    float largest = CS_NAME(row_largest)(x, columns);
    f32x16 sum = 0;
    for (int c = 0; c < columns; c += 16) {
        int count = columns - c < 16 ? columns - c : 16;
        f32x16 value = CS_NAME(exp_some)(x + c, count, largest);
        sum += value;
        memcpy(x + c, &value, (size_t)count * sizeof(float));
    }
    float scale = 1.0f / CS_NAME(sum)(sum);
    for (int c = 0; c < columns; c++) x[c] *= scale;
}

static void CS_NAME(log_sum_exp)(const float *x, int count, float *largest, float *log_sum) {
    float most = CS_NAME(row_largest)(x, count);
    *largest = most;
    *log_sum = most;
    if (!(most > -INFINITY && most < INFINITY)) return;
    f32x16 sum[2] = {0, 0};
    int i = 0;
    for (; i + 32 <= count; i += 32) {
        sum[0] += CS_NAME(vexp)(CS_NAME(load)(x + i) - most);
        sum[1] += CS_NAME(vexp)(CS_NAME(load)(x + i + 16) - most);
    }
    for (; i < count; i += 16) sum[0] += CS_NAME(exp_some)(x + i, count - i < 16 ? count - i : 16, most);
    *log_sum = most + logf(CS_NAME(sum)(sum[0] + sum[1]));
}

static int CS_NAME(argmax)(const float *x, int count) {
    float largest = CS_NAME(row_largest)(x, count);
    for (int i = 0; i < count; i++)
        if (x[i] == largest) return i;
    return 0;
}

static void CS_NAME(map)(cs_function function, const float *x, int count, float *y) {
    for (int i = 0; i < count; i += 16) {
        int some = count - i < 16 ? count - i : 16;
        f32x16 value = CS_NAME(load_some)(x + i, some);
        value = function == CS_EXP    ? CS_NAME(vexp)(value)
                : function == CS_TANH ? CS_NAME(vtanh)(value)
                                      : CS_NAME(verf)(value);
        memcpy(y + i, &value, (size_t)some * sizeof(float));
    }
}

static float CS_NAME(sigmoid)(float x) { return CS_NAME(logistic)((f32x16)x)[0]; }
