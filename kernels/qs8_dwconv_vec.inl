/* qs8_dwconv on vectors of int32 sums. Define first DW_NAME and the operations of x86/qs8_dwconv_vec.h: DW_CHANNELS of
 * a vector (16, 8, 4), DW_BIAS (the panel's bias row: 0, or 1 where inputs are taken as x + 128), DW_RECORD and the
 * rest.
 *
 * A column is four input rows of 16 channels, interleaved so that a dot product takes the four taps of each channel.
 * The columns of a stretch of the row are made once, into records on the stack; then each serves every pixel and both
 * output rows whose windows hold it: the second row, one below, has the same taps one place further on. A window row
 * outside the image costs nothing: its weights are taken out, and what the padding gives goes to the bias once. */
#include "format/packing_i8.h"
#include "kernels/f32_unroll.h"
#include "kernels/qs8_dwconv_gather.h"

#define DW_TAP (4 * TMC_DEPTHWISE_WIDTH) /* bytes of the weights of a kernel column */
#define DW_BUFFER 6144                   /* bytes of records, twice */
#define DW_SCALE_BYTES 8192              /* of input and of output, within the first-level cache */

static tmc_i8_panel panel_at(const tmc_qs8_dwconv_args *args, size_t n) {
    const size_t kernel[3] = {1, args->kernel_h, args->kernel_w};
    const size_t column_bytes = TMC_I8_COLUMN_HEADER + tmc_i8_depthwise_k(kernel);
    return tmc_i8_panel_at((const char *)args->w + n * column_bytes, TMC_DEPTHWISE_WIDTH);
}

/* Of four rows of the window: the bits of the taps that lie on the image, and where the rows start; one that does not
 * count stands at one that exists. */
typedef struct {
    uint32_t mask;
    ptrdiff_t at[4];
} row_group;

static row_group group_of(const tmc_qs8_dwconv_args *args, size_t group) {
    const size_t window = args->kernel_h + args->c_rows - 1; /* weights behind it are zero */
    row_group g = {0, {0, 0, 0, 0}};
    for (size_t y = 0; y < 4; y++) {
        size_t t = 4 * group + y;
        if ((t >= args->first && t < args->last) || t >= window) g.mask |= 0xFFu << 8 * y;
        t = tmc_min_size(t, args->last ? args->last - 1 : 0);
        g.at[y] = t > args->first ? (ptrdiff_t)(t - args->first) * args->row_step : 0;
    }
    return g;
}

/* Weights of a vector of channels as output row r takes them, and the bias with what the rows outside the image give.
 * `w`: of the panel, at the vector's channels. */
TMC_INLINE dw_sum prepare(const tmc_qs8_dwconv_args *args, const row_group *groups, const int32_t *bias,
                          const int8_t *w, size_t r, size_t kw, dw_weights *ready) {
    const size_t count = tmc_div_up(args->kernel_h, 4);
    dw_sum acc = dw_sum_load(bias);
    for (size_t g = 0; g < count; g++) {
        const uint32_t mask = groups[g].mask;
        for (size_t x = 0; x < kw; x++, w += DW_TAP) {
            dw_raw taps = dw_raw_load(w);
            if (r) taps = dw_raw_next(taps, g ? dw_raw_load(w - kw * DW_TAP) : dw_raw_zero());
            *ready++ = dw_weights_of(dw_raw_and(taps, mask));
            if (mask != UINT32_MAX) acc = dw_dot(acc, dw_splat(args->padding), dw_weights_of(dw_raw_and(taps, ~mask)));
        }
    }
    return acc;
}

/* Records of columns [column, column + count), counted from the row's first, for one group of rows. */
TMC_NOINLINE void make_columns(const tmc_qs8_dwconv_args *args, const ptrdiff_t at[4], size_t i, ptrdiff_t column,
                               size_t count, char *records, size_t step) {
    const ptrdiff_t pitch = (ptrdiff_t)args->a_pitch, columns = (ptrdiff_t)args->columns;
    const ptrdiff_t end = column + (ptrdiff_t)count, stop = end < columns ? end : columns;
    for (; column < end && column < 0; column++, records += step) dw_pad(records, args->padding);
    if (column < stop) {
        const int8_t *x = args->a + (ptrdiff_t)i + column * pitch;
        dw_interleave(x, at, pitch, (size_t)(stop - column), records, step);
        records += (size_t)(stop - column) * step;
        column = stop;
    }
    for (; column < end; column++, records += step) dw_pad(records, args->padding);
}

/* A column times the weights of both rows. */
TMC_INLINE void add_column(dw_sum sums[2], const char *record, size_t lane, dw_weights (*w)[2 * 5], size_t at,
                           size_t rows) {
    const dw_column in = dw_weights_keep(dw_column_load(record, lane));
    TMC_UNROLL
    for (size_t r = 0; r < rows; r++) sums[r] = dw_dot(sums[r], in, w[r][at]);
}

