#include "graph/panels_i8.h"

#include "format/packing_i8.h"
#include "graph/packed.h"

typedef struct {
    const tmc_i8_weights *w;
    const uint8_t **place;
    tmc_error *err;
} checker;

static tmc_status fail(const checker *c, const void *place, const char *field, size_t channel, const char *what) {
    *c->place = place;
    return tmc_fail_field(c->err, TMC_E_QUANT, field, "output channel %zu: %s", channel, what);
}

/* Zeros fill up a column, so its sum is that of all its bytes. */
static int64_t sum_of(const tmc_i8_panel *p, const tmc_i8_span *span, size_t n) {
    int64_t sum = 0;
    for (size_t k = 0; k < span->bytes; k++) sum += p->weights[(k / 4 * span->width + n) * 4 + k % 4];
    return sum;
}

static tmc_status check_strictly(const checker *c, const tmc_i8_span *span, const tmc_i8_panel *p, size_t n) {
    const tmc_i8_weights *w = c->w;
    const bool real = n < span->columns;
    const size_t channel = span->channel + n;
    const float multiplier = real ? tmc_i8_multiplier(w->input.scale, w->scales[channel], w->output.scale) : 1.0f;
    if (p->multiplier[n] != multiplier)
        return fail(c, &p->multiplier[n], "multiplier", channel, "the multiplier is not that of the scales");
    const int64_t sum = sum_of(p, span, n);
    if (p->bias_unsigned[n] != p->bias[n] - 128 * sum || (!real && (p->bias[n] || sum)))
        return fail(c, &p->bias_unsigned[n], "bias", channel, "the two biases do not fit the weights");
    return TMC_OK;
}

static tmc_status check_panel(void *context, const tmc_i8_span *span) {
    const checker *c = context;
    const tmc_i8_panel p = tmc_i8_panel_at(c->w->data + span->offset, span->width);
    for (size_t n = 0; n < span->width; n++) {
        if (!tmc_i8_multiplier_is_valid(p.multiplier[n]))
            return fail(c, &p.multiplier[n], "multiplier", span->channel + n,
                        "the multiplier is no positive normal number");
        if (!tmc_i8_sum_fits(span->k, p.bias[n]))
            return fail(c, &p.bias[n], "bias", span->channel + n, "the bias and its products leave int32");
        if (c->w->strict) TMC_TRY(check_strictly(c, span, &p, n));
    }
    return TMC_OK;
}

/* Every phase takes bytes, so fewer need no look at each phase: the work stays linear in the file. */
static bool has_room(const tmc_i8_weights *w) {
    const tmc_conv_params *p = w->params;
    if (w->op != TMC_OP_CONV_TRANSPOSE) return true;
    const uint64_t phases = (uint64_t)p->stride[0] * (uint64_t)p->stride[1] * (uint64_t)p->stride[2];
    return w->bytes / (4 * TMC_I8_COLUMN_HEADER) >= phases;
}

tmc_status tmc_check_i8_weights(const tmc_i8_weights *w, const uint8_t **place, tmc_error *err) {
    const tmc_conv_params *p = w->params;
    uint64_t bytes = 0;
    if (has_room(w)) TMC_TRY(tmc_packed_bytes(w->op, w->params, w->desc, &bytes, err));
    if (bytes != w->bytes)
        return tmc_fail_field(err, TMC_E_SHAPE, "data_bytes", "%llu bytes, these weights packed have %s%llu",
                              (unsigned long long)w->bytes, bytes ? "" : "over ",
                              (unsigned long long)(bytes ? bytes : w->bytes));
    checker c = {w, place, err};
    if (w->op == TMC_OP_DEPTHWISE_CONV) {
        const size_t kernel[3] = {(size_t)p->kernel[0], (size_t)p->kernel[1], (size_t)p->kernel[2]};
        return tmc_i8_each_depthwise((size_t)w->desc->dims[w->desc->rank - 1], kernel, check_panel, &c);
    }
    const tmc_pack_shape shape = tmc_packed_shape(w->op, w->params, w->desc);
    return tmc_i8_each_panel(&shape, check_panel, &c);
}
