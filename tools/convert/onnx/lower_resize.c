/* Resize of opsets 10 to 21, and Upsample of 7 and 9. */
#include <math.h>
#include <string.h>

#include "convert/onnx/lower.h"

enum { POLICY_STRETCH, POLICY_NOT_LARGER, POLICY_NOT_SMALLER };
enum { COORD_HALF_PIXEL_SYMMETRIC = TMC_COORD_TF_HALF_PIXEL_FOR_NN + 1 };

/* What is known of each axis of the input before the node is written. */
typedef struct resize_plan {
    int32_t rank;
    int32_t coordinates; /* TMC_COORD_* or COORD_HALF_PIXEL_SYMMETRIC */
    int32_t policy;
    tmc_resize_params params; /* sizes, scales and roi per axis of the ONNX tensor */
} resize_plan;

static const char *const resize_modes[] = {
    [TMC_RESIZE_NEAREST] = "nearest", [TMC_RESIZE_LINEAR] = "linear", [TMC_RESIZE_CUBIC] = "cubic", NULL};

static void init_plan(resize_plan *plan, int32_t rank) {
    memset(plan, 0, sizeof *plan);
    plan->rank = rank;
    for (int32_t i = 0; i < rank; i++) {
        plan->params.scales[i] = 1;
        plan->params.roi_end[i] = 1;
    }
}

/* Axis of the tensor that entry i of a list speaks of. */
static tmc_status list_axis(onnx_lower *lw, const onnx_ints *axes, uint32_t i, int32_t rank, int32_t *axis) {
    if (axes->present) return onnx_axis(lw, axes->values[i], rank, axis);
    *axis = (int32_t)i;
    return TMC_OK;
}

static tmc_status wrong_length(onnx_lower *lw, const char *what, uint32_t have, uint32_t want) {
    return tmc_fail_field(lw->err, TMC_E_SHAPE, what, "%u values, expected %u", have, want);
}

static tmc_status set_scales(onnx_lower *lw, resize_plan *plan, const onnx_floats *scales, const onnx_ints *axes) {
    uint32_t want = axes->present ? axes->count : (uint32_t)plan->rank;
    if (scales->count != want) return wrong_length(lw, "scales", scales->count, want);
    for (uint32_t i = 0; i < want; i++) {
        int32_t axis;
        TMC_TRY(list_axis(lw, axes, i, plan->rank, &axis));
        if (!(scales->values[i] > 0 && isfinite(scales->values[i])))
            return tmc_fail_field(lw->err, TMC_E_RANGE, "scales", "scale of axis %d is not a positive number", axis);
        plan->params.scales[axis] = scales->values[i];
    }
    return TMC_OK;
}

/* keep_aspect_ratio_policy: one scale for all axes, and sizes rounded from it. */
static void keep_aspect_ratio(resize_plan *plan, const tmc_tensor_desc *x, uint32_t mask) {
    bool larger = plan->policy == POLICY_NOT_SMALLER, first = true;
    float scale = 1;
    for (int32_t i = 0; i < plan->rank; i++) {
        if (!(mask >> i & 1)) continue;
        float own = (float)plan->params.sizes[i] / (float)x->dims[i];
        if (first || (larger ? own > scale : own < scale)) scale = own;
        first = false;
    }
    for (int32_t i = 0; i < plan->rank; i++) {
        if (!(mask >> i & 1)) continue;
        plan->params.sizes[i] = (int32_t)floorf(scale * (float)x->dims[i] + 0.5f);
        plan->params.scales[i] = scale;
    }
}

static tmc_status set_sizes(onnx_lower *lw, resize_plan *plan, const onnx_ints *sizes, const onnx_ints *axes,
                            const tmc_tensor_desc *x) {
    uint32_t want = axes->present ? axes->count : (uint32_t)plan->rank, mask = 0;
    if (sizes->count != want) return wrong_length(lw, "sizes", sizes->count, want);
    for (uint32_t i = 0; i < want; i++) {
        int32_t axis;
        TMC_TRY(list_axis(lw, axes, i, plan->rank, &axis));
        if (sizes->values[i] < 1 || sizes->values[i] > INT32_MAX)
            return tmc_fail_field(lw->err, TMC_E_RANGE, "sizes", "size %lld", (long long)sizes->values[i]);
        mask |= 1u << axis;
        /* Batch and channels, and an axis whose own length comes back, are left alone at every input shape. */
        bool own_length = sizes->values[i] == x->dims[axis];
        if (own_length && plan->policy == POLICY_STRETCH && (axis < 2 || (sizes->derived >> i & 1))) continue;
        plan->params.sizes[axis] = (int32_t)sizes->values[i];
        plan->params.scales[axis] = 0;
    }
    if (plan->policy != POLICY_STRETCH) keep_aspect_ratio(plan, x, mask);
    return TMC_OK;
}