/* Pixels from their records: window column x of pixel p is record p * stride + x. The stretch is `count` pixels, the
 * first one at c[r]. With 32 registers the weights of the small window stay in some of them. */
TMC_INLINE void sum_pixels(const tmc_qs8_dwconv_args *args, const row_group *group, const tmc_i8_panel *panel,
                           size_t lane, const char *records, int8_t *const c[2], size_t count, size_t kw, size_t groups,
                           size_t rows) {
    const dw_end end = dw_end_of(args, panel->multiplier + lane);
    const int32_t *start = (DW_BIAS ? panel->bias_unsigned : panel->bias) + lane;
    const size_t step = args->stride * groups * DW_RECORD, pitch = args->c_pitch;
    int8_t *first = c[0] + lane, *second = c[rows - 1] + lane;
    dw_weights w[2][2 * 5];
    dw_sum bias[2];
    for (size_t r = 0; r < rows; r++) bias[r] = prepare(args, group, start, panel->weights + 4 * lane, r, kw, w[r]);
    if (groups == 1 && DW_VECTORS == 1) {
        TMC_UNROLL
        for (size_t n = 0; n < rows * kw; n++) w[n / kw][n % kw] = dw_weights_keep(w[n / kw][n % kw]);
    }
    for (; count; count--, records += step, first += pitch, second += pitch) {
        dw_sum sums[2] = {bias[0], bias[rows - 1]};
        if (DW_VECTORS == 1) {
            TMC_UNROLL
            for (size_t x = 0; x < kw; x++) {
                TMC_UNROLL
                for (size_t g = 0; g < groups; g++)
                    add_column(sums, records + (x * groups + g) * DW_RECORD, lane, w, g * kw + x, rows);
            }
        } else { /* 16 registers are too few: a loop takes half the code and four fifths of the time */
            for (size_t x = 0; x < kw; x++) {
                TMC_UNROLL
                for (size_t g = 0; g < groups; g++)
                    add_column(sums, records + (x * groups + g) * DW_RECORD, lane, w, g * kw + x, rows);
            }
        }
        if (rows == 2)
            dw_store_two(first, second, sums[0], sums[1], &end);
        else
            dw_store(first, sums[0], &end);
    }
}

typedef void (*sum_fn)(const tmc_qs8_dwconv_args *args, const row_group *group, const tmc_i8_panel *panel, size_t lane,
                       const char *records, int8_t *const c[2], size_t count);

#define SUM(kw, groups, rows)                                                                                          \
    static void sum_##kw##_##rows(const tmc_qs8_dwconv_args *args, const row_group *group, const tmc_i8_panel *panel,  \
                                  size_t lane, const char *records, int8_t *const c[2], size_t count) {                \
        sum_pixels(args, group, panel, lane, records, c, count, kw, groups, rows);                                     \
    }
SUM(3, 1, 1)
SUM(3, 1, 2)
SUM(5, 2, 1)
SUM(5, 2, 2)

/* Columns of the window of pixels [p, p + count), all groups of rows, for the channels from i on. */
static void make_records(const tmc_qs8_dwconv_args *args, const row_group *group, size_t i, size_t p, size_t count,
                         char *records) {
    const size_t groups = tmc_div_up(args->kernel_h, 4);
    const ptrdiff_t column = (ptrdiff_t)(p * args->stride) - (ptrdiff_t)args->pad;
    for (size_t g = 0; g < groups; g++)
        make_columns(args, group[g].at, i, column, (count - 1) * args->stride + args->kernel_w, records + g * DW_RECORD,
                     groups * DW_RECORD);
}

/* Stretch by stretch. The records of a panel are made while those of the one before it are summed: a load that joins
 * several stores waits until all of them are in the cache. */
static void walk(const tmc_qs8_dwconv_args *args) {
    _Alignas(64) char records[2][DW_BUFFER];
    const row_group group[2] = {group_of(args, 0), group_of(args, 1)};
    const size_t kw = args->kernel_w, step = tmc_div_up(args->kernel_h, 4) * DW_RECORD;
    const size_t most = (DW_BUFFER / step - kw) / args->stride + 1;
    const sum_fn one = kw == 3 ? sum_3_1 : sum_5_1, two = kw == 3 ? sum_3_2 : sum_5_2;
    const sum_fn sum = args->c_rows == 2 ? two : one;
    for (size_t p = 0; p < args->pixels; p += most) {
        const size_t count = tmc_min_size(most, args->pixels - p);
        size_t turn = 0;
        make_records(args, group, tmc_depthwise_channel(args->channels, args->begin), p, count, records[0]);
        for (size_t n = args->begin; n < args->end; n += TMC_DEPTHWISE_WIDTH, turn ^= 1) {
            const size_t next = n + TMC_DEPTHWISE_WIDTH, i = tmc_depthwise_channel(args->channels, n);
            const tmc_i8_panel panel = panel_at(args, n);
            if (next < args->end)
                make_records(args, group, tmc_depthwise_channel(args->channels, next), p, count, records[turn ^ 1]);
            int8_t *const c[2] = {args->c[0] + p * args->c_pitch + i,
                                  args->c_rows == 2 ? args->c[1] + p * args->c_pitch + i : NULL};
            for (size_t lane = 0; lane < TMC_DEPTHWISE_WIDTH; lane += DW_CHANNELS)
                sum(args, group, &panel, lane, records[turn], c, count);
        }
    }
}

