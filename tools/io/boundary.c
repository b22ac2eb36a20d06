#include "io/boundary.h"

#include <string.h>

void boundary_dims_from_source(tmc_layout layout, int32_t rank, const int32_t *source, int32_t *inner) {
    for (int32_t i = 0; i < rank; i++) inner[i] = source[i];
    if (layout != TMC_LAYOUT_CHANNELS_LAST) return;
    for (int32_t i = 1; i + 1 < rank; i++) inner[i] = source[i + 1];
    inner[rank - 1] = source[1];
}

void boundary_dims_to_source(tmc_layout layout, int32_t rank, const int32_t *inner, int32_t *source) {
    for (int32_t i = 0; i < rank; i++) source[i] = inner[i];
    if (layout != TMC_LAYOUT_CHANNELS_LAST) return;
    for (int32_t i = 1; i + 1 < rank; i++) source[i + 1] = inner[i];
    source[1] = inner[rank - 1];
}

/* out[c][r] = in[r][c] for each of n matrices. */
static void transpose(const uint8_t *in, uint8_t *out, size_t n, size_t rows, size_t columns, size_t size) {
    for (size_t i = 0; i < n; i++, in += rows * columns * size, out += rows * columns * size)
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                memcpy(out + (c * rows + r) * size, in + (r * columns + c) * size, size);
}

typedef struct {
    size_t batch, pixels, channels, size;
} extent;

static extent extent_of(const tmc_tensor_info *info) {
    extent e = {(size_t)info->dims[0], 1, (size_t)info->dims[info->rank - 1], 0};
    for (int32_t i = 1; i + 1 < info->rank; i++) e.pixels *= (size_t)info->dims[i];
    e.size = info->bytes / (e.batch * e.pixels * e.channels);
    return e;
}

void boundary_data_from_source(const tmc_tensor_info *info, const void *source, void *inner) {
    if (info->layout != TMC_LAYOUT_CHANNELS_LAST) {
        memcpy(inner, source, info->bytes);
        return;
    }
    extent e = extent_of(info);
    transpose(source, inner, e.batch, e.channels, e.pixels, e.size);
}

void boundary_data_to_source(const tmc_tensor_info *info, const void *inner, void *source) {
    if (info->layout != TMC_LAYOUT_CHANNELS_LAST) {
        memcpy(source, inner, info->bytes);
        return;
    }
    extent e = extent_of(info);
    transpose(inner, source, e.batch, e.pixels, e.channels, e.size);
}

tmc_layout boundary_picture_layout(const tmc_model *model, const tmc_tensor_info *info) {
    const char *source = tmc_model_metadata_get(model, "source.layout");
    return source && strcmp(source, "NHWC") == 0 ? TMC_LAYOUT_CHANNELS_LAST : info->layout;
}
