#include "format/packing_i8.h"

#include <string.h>

/* ------------------------------------------------------------------------------------------------------- geometry */

/* The phases of a group in the order of the file: residues of z, y, x, the last fastest. */
static size_t phase_count(const tmc_pack_shape *s) { return s->stride[0] * s->stride[1] * s->stride[2]; }

static void phase_at(const tmc_pack_shape *s, size_t index, tmc_phase axis[3]) {
    for (int a = 2; a >= 0; a--) {
        axis[a] = tmc_phase_of(s->kernel[a], s->stride[a], s->dilation[a], index % s->stride[a]);
        index /= s->stride[a];
    }
}

static uint64_t phase_k(const tmc_pack_shape *s, const tmc_phase axis[3]) {
    return (uint64_t)axis[0].count * axis[1].count * axis[2].count * s->channels;
}

static uint64_t group_bytes(const tmc_pack_shape *s) {
    uint64_t column = 0;
    for (size_t i = 0; i < phase_count(s); i++) {
        tmc_phase axis[3];
        phase_at(s, i, axis);
        column += TMC_I8_COLUMN_HEADER + ((phase_k(s, axis) + 3) & ~(uint64_t)3);
    }
    return column * tmc_panel_columns_up(s->columns);
}

uint64_t tmc_i8_group_bytes(const tmc_pack_shape *s) { return (group_bytes(s) + 63) & ~(uint64_t)63; }

uint64_t tmc_i8_bytes(const tmc_pack_shape *s) { return tmc_i8_group_bytes(s) * (s->groups - 1) + group_bytes(s); }

/* The panels of one phase of a group; span: offset and axis of the phase, on return the offset behind it. */
static tmc_status each_in_phase(const tmc_pack_shape *s, size_t group, tmc_i8_span *span, tmc_i8_visit *visit,
                                void *context) {
    span->k = (size_t)phase_k(s, span->axis);
    span->bytes = tmc_i8_k(span->k);
    for (size_t column = 0; column < s->columns; column += span->width) {
        span->width = tmc_panel_width(s->columns, column);
        span->columns = s->columns - column < span->width ? s->columns - column : span->width;
        span->channel = group * s->columns + column;
        TMC_TRY(visit(context, span));
        span->offset += span->width * (TMC_I8_COLUMN_HEADER + span->bytes);
    }
    return TMC_OK;
}

tmc_status tmc_i8_each_panel(const tmc_pack_shape *s, tmc_i8_visit *visit, void *context) {
    const size_t stride = s->groups > 1 ? (size_t)tmc_i8_group_bytes(s) : 0;
    for (size_t group = 0; group < s->groups; group++) {
        tmc_i8_span span = {.offset = group * stride};
        for (size_t i = 0; i < phase_count(s); i++) {
            phase_at(s, i, span.axis);
            TMC_TRY(each_in_phase(s, group, &span, visit, context));
        }
    }
    return TMC_OK;
}

tmc_status tmc_i8_each_depthwise(size_t channels, const size_t kernel[3], tmc_i8_visit *visit, void *context) {
    tmc_i8_span span = {.width = TMC_DEPTHWISE_WIDTH,
                        .columns = channels < TMC_DEPTHWISE_WIDTH ? channels : TMC_DEPTHWISE_WIDTH,
                        .k = kernel[0] * kernel[1] * kernel[2],
                        .bytes = tmc_i8_depthwise_k(kernel)};
    for (size_t n = 0; n < channels; n += span.width) {
        span.channel = tmc_depthwise_channel(channels, n);
        TMC_TRY(visit(context, &span));
        span.offset += span.width * (TMC_I8_COLUMN_HEADER + span.bytes);
    }
    return TMC_OK;
}

/* -------------------------------------------------------------------------------------------------------- packing */

typedef struct packer packer;

/* Copies the weights of one column, where p says that they lie, and returns their sum. */
typedef int64_t fill_fn(const packer *p, const tmc_i8_span *span, size_t n, int8_t *weights);

struct packer {
    uint8_t *dst;
    const tmc_i8_source *source;
    const tmc_pack_shape *shape; /* TMC_PACK_I8_PANELS */
    const size_t *kernel;        /* TMC_PACK_I8_DEPTHWISE */
    size_t channels;
    fill_fn *fill;
    tmc_error *err;
};

