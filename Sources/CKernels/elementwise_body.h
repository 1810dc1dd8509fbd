// One row of sums and rotations, and runs of numbers between types.

static void CS_NAME(add_row)(const float *delta, float factor, float *x, int columns) {
    if (factor == 1.0f) {
        for (int c = 0; c < columns; c++) x[c] += delta[c];
    } else {
        for (int c = 0; c < columns; c++) x[c] += factor * delta[c];
    }
}

static void CS_NAME(scale_row)(const float *x, float factor, float *out, int columns) {
    for (int c = 0; c < columns; c++) out[c] = factor * x[c];
}

static void CS_NAME(rotate_head)(float *x, const float *cosines, const float *sines, int half) {
    for (int i = 0; i < half; i++) {
        float a = x[i], b = x[i + half];
        x[i] = a * cosines[i] - b * sines[i];
        x[i + half] = b * cosines[i] + a * sines[i];
    }
}

static void CS_NAME(narrow)(cs_type type, const float *from, int count, void *out) {
    uint16_t *half = out;
    switch (type) {
    case CS_F32: memcpy(out, from, (size_t)count * sizeof(float)); break;
    case CS_BF16:
        for (int i = 0; i < count; i++) half[i] = cs_f32_to_bf16(from[i]);
        break;
    case CS_F16:
        for (int i = 0; i < count; i++) half[i] = cs_f32_to_f16(from[i]);
        break;
    default: break;
    }
}
