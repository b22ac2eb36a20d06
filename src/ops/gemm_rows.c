#include "ops/gemm_rows.h"

#include <string.h>

#include "base/checked.h"

/* Strips save the naming of pixels, tiles over the ends of lines waste no row: */
#define MIN_STRIP 24
#define LONG_STRIP 96
#define STRIP_WORK 512

static bool axis_is_plain(const tmc_gemm_axis *a) {
    return a->taps == 1 && a->in == a->out && a->count == a->out && a->out_step == 1 && a->in_step == 1 &&
           a->in_first == 0 && a->out_first == 0;
}

bool tmc_gemm_is_plain(const tmc_implicit_gemm *g) { return axis_is_plain(&g->y) && axis_is_plain(&g->x); }

bool tmc_gemm_has_strips(const tmc_implicit_gemm *g) {
    const size_t width = (size_t)g->x.count, k = (size_t)g->y.taps * (size_t)g->x.taps * g->channels;
    return width >= LONG_STRIP || (width >= MIN_STRIP && k * tmc_div_up(g->columns, 16) <= STRIP_WORK);
}

tmc_gemm_chunk tmc_gemm_chunk_next(const tmc_implicit_gemm *g, const tmc_gemm_chunk *last) {
    tmc_gemm_chunk n = {0, 1, 0, 1, 0, g->channels};
    const size_t row = (size_t)g->x.taps * g->channels;
    if (last) {
        n.ky = last->ky, n.kx = last->kx, n.c = last->c + last->c_count;
        if (n.c == g->channels) n.c = 0, n.kx += last->kx_count;
        if (n.kx == g->x.taps) n.kx = 0, n.ky += last->ky_count;
    }
    if (g->channels > TMC_GEMM_MAX_CHUNK) {
        const size_t parts = tmc_div_up(g->channels, TMC_GEMM_MAX_CHUNK);
        n.c_count = tmc_min_size(tmc_div_up(g->channels, parts), g->channels - n.c);
    } else if (row > TMC_GEMM_MAX_CHUNK || g->x.taps > TMC_GEMM_MAX_TAPS) {
        const size_t most = tmc_min_size(TMC_GEMM_MAX_TAPS, TMC_GEMM_MAX_CHUNK / g->channels);
        n.kx_count = (int32_t)tmc_min_size(most, (size_t)(g->x.taps - n.kx));
    } else if (row > 0) {
        const size_t most = tmc_min_size(TMC_GEMM_MAX_TAPS / (size_t)g->x.taps, TMC_GEMM_MAX_CHUNK / row);
        n.kx_count = g->x.taps;
        n.ky_count = (int32_t)tmc_min_size(most, (size_t)(g->y.taps - n.ky));
    }
    return n;
}

/* Input position of a pixel's first tap of the chunk, which may be padding. */
static int32_t first_tap_y(const tmc_gemm_walk *walk, size_t y) {
    const tmc_gemm_axis *axis = &walk->g->y;
    return axis->in_first + (int32_t)y * axis->in_step + walk->k.ky * axis->tap_step;
}

static int32_t first_tap_x(const tmc_gemm_walk *walk, size_t x) {
    const tmc_gemm_axis *axis = &walk->g->x;
    return axis->in_first + (int32_t)x * axis->in_step + walk->k.kx * axis->tap_step;
}

static void find_inside(tmc_gemm_walk *walk) {
    const tmc_gemm_axis *x = &walk->g->x;
    const int32_t first = first_tap_x(walk, 0), last = first + (walk->k.kx_count - 1) * x->tap_step;
    const int32_t low = first < last ? first : last, high = first < last ? last : first;
    walk->inside_begin = low < 0 ? tmc_div_up((size_t)-low, (size_t)x->in_step) : 0;
    const size_t end = high < x->in ? tmc_div_up((size_t)(x->in - high), (size_t)x->in_step) : 0;
    walk->inside_end = tmc_min_size(end, (size_t)x->count);
}

static bool line_inside(const tmc_gemm_walk *walk) {
    const tmc_gemm_axis *y = &walk->g->y;
    const int32_t first = first_tap_y(walk, walk->y), last = first + (walk->k.ky_count - 1) * y->tap_step;
    return first >= 0 && first < y->in && last >= 0 && last < y->in;
}

tmc_gemm_walk tmc_gemm_walk_start(const tmc_implicit_gemm *g, size_t group, const tmc_gemm_chunk *k, size_t first,
                                  size_t mr) {
    const size_t width = (size_t)g->x.count, height = (size_t)g->y.count;
    tmc_gemm_walk walk = {.g = g, .k = *k, .group = group, .mr = mr, .plain = tmc_gemm_is_plain(g)};
    walk.n = first / width / height;
    walk.y = first / width % height;
    walk.x = first % width;
    find_inside(&walk);
    return walk;
}

