#include "graph/infer.h"
#include "graph/window.h"

/* The divisor of an average must be exact as a float. */
#define MAX_AREA (1 << 24)

/* Every window must hold at least one element of the input: an average over nothing is 0 / 0, a maximum has no value.
 * Up to a dilation of the input's size, a window that spans any element also has a tap on one. */
static tmc_status check_no_empty_window(const tmc_window *w, tmc_error *err) {
    if (w->kernel > 1 && w->dilation > w->in && (w->pad_begin || w->pad_end))
        return tmc_fail_field(err, TMC_E_UNSUPPORTED, "dilation", "%d with padding is larger than the input of %d",
                              w->dilation, w->in);
    if (w->pad_begin >= tmc_window_extent(w) || w->pad_end >= tmc_window_extent(w))
        return tmc_fail_field(err, TMC_E_SHAPE, "pad_begin", "pads %d and %d hold a whole window of %lld", w->pad_begin,
                              w->pad_end, (long long)tmc_window_extent(w));
    return TMC_OK;
}

static tmc_status check_flag(int32_t value, const char *name, tmc_error *err) {
    if (value != 0 && value != 1) return tmc_fail_field(err, TMC_E_RANGE, name, "%d, expected 0 or 1", value);
    return TMC_OK;
}

tmc_status tmc_infer_pool(const tmc_infer_args *args) {
    const tmc_pool_params *p = args->params;
    const tmc_tensor_desc *x = args->inputs[0];
    TMC_TRY(tmc_spatial_check(x, p->spatial, args->err));
    if (args->op == TMC_OP_LP_POOL) TMC_TRY(tmc_require_f32(x, "input", args->err));
    TMC_TRY(check_flag(p->ceil_mode, "ceil_mode", args->err));
    TMC_TRY(check_flag(p->count_include_pad, "count_include_pad", args->err));
    if (args->op == TMC_OP_LP_POOL && p->p < 1)
        return tmc_fail_field(args->err, TMC_E_RANGE, "p", "%d, expected at least 1", p->p);
    if (args->op == TMC_OP_LP_POOL && p->p > 2)
        return tmc_fail_field(args->err, TMC_E_UNSUPPORTED, "p", "%d, only 1 and 2 are supported", p->p);

    tmc_tensor_desc *y = &args->outputs[0];
    *y = *x;
    int64_t area = 1;
    for (int axis = 0; axis < 3; axis++) {
        const bool used = axis >= 3 - p->spatial;
        tmc_window window = tmc_pool_window(p, axis, tmc_spatial_dim(x, p->spatial, axis));
        TMC_TRY(tmc_window_check(&window, used, args->err));
        area *= window.kernel;
        if (area > MAX_AREA)
            return tmc_fail_field(args->err, TMC_E_LIMIT, "kernel", "window is over %d elements", MAX_AREA);
        int32_t out;
        TMC_TRY(tmc_window_outputs(&window, p->ceil_mode, &out, args->err));
        TMC_TRY(check_no_empty_window(&window, args->err));
        if (used) y->dims[1 + axis - (3 - p->spatial)] = out;
    }
    return TMC_OK;
}
