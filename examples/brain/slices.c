#include "slices.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_floats(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

tmc_status slices_normalise(io_volume *head, tmc_error *err) {
    size_t count = (size_t)head->nx * (size_t)head->ny * (size_t)head->nz, n = 0;
    float *positive = malloc(count * sizeof *positive);
    if (!positive) return tmc_fail(err, TMC_E_NOMEM, "no memory for %zu voxels", count);
    for (size_t i = 0; i < count; i++)
        if (head->voxels[i] > 0.0f) positive[n++] = head->voxels[i];
    if (n == 0) {
        free(positive);
        return tmc_fail(err, TMC_E_RANGE, "the volume has no positive voxel");
    }
    qsort(positive, n, sizeof *positive, compare_floats);
    float high = positive[(size_t)floor(0.995 * (double)(n - 1))];
    free(positive);
    for (size_t i = 0; i < count; i++) {
        float v = head->voxels[i] / high;
        head->voxels[i] = v > 0.0f ? v < 1.0f ? v : 1.0f : 0.0f;
    }
    return TMC_OK;
}

/* Bilinear sample of a width x height picture; neighbours outside count 0. */
static float sample(const float *picture, int32_t width, int32_t height, float x, float y) {
    int32_t x0 = (int32_t)floorf(x), y0 = (int32_t)floorf(y);
    float fx = x - (float)x0, fy = y - (float)y0, sum = 0.0f;
    for (int32_t dy = 0; dy < 2; dy++)
        for (int32_t dx = 0; dx < 2; dx++) {
            int32_t px = x0 + dx, py = y0 + dy;
            if (px < 0 || py < 0 || px >= width || py >= height) continue;
            sum += (dx ? fx : 1.0f - fx) * (dy ? fy : 1.0f - fy) * picture[(size_t)py * (size_t)width + (size_t)px];
        }
    return sum;
}

#define SLICE_MIDDLE ((float)(SLICE_SIDE - 1) / 2.0f)

void slices_extract(const io_volume *head, int32_t z, float *pixels) {
    const float *slice = head->voxels + (size_t)z * (size_t)head->nx * (size_t)head->ny;
    float middle_x = (float)(head->nx - 1) / 2.0f, middle_y = (float)(head->ny - 1) / 2.0f;
    for (int32_t r = 0; r < SLICE_SIDE; r++)
        for (int32_t c = 0; c < SLICE_SIDE; c++)
            pixels[r * SLICE_SIDE + c] =
                sample(slice, head->nx, head->ny, middle_x + ((float)c - SLICE_MIDDLE) * SLICE_SPACING / head->dx,
                       middle_y + ((float)r - SLICE_MIDDLE) * SLICE_SPACING / head->dy);
}

void slices_insert(const io_volume *head, const float *probability, unsigned char *mask) {
    float middle_x = (float)(head->nx - 1) / 2.0f, middle_y = (float)(head->ny - 1) / 2.0f;
    for (int32_t y = 0; y < head->ny; y++)
        for (int32_t x = 0; x < head->nx; x++) {
            float c = ((float)x - middle_x) * head->dx / SLICE_SPACING + SLICE_MIDDLE;
            float r = ((float)y - middle_y) * head->dy / SLICE_SPACING + SLICE_MIDDLE;
            mask[(size_t)y * (size_t)head->nx + (size_t)x] = sample(probability, SLICE_SIDE, SLICE_SIDE, c, r) >= 0.5f;
        }
}