static void advance(tmc_gemm_walk *walk, size_t rows) {
    const size_t width = (size_t)walk->g->x.count;
    for (walk->x += rows; walk->x >= width; walk->x -= width)
        if (++walk->y == (size_t)walk->g->y.count) walk->y = 0, walk->n++;
}

static float *output_at(const tmc_gemm_walk *walk) {
    const tmc_implicit_gemm *g = walk->g;
    const size_t oy = (size_t)g->y.out_first + walk->y * (size_t)g->y.out_step;
    const size_t ox = (size_t)g->x.out_first + walk->x * (size_t)g->x.out_step;
    return g->output + ((walk->n * (size_t)g->y.out + oy) * (size_t)g->x.out + ox) * g->output_pitch +
           walk->group * g->columns;
}

static const float *image(const tmc_gemm_walk *walk) {
    const tmc_implicit_gemm *g = walk->g;
    return g->input + walk->n * (size_t)g->y.in * (size_t)g->x.in * g->input_pitch + walk->group * g->channels +
           walk->k.c;
}

/* Taps side by side in a line of the input are one run of memory: one pointer then stands for all of them, in the same
 * order of k. */
static bool taps_join(const tmc_gemm_walk *walk) {
    return walk->k.kx_count > 1 && walk->g->x.tap_step == 1 && walk->g->input_pitch == walk->g->channels;
}

static void set_taps(const tmc_gemm_walk *walk, bool join, tmc_f32_gemm_args *args) {
    args->taps = (size_t)walk->k.ky_count * (size_t)(join ? 1 : walk->k.kx_count);
    args->kc = walk->k.c_count * (size_t)(join ? walk->k.kx_count : 1);
}

/* Pixels of one line none of whose taps is padding. */
static void fill_strip(const tmc_gemm_walk *walk, tmc_gemm_rows *rows, tmc_f32_gemm_args *args) {
    const tmc_implicit_gemm *g = walk->g;
    const ptrdiff_t pitch = (ptrdiff_t)g->input_pitch, line_pitch = g->x.in * pitch;
    const bool join = taps_join(walk);
    const int32_t kx_count = join ? 1 : walk->k.kx_count;
    const float *line = image(walk) + first_tap_y(walk, walk->y) * line_pitch + first_tap_x(walk, walk->x) * pitch;
    const float **a = rows->a;
    for (int32_t ky = 0; ky < walk->k.ky_count; ky++, line += g->y.tap_step * line_pitch)
        for (int32_t kx = 0; kx < kx_count; kx++) *a++ = line + kx * g->x.tap_step * pitch;
    rows->c[0] = output_at(walk);
    args->a_stride = 1;
    args->a_step = g->x.in_step * pitch;
    args->c_step = (ptrdiff_t)((size_t)g->x.out_step * g->output_pitch);
    set_taps(walk, join, args);
}

/* Floats of each line that `count` pixels of one line read. */
static size_t border_floats(const tmc_gemm_walk *walk, size_t count) {
    return ((count - 1) * (size_t)walk->g->x.in_step + (size_t)walk->k.kx_count) * walk->g->channels;
}

/* Pixels of one line, some taps of which are padding: their lines are copied with their zeros, so that taps join as
 * everywhere else. For few channels: a tap of three floats is dear to start. */
static void fill_border(const tmc_gemm_walk *walk, size_t count, tmc_gemm_rows *rows, tmc_f32_gemm_args *args) {
    const tmc_implicit_gemm *g = walk->g;
    const size_t floats = border_floats(walk, count), channels = g->channels;
    const int32_t ix = first_tap_x(walk, walk->x), width = (int32_t)(floats / channels);
    const int32_t begin = ix < 0 ? -ix : 0, end = g->x.in - ix < width ? g->x.in - ix : width;
    int32_t iy = first_tap_y(walk, walk->y);
    float *line = rows->border;
    for (int32_t ky = 0; ky < walk->k.ky_count; ky++, iy += g->y.tap_step, line += floats) {
        rows->a[ky] = line;
        memset(line, 0, floats * sizeof(float));
        if (iy < 0 || iy >= g->y.in || begin >= end) continue;
        const float *from = image(walk) + ((size_t)iy * (size_t)g->x.in + (size_t)(ix + begin)) * channels;
        memcpy(line + (size_t)begin * channels, from, (size_t)(end - begin) * channels * sizeof(float));
    }
    rows->c[0] = output_at(walk);
    args->a_stride = 1;
    args->a_step = g->x.in_step * (ptrdiff_t)channels;
    args->c_step = (ptrdiff_t)((size_t)g->x.out_step * g->output_pitch);
    set_taps(walk, true, args);
}