/* One pixel of any window: a record for each tap column, all vectors of it. */
static void gather_pixel(const tmc_qs8_dwconv_pixel *pixel, int8_t out[TMC_DEPTHWISE_WIDTH]) {
    _Alignas(64) char record[DW_RECORD];
    static const ptrdiff_t at[4] = {0, TMC_DEPTHWISE_WIDTH, 2 * TMC_DEPTHWISE_WIDTH, 3 * TMC_DEPTHWISE_WIDTH};
    int8_t taps[4][TMC_DEPTHWISE_WIDTH] = {{0}};
    const tmc_i8_panel panel = panel_at(pixel->args, pixel->n);
    const int32_t *bias = DW_BIAS ? panel.bias_unsigned : panel.bias;
    const int8_t *w = panel.weights;
    dw_sum sums[DW_VECTORS];
    for (size_t v = 0; v < DW_VECTORS; v++) sums[v] = dw_sum_load(bias + v * DW_CHANNELS);
    for (size_t y = 0; y < pixel->args->kernel_h; y += 4)
        for (size_t x = 0; x < pixel->args->kernel_w; x++, w += DW_TAP) {
            tmc_qs8_dwconv_taps(pixel, y, x, taps);
            dw_interleave(taps[0], at, 0, 1, record, DW_RECORD);
            for (size_t v = 0; v < DW_VECTORS; v++)
                sums[v] = dw_dot(sums[v], dw_column_load(record, v * DW_CHANNELS),
                                 dw_weights_of(dw_raw_load(w + 4 * v * DW_CHANNELS)));
        }
    for (size_t v = 0; v < DW_VECTORS; v++) {
        const dw_end end = dw_end_of(pixel->args, panel.multiplier + v * DW_CHANNELS);
        dw_store(out + v * DW_CHANNELS, sums[v], &end);
    }
}

/* A window of one tap, all on the image: one product for each element. A block of pixels for all panels, since each
 * reads a quarter of a cache line. */
static void scale(const tmc_qs8_dwconv_args *args) {
    const size_t step = args->stride * args->a_pitch, pitch = args->c_pitch;
    const size_t most = DW_SCALE_BYTES / args->channels + 8;
    for (size_t p = 0; p < args->pixels; p += most) {
        const size_t count = tmc_min_size(most, args->pixels - p);
        for (size_t n = args->begin; n < args->end; n += TMC_DEPTHWISE_WIDTH) {
            const tmc_i8_panel panel = panel_at(args, n);
            for (size_t lane = 0; lane < TMC_DEPTHWISE_WIDTH; lane += DW_CHANNELS) {
                const size_t i = tmc_depthwise_channel(args->channels, n) + lane;
                const dw_weights w = dw_weights_of(dw_raw_load(panel.weights + 4 * lane));
                const dw_sum bias = dw_sum_load((DW_BIAS ? panel.bias_unsigned : panel.bias) + lane);
                const dw_end end = dw_end_of(args, panel.multiplier + lane);
                const int8_t *x = args->a + p * step + i;
                int8_t *c = args->c[0] + p * pitch + i;
                size_t left = count;
                for (; left > 1; left -= 2, x += 2 * step, c += 2 * pitch)
                    dw_store_two(c, c + pitch, dw_dot(bias, dw_pixel(x), w), dw_dot(bias, dw_pixel(x + step), w), &end);
                if (left) dw_store(c, dw_dot(bias, dw_pixel(x), w), &end);
            }
        }
    }
}

static bool is_scale(const tmc_qs8_dwconv_args *args) {
    return args->kernel_h == 1 && args->kernel_w == 1 && args->pad == 0 && args->channels >= TMC_DEPTHWISE_WIDTH &&
           args->first < args->last && (args->pixels - 1) * args->stride < args->columns;
}

/* The copy tells the compiler that no store changes the arguments. */
void DW_NAME(const tmc_qs8_dwconv_args *arguments) {
    const tmc_qs8_dwconv_args args = *arguments;
    if (tmc_qs8_dwconv_walks(args.kernel_h, args.kernel_w, args.stride, args.dilation, args.channels))
        walk(&args);
    else if (is_scale(&args))
        scale(&args);
    else
        tmc_qs8_dwconv_gather(&args, gather_pixel);
}