static tmc_status set_roi(onnx_lower *lw, resize_plan *plan, const onnx_ints *axes) {
    onnx_floats roi;
    if (plan->coordinates != TMC_COORD_TF_CROP_AND_RESIZE) return TMC_OK;
    uint32_t count = axes->present ? axes->count : (uint32_t)plan->rank;
    TMC_TRY(onnx_input_floats(lw, 1, "roi", &roi));
    if (roi.count != 2 * count) return wrong_length(lw, "roi", roi.count, 2 * count);
    for (uint32_t i = 0; i < count; i++) {
        int32_t axis;
        TMC_TRY(list_axis(lw, axes, i, plan->rank, &axis));
        plan->params.roi_begin[axis] = roi.values[i];
        plan->params.roi_end[axis] = roi.values[count + i];
    }
    return TMC_OK;
}

/* half_pixel_symmetric is half_pixel where the output's length is the exact product of length and scale. */
static tmc_status resolve_symmetric(onnx_lower *lw, resize_plan *plan, const tmc_tensor_desc *x) {
    plan->params.coordinates = plan->coordinates;
    if (plan->coordinates != COORD_HALF_PIXEL_SYMMETRIC) return TMC_OK;
    for (int32_t i = 0; i < plan->rank; i++) {
        float length = (float)x->dims[i] * plan->params.scales[i];
        if (plan->params.scales[i] != 0 && length != floorf(length))
            return onnx_refuse(lw, "coordinate_transformation_mode",
                               "half_pixel_symmetric with a fractional output length is not supported");
    }
    plan->params.coordinates = TMC_COORD_HALF_PIXEL;
    return TMC_OK;
}

static void swap_axes(resize_plan *plan, const int32_t *perm) {
    tmc_resize_params from = plan->params;
    for (int32_t i = 0; i < plan->rank; i++) {
        plan->params.sizes[i] = from.sizes[perm[i]];
        plan->params.scales[i] = from.scales[perm[i]];
        plan->params.roi_begin[i] = from.roi_begin[perm[i]];
        plan->params.roi_end[i] = from.roi_end[perm[i]];
    }
}

/* An image whose channels are not resized goes to channels-last, where the kernels are. */
static tmc_status emit_resize(onnx_lower *lw, resize_plan *plan, ir_id x) {
    bool image = plan->rank >= 3 && plan->params.sizes[1] == 0 && plan->params.scales[1] == 1;
    if (!image) return onnx_emit_result(lw, TMC_OP_RESIZE, &plan->params, &x, 1);
    int32_t perm[TMC_MAX_RANK] = {0};
    for (int32_t i = 1; i < plan->rank; i++) perm[i] = i + 1 < plan->rank ? i + 1 : 1;
    swap_axes(plan, perm);
    ir_id last, y, out;
    TMC_TRY(onnx_to_channels_last(lw, x, &last));
    TMC_TRY(onnx_emit(lw, TMC_OP_RESIZE, &plan->params, &last, 1, &y));
    TMC_TRY(onnx_to_channels_first(lw, y, &out));
    onnx_set_output(lw, 0, out);
    return TMC_OK;
}