/* Element k of a panel's column n lies at [k / 4][n][k % 4]. */
static size_t place_of(const tmc_i8_span *span, size_t k, size_t n) { return (k / 4 * span->width + n) * 4 + k % 4; }

static int64_t fill_column(const packer *p, const tmc_i8_span *span, size_t n, int8_t *weights) {
    const tmc_pack_shape *s = p->shape;
    const tmc_phase *axis = span->axis;
    const int8_t *w =
        p->source->weights + (span->channel + n) * s->kernel[0] * s->kernel[1] * s->kernel[2] * s->channels;
    int64_t sum = 0;
    size_t k = 0;
    for (size_t z = 0; z < axis[0].count; z++)
        for (size_t y = 0; y < axis[1].count; y++)
            for (size_t x = 0; x < axis[2].count; x++) {
                const size_t row = (axis[0].first + z * axis[0].step) * s->kernel[1] + axis[1].first + y * axis[1].step;
                const int8_t *tap = w + (row * s->kernel[2] + axis[2].first + x * axis[2].step) * s->channels;
                for (size_t i = 0; i < s->channels; i++, k++) {
                    weights[place_of(span, k, n)] = tap[i];
                    sum += tap[i];
                }
            }
    return sum;
}

static int64_t fill_depthwise(const packer *p, const tmc_i8_span *span, size_t n, int8_t *weights) {
    const int8_t *w = p->source->weights + span->channel + n;
    const size_t rows = tmc_i8_k(p->kernel[1]) / 4;
    int64_t sum = 0;
    for (size_t z = 0; z < p->kernel[0]; z++)
        for (size_t y = 0; y < p->kernel[1]; y++)
            for (size_t x = 0; x < p->kernel[2]; x++, w += p->channels) {
                const size_t four = (z * rows + y / 4) * p->kernel[2] + x;
                weights[place_of(span, four * 4 + y % 4, n)] = *w;
                sum += *w;
            }
    return sum;
}

static tmc_status pack_panel(void *context, const tmc_i8_span *span) {
    const packer *p = context;
    const tmc_i8_source *source = p->source;
    int32_t *bias = (int32_t *)(void *)(p->dst + span->offset), *bias_unsigned = bias + span->width;
    float *multiplier = (float *)(bias_unsigned + span->width);
    int8_t *weights = (int8_t *)(multiplier + span->width);
    memset(bias, 0, span->width * (TMC_I8_COLUMN_HEADER + span->bytes));
    for (size_t n = 0; n < span->width; n++) {
        multiplier[n] = 1.0f;
        if (n >= span->columns) continue;
        const size_t channel = span->channel + n;
        const int64_t sum = p->fill(p, span, n, weights);
        const int64_t b = (source->bias ? source->bias[channel] : 0) - source->x_zero_point * sum;
        multiplier[n] = tmc_i8_multiplier(source->x_scale, source->scales[channel], source->y_scale);
        if (!tmc_i8_sum_fits(span->k, b))
            return tmc_fail_field(p->err, TMC_E_QUANT, "bias",
                                  "channel %zu: %zu products and a bias of %lld leave int32; keep this layer in f32",
                                  channel, span->k, (long long)b);
        if (!tmc_i8_multiplier_is_valid(multiplier[n]))
            return tmc_fail_field(p->err, TMC_E_QUANT, "scale", "channel %zu: sx * sw / sy is no normal float",
                                  channel);
        bias[n] = (int32_t)b;
        bias_unsigned[n] = (int32_t)(b - 128 * sum);
    }
    return TMC_OK;
}

tmc_status tmc_i8_pack(void *dst, const tmc_pack_shape *shape, const tmc_i8_source *source, tmc_error *err) {
    packer p = {.dst = dst, .source = source, .shape = shape, .fill = fill_column, .err = err};
    memset(dst, 0, (size_t)tmc_i8_bytes(shape)); /* what lies between groups */
    return tmc_i8_each_panel(shape, pack_panel, &p);
}

tmc_status tmc_i8_pack_depthwise(void *dst, size_t channels, const size_t kernel[3], const tmc_i8_source *source,
                                 tmc_error *err) {
    packer p = {
        .dst = dst, .source = source, .kernel = kernel, .channels = channels, .fill = fill_depthwise, .err = err};
    return tmc_i8_each_depthwise(channels, kernel, pack_panel, &p);
}
