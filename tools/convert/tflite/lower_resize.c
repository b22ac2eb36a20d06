/* RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR, of height and width. */
#include <math.h>
#include <stdlib.h>

#include "convert/memory.h"
#include "convert/tflite/window.h"

#define MAX_SIZE (1 << 24) /* every index is a float */

typedef struct resize {
    ir_id x;
    bool align_corners, half_pixel;
    tmc_resize_params params;
} resize;

static tmc_status read_resize(tflite_lower *lw, uint32_t align_slot, uint32_t half_slot, resize *r) {
    tflite_ints size;
    TMC_TRY(tflite_expect(lw, 2, 2, 1));
    TMC_TRY(tflite_input(lw, 0, &r->x));
    TMC_TRY(tflite_input_ints(lw, 1, "size", &size));
    TMC_TRY(tflite_opt_bool(lw, align_slot, &r->align_corners));
    TMC_TRY(tflite_opt_bool(lw, half_slot, &r->half_pixel));
    TMC_TRY(tflite_require_rank4(lw, "input", tflite_desc(lw, r->x)));
    if (size.count != 2) return tmc_fail_field(lw->e.err, TMC_E_SHAPE, "size", "%u values, expected 2", size.count);
    for (int i = 0; i < TMC_MAX_RANK; i++) {
        r->params.roi_end[i] = 1;
        if (i != 1 && i != 2) r->params.scales[i] = 1;
    }
    for (int i = 0; i < 2; i++) {
        if (size.values[i] < 1 || size.values[i] > MAX_SIZE || tflite_desc(lw, r->x)->dims[1 + i] > MAX_SIZE)
            return tmc_fail_field(lw->e.err, TMC_E_RANGE, "size", "%d to %lld elements, expected 1 to 2^24",
                                  tflite_desc(lw, r->x)->dims[1 + i], (long long)size.values[i]);
        r->params.sizes[1 + i] = (int32_t)size.values[i];
    }
    return TMC_OK;
}

/* With aligned corners a single row or column is the first one: what is behind it goes before. */
static tmc_status keep_first(tflite_lower *lw, resize *r) {
    const tmc_tensor_desc x = *tflite_desc(lw, r->x);
    tmc_slice_params first = emit_whole_slice();
    bool cuts = false;
    for (int i = 1; i < 3; i++) {
        if (r->params.sizes[i] != 1 || x.dims[i] == 1) continue;
        first.end[i] = 1;
        cuts = true;
    }
    return cuts ? emit_node(&lw->e, TMC_OP_SLICE, &first, &r->x, 1, &r->x) : TMC_OK;
}

tmc_status tflite_lower_resize_bilinear(tflite_lower *lw) {
    resize r = {.params = {.mode = TMC_RESIZE_LINEAR}};
    TMC_TRY(read_resize(lw, BILINEAR_ALIGN_CORNERS, BILINEAR_HALF_PIXEL, &r));
    if (r.align_corners && r.half_pixel)
        return tmc_fail_field(lw->e.err, TMC_E_RANGE, "half_pixel_centers", "not together with align_corners");
    r.params.coordinates = r.align_corners ? TMC_COORD_ALIGN_CORNERS
                           : r.half_pixel  ? TMC_COORD_HALF_PIXEL
                                           : TMC_COORD_ASYMMETRIC;
    if (r.align_corners) TMC_TRY(keep_first(lw, &r));
    return tflite_emit_result(lw, TMC_OP_RESIZE, &r.params, &r.x, 1);
}

/* ------------------------------------------------------------------------------------------------------ nearest */

/* As LiteRT computes it, in floats. */
static int32_t float_nearest(const resize *r, int32_t o, int32_t in, int32_t out) {
    const bool corners = r->align_corners && out > 1;
    const float scale = corners ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out;
    const float at = ((float)o + (r->half_pixel ? 0.5f : 0.0f)) * scale;
    const float index = r->align_corners ? roundf(at) : floorf(at);
    return index >= (float)(in - 1) ? in - 1 : (int32_t)index;
}

/* As our resize does, in whole numbers; of two modes at once it has none. */
static int32_t exact_nearest(const resize *r, int64_t o, int64_t in, int64_t out) {
    const int64_t last = out - 1;
    if (r->align_corners) return out > 1 ? (int32_t)((2 * o * (in - 1) + last) / (2 * last)) : 0;
    return (int32_t)(r->half_pixel ? (2 * o + 1) * in / (2 * out) : o * in / out);
}

/* At some ratios floats lead to other elements than the exact ratio does. */
static bool floats_differ(const resize *r, int32_t in, int32_t out) {
    for (int32_t o = 0; o < out; o++)
        if (float_nearest(r, o, in, out) != exact_nearest(r, o, in, out)) return true;
    return false;
}

/* Then the elements are picked one by one. */
static tmc_status pick_axis(tflite_lower *lw, const resize *r, int32_t axis, ir_id x, ir_id *out) {
    const int32_t in = tflite_desc(lw, x)->dims[axis], count = r->params.sizes[axis];
    const tmc_axis_params params = {axis};
    int32_t *picked = x_alloc_array((size_t)count, sizeof *picked);
    for (int32_t o = 0; o < count; o++) picked[o] = float_nearest(r, o, in, count);
    ir_id inputs[2] = {x, emit_constant(&lw->e, TMC_I32, 1, &count, picked)};
    free(picked);
    return emit_node(&lw->e, TMC_OP_GATHER, &params, inputs, 2, out);
}

tmc_status tflite_lower_resize_nearest(tflite_lower *lw) {
    resize r = {.params = {.mode = TMC_RESIZE_NEAREST, .nearest = TMC_NEAREST_FLOOR}};
    TMC_TRY(read_resize(lw, NEAREST_ALIGN_CORNERS, NEAREST_HALF_PIXEL, &r));
    bool differs = r.align_corners && r.half_pixel;
    for (int32_t axis = 1; axis < 3; axis++) {
        TMC_TRY(emit_pay(&lw->e, (uint64_t)r.params.sizes[axis] * sizeof(int32_t)));
        differs = differs || floats_differ(&r, tflite_desc(lw, r.x)->dims[axis], r.params.sizes[axis]);
    }
    if (differs) {
        for (int32_t axis = 1; axis < 3; axis++) TMC_TRY(pick_axis(lw, &r, axis, r.x, &r.x));
        return tflite_set_output(lw, 0, r.x);
    }
    r.params.coordinates = r.align_corners ? TMC_COORD_ALIGN_CORNERS
                           : r.half_pixel  ? TMC_COORD_TF_HALF_PIXEL_FOR_NN
                                           : TMC_COORD_ASYMMETRIC;
    if (r.align_corners) {
        r.params.nearest = TMC_NEAREST_ROUND_PREFER_CEIL;
        TMC_TRY(keep_first(lw, &r));
    }
    return tflite_emit_result(lw, TMC_OP_RESIZE, &r.params, &r.x, 1);
}