static tmc_status read_modes(onnx_lower *lw, resize_plan *plan) {
    static const char *const coordinates[] = {[TMC_COORD_HALF_PIXEL] = "half_pixel",
                                              [TMC_COORD_PYTORCH_HALF_PIXEL] = "pytorch_half_pixel",
                                              [TMC_COORD_ALIGN_CORNERS] = "align_corners",
                                              [TMC_COORD_ASYMMETRIC] = "asymmetric",
                                              [TMC_COORD_TF_CROP_AND_RESIZE] = "tf_crop_and_resize",
                                              [TMC_COORD_TF_HALF_PIXEL_FOR_NN] = "tf_half_pixel_for_nn",
                                              [COORD_HALF_PIXEL_SYMMETRIC] = "half_pixel_symmetric",
                                              NULL};
    static const char *const nearest[] = {[TMC_NEAREST_ROUND_PREFER_FLOOR] = "round_prefer_floor",
                                          [TMC_NEAREST_ROUND_PREFER_CEIL] = "round_prefer_ceil",
                                          [TMC_NEAREST_FLOOR] = "floor",
                                          [TMC_NEAREST_CEIL] = "ceil",
                                          NULL};
    static const char *const policies[] = {"stretch", "not_larger", "not_smaller", NULL};
    bool exclude, antialias;
    TMC_TRY(onnx_attr_choice(lw, "mode", resize_modes, TMC_RESIZE_NEAREST, &plan->params.mode));
    TMC_TRY(
        onnx_attr_choice(lw, "coordinate_transformation_mode", coordinates, TMC_COORD_HALF_PIXEL, &plan->coordinates));
    TMC_TRY(onnx_attr_choice(lw, "nearest_mode", nearest, TMC_NEAREST_ROUND_PREFER_FLOOR, &plan->params.nearest));
    TMC_TRY(onnx_attr_choice(lw, "keep_aspect_ratio_policy", policies, POLICY_STRETCH, &plan->policy));
    TMC_TRY(onnx_attr_float(lw, "cubic_coeff_a", -0.75f, &plan->params.cubic_a));
    TMC_TRY(onnx_attr_float(lw, "extrapolation_value", 0, &plan->params.extrapolation));
    TMC_TRY(onnx_attr_bool(lw, "exclude_outside", false, &exclude));
    TMC_TRY(onnx_attr_bool(lw, "antialias", false, &antialias));
    plan->params.exclude_outside = exclude;
    return antialias ? onnx_refuse(lw, "antialias", "antialias=1 is not supported") : TMC_OK;
}

/* Upsample, and the first Resize: scales only, corners of pixels aligned, lower neighbour. */
static tmc_status lower_scaled(onnx_lower *lw, bool scales_are_input) {
    resize_plan plan;
    onnx_floats scales;
    onnx_ints no_axes = {0};
    ir_id x;
    TMC_TRY(onnx_input(lw, 0, &x));
    init_plan(&plan, onnx_desc(lw, x)->rank);
    TMC_TRY(onnx_attr_choice(lw, "mode", resize_modes, TMC_RESIZE_NEAREST, &plan.params.mode));
    plan.params.coordinates = TMC_COORD_ASYMMETRIC;
    plan.params.nearest = TMC_NEAREST_FLOOR;
    plan.params.cubic_a = -0.75f;
    if (scales_are_input)
        TMC_TRY(onnx_input_floats(lw, 1, "scales", &scales));
    else
        TMC_TRY(onnx_attr_floats(lw, "scales", &scales));
    TMC_TRY(set_scales(lw, &plan, &scales, &no_axes));
    return emit_resize(lw, &plan, x);
}

tmc_status onnx_lower_upsample(onnx_lower *lw) {
    TMC_TRY(onnx_expect_inputs(lw, lw->opset < 9 ? 1 : 2, lw->opset < 9 ? 1 : 2));
    return lower_scaled(lw, lw->opset >= 9);
}

tmc_status onnx_lower_resize(onnx_lower *lw) {
    resize_plan plan;
    onnx_floats scales;
    onnx_ints sizes, axes;
    int32_t mask;
    ir_id x;
    if (lw->opset < 11) {
        TMC_TRY(onnx_expect_inputs(lw, 2, 2));
        return lower_scaled(lw, true);
    }
    TMC_TRY(onnx_expect_inputs(lw, 1, 4));
    TMC_TRY(onnx_input(lw, 0, &x));
    const tmc_tensor_desc desc = *onnx_desc(lw, x);
    init_plan(&plan, desc.rank);
    TMC_TRY(read_modes(lw, &plan));
    TMC_TRY(onnx_attr_ints(lw, "axes", &axes));
    TMC_TRY(onnx_axes_mask(lw, &axes, desc.rank, &mask));
    TMC_TRY(onnx_input_floats(lw, 2, "scales", &scales));
    TMC_TRY(onnx_input_ints(lw, 3, "sizes", &sizes));
    if ((scales.count == 0) == (sizes.count == 0))
        return tmc_fail_field(lw->err, TMC_E_FORMAT, "scales", "exactly one of scales and sizes must be given");
    TMC_TRY(set_roi(lw, &plan, &axes));
    if (scales.count)
        TMC_TRY(set_scales(lw, &plan, &scales, &axes));
    else
        TMC_TRY(set_sizes(lw, &plan, &sizes, &axes, &desc));
    TMC_TRY(resolve_symmetric(lw, &plan, &desc));
    return emit_resize(lw, &plan, x);
}