static void fill_each(tmc_gemm_walk walk, size_t count, tmc_gemm_rows *rows, tmc_f32_gemm_args *args) {
    const tmc_implicit_gemm *g = walk.g;
    const size_t line_pitch = (size_t)g->x.in * g->input_pitch;
    const bool join = taps_join(&walk) && walk.inside_begin == 0 && walk.inside_end == (size_t)g->x.count;
    const int32_t kx_count = join ? 1 : walk.k.kx_count;
    for (size_t r = 0; r < count; r++, advance(&walk, 1)) {
        const float **a = rows->a + r, *from = image(&walk);
        int32_t iy = first_tap_y(&walk, walk.y);
        for (int32_t ky = 0; ky < walk.k.ky_count; ky++, iy += g->y.tap_step) {
            const bool inside = iy >= 0 && iy < g->y.in;
            const float *line = from + (inside ? (size_t)iy * line_pitch : 0);
            int32_t ix = first_tap_x(&walk, walk.x);
            for (int32_t kx = 0; kx < kx_count; kx++, ix += g->x.tap_step, a += count)
                *a = inside && ix >= 0 && ix < g->x.in ? line + (size_t)ix * g->input_pitch : g->zeros;
        }
        rows->c[r] = output_at(&walk);
    }
    args->a_stride = count;
    args->a_step = args->c_step = 0;
    set_taps(&walk, join, args);
}

/* Pixels to name one by one from the one that comes next: up to where a strip begins again, or whole tiles. */
static size_t rows_of_each(const tmc_gemm_walk *walk, bool line, size_t left) {
    const size_t taps = (size_t)walk->k.ky_count * (size_t)walk->k.kx_count, width = (size_t)walk->g->x.count;
    size_t most = tmc_min_size(TMC_GEMM_MAX_POINTERS / (taps ? taps : 1), TMC_GEMM_MAX_ROWS);
    if (tmc_gemm_has_strips(walk->g)) {
        size_t outside = width - walk->x; /* up to the end of a line that is cut by the image's border */
        if (line && walk->x < walk->inside_begin)
            outside = walk->inside_begin - walk->x;
        else if (line)
            outside += walk->inside_begin;
        most = tmc_min_size(most, tmc_div_up(outside, walk->mr) * walk->mr);
    }
    if (most > walk->mr) most -= most % walk->mr;
    return tmc_min_size(most, left);
}

/* Pixels that fill_border takes from the one that comes next: up to the inside or the end of the line; 0 if they have
 * too many channels. */
static size_t rows_of_border(const tmc_gemm_walk *walk, bool line, size_t left) {
    const size_t width = (size_t)walk->g->x.count;
    size_t count = walk->mr;
    if (!taps_join(walk) || border_floats(walk, count) * (size_t)walk->k.ky_count > TMC_GEMM_BORDER_FLOATS) return 0;
    size_t wanted = width - walk->x;
    if (line && walk->x < walk->inside_begin) wanted = walk->inside_begin - walk->x;
    while (count < wanted && border_floats(walk, count + walk->mr) * (size_t)walk->k.ky_count <= TMC_GEMM_BORDER_FLOATS)
        count += walk->mr;
    return tmc_min_size(tmc_min_size(count, width - walk->x), left);
}

void tmc_gemm_walk_next(tmc_gemm_walk *walk, size_t left, tmc_gemm_rows *rows, tmc_f32_gemm_args *args) {
    args->a = rows->a;
    args->c = rows->c;
    const bool line = line_inside(walk), strips = tmc_gemm_has_strips(walk->g);
    if (walk->plain) {
        args->rows = left; /* lines follow each other */
        fill_strip(walk, rows, args);
    } else if (strips && line && walk->x >= walk->inside_begin && walk->x + walk->mr <= walk->inside_end) {
        size_t inside = walk->inside_end - walk->x;
        if (walk->inside_end < (size_t)walk->g->x.count)
            inside -= inside % walk->mr; /* the border gets a tile's rest */
        args->rows = tmc_min_size(inside, left);
        fill_strip(walk, rows, args);
    } else if (strips && (args->rows = rows_of_border(walk, line, left)) > 0) {
        fill_border(walk, args->rows, rows, args);
    } else {
        args->rows = rows_of_each(walk, line, left);
        fill_each(*walk, args->rows, rows, args);
    }
    advance(walk, args->rows);
}
