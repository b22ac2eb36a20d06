#include <math.h>

#include "graph/infer.h"
#include "graph/scalar.h"

/* Scales outside are no pictures, and would leave the range in which coordinates are exact. */
#define SCALE_MAX 0x1p31f
#define SCALE_MIN 0x1p-31f

static tmc_status check_modes(const tmc_infer_args *args, const tmc_resize_params *p) {
    if (p->mode < TMC_RESIZE_NEAREST || p->mode > TMC_RESIZE_CUBIC)
        return tmc_fail_field(args->err, TMC_E_UNSUPPORTED, "mode", "unknown mode %d", p->mode);
    if (p->coordinates < TMC_COORD_HALF_PIXEL || p->coordinates > TMC_COORD_TF_HALF_PIXEL_FOR_NN)
        return tmc_fail_field(args->err, TMC_E_UNSUPPORTED, "coordinates", "unknown mode %d", p->coordinates);
    if (p->nearest < TMC_NEAREST_ROUND_PREFER_FLOOR || p->nearest > TMC_NEAREST_CEIL)
        return tmc_fail_field(args->err, TMC_E_UNSUPPORTED, "nearest", "unknown mode %d", p->nearest);
    if (p->exclude_outside < 0 || p->exclude_outside > 1)
        return tmc_fail_field(args->err, TMC_E_RANGE, "exclude_outside", "%d, expected 0 or 1", p->exclude_outside);
    if (p->mode == TMC_RESIZE_CUBIC && !isfinite(p->cubic_a))
        return tmc_fail_field(args->err, TMC_E_RANGE, "cubic_a", "not a finite number");
    if (p->mode != TMC_RESIZE_NEAREST && args->inputs[0]->dtype != TMC_F32)
        return tmc_fail_field(args->err, TMC_E_DTYPE, "mode", "only nearest resizes %s, the others need f32",
                              tmc_dtype_name((tmc_dtype)args->inputs[0]->dtype));
    uint8_t element[TMC_MAX_ELEMENT];
    if (p->coordinates == TMC_COORD_TF_CROP_AND_RESIZE &&
        !tmc_scalar_for_tensor(args->inputs[0], p->extrapolation, element))
        return tmc_fail_field(args->err, TMC_E_RANGE, "extrapolation", "the value is not exact in %s",
                              tmc_dtype_name((tmc_dtype)args->inputs[0]->dtype));
    return TMC_OK;
}

static tmc_status check_scale(const tmc_infer_args *args, int32_t axis, float scale) {
    if (!(scale >= SCALE_MIN && scale <= SCALE_MAX)) /* false for NaN */
        return tmc_fail_field(args->err, TMC_E_RANGE, "scales", "scale of axis %d is not in 2^-31 to 2^31", axis);
    return TMC_OK;
}

/* ONNX: floor(dim * scale), a product of floats in its shape inference and in ONNX Runtime. */
static tmc_status scaled_dim(const tmc_infer_args *args, int32_t axis, float scale, int32_t *dim) {
    float size = floorf((float)*dim * scale);
    if (!(size >= 1.0f && size < 0x1p31f))
        return tmc_fail_field(args->err, TMC_E_RANGE, "scales", "axis %d of %d elements would shrink to 0 or overflow",
                              axis, *dim);
    *dim = (int32_t)size;
    return TMC_OK;
}

static tmc_status infer_axis(const tmc_infer_args *args, const tmc_resize_params *p, int32_t axis, int32_t *dim) {
    int32_t in = *dim, size = p->sizes[axis];
    float scale = p->scales[axis];
    if (size < 0) return tmc_fail_field(args->err, TMC_E_RANGE, "sizes", "size of axis %d is %d", axis, size);
    if (size == 0 || scale != 0.0f) TMC_TRY(check_scale(args, axis, scale));
    if (size == 0) {
        TMC_TRY(scaled_dim(args, axis, scale, dim));
    } else {
        *dim = size;
    }
    /* A fractional length, of which one element remains, has its second corner beyond it: legal. */
    bool one_corner = *dim == 1 && in > 1 && (scale == 0.0f || scale == (float)(1.0 / in));
    if (p->coordinates == TMC_COORD_ALIGN_CORNERS && one_corner)
        return tmc_fail_field(args->err, TMC_E_RANGE, "sizes", "axis %d: align_corners has no two corners in size 1",
                              axis);
    if (p->coordinates == TMC_COORD_TF_CROP_AND_RESIZE && !(isfinite(p->roi_begin[axis]) && isfinite(p->roi_end[axis])))
        return tmc_fail_field(args->err, TMC_E_RANGE, "roi_begin", "region of axis %d is not finite", axis);
    return TMC_OK;
}

tmc_status tmc_infer_resize(const tmc_infer_args *args) {
    const tmc_resize_params *p = args->params;
    tmc_tensor_desc *out = &args->outputs[0];
    TMC_TRY(check_modes(args, p));
    *out = *args->inputs[0];
    for (int32_t a = 0; a < out->rank; a++) TMC_TRY(infer_axis(args, p, a, &out->dims[a]));
    return TMC_OK;
}
