/* RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR, of height and width. */
#include "convert/tflite/window.h"

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
        if (size.values[i] < 1 || size.values[i] > INT32_MAX)
            return tmc_fail_field(lw->e.err, TMC_E_RANGE, "size", "size %lld", (long long)size.values[i]);
        r->params.sizes[1 + i] = (int32_t)size.values[i];
    }
    return TMC_OK;
}

/* With aligned corners a single row or column is the first one: what is behind it goes before. */
static tmc_status keep_first(tflite_lower *lw, resize *r) {
    const tmc_tensor_desc x = *tflite_desc(lw, r->x);
    tmc_slice_params first = tflite_whole();
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

tmc_status tflite_lower_resize_nearest(tflite_lower *lw) {
    resize r = {.params = {.mode = TMC_RESIZE_NEAREST, .nearest = TMC_NEAREST_FLOOR}};
    TMC_TRY(read_resize(lw, NEAREST_ALIGN_CORNERS, NEAREST_HALF_PIXEL, &r));
    if (r.align_corners && r.half_pixel)
        return tflite_refuse(lw, "half_pixel_centers", "together with align_corners it is not supported");
    r.params.coordinates = r.align_corners ? TMC_COORD_ALIGN_CORNERS
                           : r.half_pixel  ? TMC_COORD_TF_HALF_PIXEL_FOR_NN
                                           : TMC_COORD_ASYMMETRIC;
    if (r.align_corners) {
        r.params.nearest = TMC_NEAREST_ROUND_PREFER_CEIL;
        TMC_TRY(keep_first(lw, &r));
    }
    return tflite_emit_result(lw, TMC_OP_RESIZE, &r.params, &r.x, 1);
}
