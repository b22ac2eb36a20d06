#include "ops/resize_axis.h"

#include <math.h>

static int32_t taps_of(int32_t mode) { return mode == TMC_RESIZE_NEAREST ? 1 : mode == TMC_RESIZE_LINEAR ? 2 : 4; }

tmc_resize_axis tmc_resize_axis_get(const tmc_resize_params *params, int32_t axis, int32_t in, int32_t out) {
    tmc_resize_axis a = {.in = in, .out = out, .taps = taps_of(params->mode)};
    const float scale = params->scales[axis];
    /* A scale that is the float nearest to out / in means out / in: 3 / 0.6f would fall just below 5, and nearest with
     * floor would take another pixel than the exporter meant. */
    if (scale != 0.0f && scale != (float)((double)out / (double)in)) a.scale = (double)scale;
    a.crop_begin = (double)params->roi_begin[axis];
    a.crop_end = (double)params->roi_end[axis];
    return a;
}

bool tmc_resize_axis_changes(const tmc_resize_axis *axis, const tmc_resize_params *params) {
    if (axis->in != axis->out || axis->scale != 0.0) return true;
    return params->coordinates == TMC_COORD_TF_CROP_AND_RESIZE && (axis->crop_begin != 0.0 || axis->crop_end != 1.0);
}

static double unscale(const tmc_resize_axis *axis, double x) {
    return axis->scale != 0.0 ? x / axis->scale : x * (double)axis->in / (double)axis->out;
}

/* Position of output element o among the input elements. Formulas: ONNX Resize, coordinate_transformation_mode; as in
 * its reference, align_corners with a scale of its own has the fractional length in * scale. */
static double coordinate(const tmc_resize_axis *axis, int32_t mode, double o) {
    const double in_last = (double)axis->in - 1.0, out_last = (double)axis->out - 1.0;
    const double corner = axis->scale != 0.0 ? (double)axis->in * axis->scale - 1.0 : out_last;
    switch (mode) {
    case TMC_COORD_PYTORCH_HALF_PIXEL:
        if (axis->out == 1) return 0.0;
        return unscale(axis, o + 0.5) - 0.5;
    case TMC_COORD_ALIGN_CORNERS: return corner > 0.0 ? o * in_last / corner : 0.0;
    case TMC_COORD_ASYMMETRIC: return unscale(axis, o);
    case TMC_COORD_TF_CROP_AND_RESIZE:
        if (axis->out == 1) return 0.5 * (axis->crop_begin + axis->crop_end) * in_last;
        return axis->crop_begin * in_last + o * (axis->crop_end - axis->crop_begin) * in_last / out_last;
    case TMC_COORD_TF_HALF_PIXEL_FOR_NN: return unscale(axis, o + 0.5);
    default: return unscale(axis, o + 0.5) - 0.5; /* half_pixel */
    }
}

/* Beyond these bounds every tap is the edge element: the conversion to an integer is safe, and nothing changes. */
static double bounded(double x, int32_t in) {
    const double last = (double)in + 2.0;
    return x < -3.0 ? -3.0 : x > last ? last : x;
}

static int32_t clamp_index(double x, int32_t in) { return x < 0.0 ? 0 : x > (double)(in - 1) ? in - 1 : (int32_t)x; }

static int32_t nearest_index(double x, int32_t rounding, int32_t in) {
    switch (rounding) {
    case TMC_NEAREST_ROUND_PREFER_CEIL: return clamp_index(floor(x + 0.5), in);
    case TMC_NEAREST_FLOOR: return clamp_index(floor(x), in);
    case TMC_NEAREST_CEIL: return clamp_index(ceil(x), in);
    default: return clamp_index(ceil(x - 0.5), in); /* round_prefer_floor */
    }
}

/* Keys' kernel, at distance 1 + r, r, 1 - r, 2 - r. */
static void cubic_weights(double r, double a, double w[4]) {
    const double far_left = r + 1.0, right = 1.0 - r, far_right = right + 1.0;
    w[0] = ((a * far_left - 5.0 * a) * far_left + 8.0 * a) * far_left - 4.0 * a;
    w[1] = ((a + 2.0) * r - (a + 3.0)) * r * r + 1.0;
    w[2] = ((a + 2.0) * right - (a + 3.0)) * right * right + 1.0;
    w[3] = ((a * far_right - 5.0 * a) * far_right + 8.0 * a) * far_right - 4.0 * a;
}

/* Taps outside get no weight and the rest is scaled to sum 1, unless nothing is left: then the edge element it is. */
static void drop_outside(const tmc_resize_axis *axis, double first, double w[4]) {
    double kept[4], sum = 0.0;
    for (int32_t t = 0; t < axis->taps; t++) {
        const double at = first + (double)t;
        kept[t] = at < 0.0 || at > (double)(axis->in - 1) ? 0.0 : w[t];
        sum += kept[t];
    }
    if (sum == 0.0) return;
    for (int32_t t = 0; t < axis->taps; t++) w[t] = kept[t] / sum;
}

static void fill_taps(const tmc_resize_axis *axis, const tmc_resize_params *params, double x, int32_t *index,
                      float *weight) {
    const double low = floor(x), r = x - low;
    double w[4] = {1.0 - r, r, 0.0, 0.0}, first = low;
    if (params->mode == TMC_RESIZE_CUBIC) {
        cubic_weights(r, (double)params->cubic_a, w);
        first = low - 1.0;
    }
    if (params->exclude_outside) drop_outside(axis, first, w);
    for (int32_t t = 0; t < axis->taps; t++) {
        index[t] = clamp_index(first + (double)t, axis->in);
        weight[t] = (float)w[t];
    }
}

void tmc_resize_axis_fill(const tmc_resize_axis *axis, const tmc_resize_params *params, size_t first, size_t count,
                          int32_t *index, float *weight) {
    const size_t taps = (size_t)axis->taps;
    for (size_t o = first; o < first + count; o++) {
        const double x = bounded(coordinate(axis, params->coordinates, (double)o), axis->in);
        if (params->mode == TMC_RESIZE_NEAREST)
            index[o] = nearest_index(x, params->nearest, axis->in);
        else
            fill_taps(axis, params, x, index + o * taps, weight + o * taps);
    }
}

void tmc_resize_axis_inside(const tmc_resize_axis *axis, const tmc_resize_params *params, size_t *begin, size_t *end) {
    const size_t out = (size_t)axis->out;
    size_t first = 0, last = out;
    while (first < out) {
        const double x = coordinate(axis, params->coordinates, (double)first);
        if (x >= 0.0 && x <= (double)(axis->in - 1)) break;
        first++;
    }
    while (last > first) {
        const double x = coordinate(axis, params->coordinates, (double)(last - 1));
        if (x >= 0.0 && x <= (double)(axis->in - 1)) break;
        last--;
    }
    *begin = first; /* coordinates are monotonic: what lies between is inside */
    *end = last;
}
