#include "ops/resize.h"
#include "base/checked.h"
#include "graph/scalar.h"
#include "ops/resize_axis.h"
#include "ops/strided.h"
#include "ops/tiles.h"

#define TABLE_CHUNK 16384u      /* table entries of one task */
#define TASK_OUTPUTS 16384u     /* blended values of one task: under 5 ms even where fmaf is done in software */
#define TASK_BYTES (256u << 10) /* copied by one task of nearest */
#define ROW_FLOATS 32768u       /* longest row that is kept between two axes: it should stay in the cache */

/* An axis along which something changes, with its tables in the scratch. */
typedef struct {
    int32_t axis;
    tmc_resize_axis map;
    size_t index_offset, weight_offset;
} active_axis;

/* Blending goes axis by axis, outermost first. The last two are taken together, row by row, where a row is short
 * enough; so the usual image needs one row for each thread, and no whole picture in between. */
typedef struct {
    active_axis axes[TMC_MAX_RANK];
    int32_t count;
    bool paired;                  /* the last two together */
    size_t temp_offset[2];        /* whole tensors between passes, used in turn */
    size_t row_offset, row_bytes; /* of one thread */
    uint64_t bytes;
} layout;

static bool reserve(layout *l, uint64_t bytes, size_t *offset) {
    *offset = (size_t)l->bytes;
    return tmc_add_u64(l->bytes, bytes, &l->bytes) && tmc_align_u64(l->bytes, 64, &l->bytes) &&
           l->bytes <= TMC_FILE_MAX_TENSOR_BYTES;
}

static void find_active(const tmc_op_node *node, layout *l) {
    const tmc_resize_params *p = node->params;
    for (int32_t a = 0; a < node->inputs[0]->rank; a++) {
        active_axis *active = &l->axes[l->count];
        active->axis = a;
        active->map = tmc_resize_axis_get(p, a, node->inputs[0]->dims[a], node->outputs[0]->dims[a]);
        if (tmc_resize_axis_changes(&active->map, p)) l->count++;
    }
}

static bool reserve_tables(layout *l, bool weights) {
    for (int32_t i = 0; i < l->count; i++) {
        active_axis *a = &l->axes[i];
        const uint64_t bytes = (uint64_t)a->map.out * (uint64_t)a->map.taps * 4;
        if (!reserve(l, bytes, &a->index_offset)) return false;
        if (weights && !reserve(l, bytes, &a->weight_offset)) return false;
    }
    return true;
}

/* Space between the passes. `dims` goes from the input's shape to the output's, axis by axis. */
static bool reserve_temps(const tmc_op_node *node, layout *l, uint32_t threads) {
    tmc_tensor_desc shape = *node->inputs[0];
    uint64_t temp[2] = {0, 0};
    if (l->count >= 2) {
        const int32_t row_axis = l->axes[l->count - 2].axis;
        const size_t row = tmc_dims_product(shape.dims, row_axis + 1, shape.rank);
        l->paired = row <= ROW_FLOATS;
        if (l->paired) l->row_bytes = tmc_round_up(row * sizeof(float), 64);
    }
    const int32_t last_whole = l->count - (l->paired ? 2 : 1);
    for (int32_t i = 0; i < last_whole; i++) {
        uint64_t bytes = sizeof(float);
        shape.dims[l->axes[i].axis] = l->axes[i].map.out;
        for (int32_t a = 0; a < shape.rank; a++) {
            if (!tmc_mul_u64(bytes, (uint64_t)shape.dims[a], &bytes)) return false;
        }
        if (bytes > temp[i & 1]) temp[i & 1] = bytes;
    }
    return reserve(l, temp[0], &l->temp_offset[0]) && reserve(l, temp[1], &l->temp_offset[1]) &&
           reserve(l, (uint64_t)l->row_bytes * threads, &l->row_offset);
}

static tmc_status lay_out(const tmc_op_node *node, uint32_t threads, layout *l, tmc_error *err) {
    const tmc_resize_params *p = node->params;
    const bool blends = p->mode != TMC_RESIZE_NEAREST;
    find_active(node, l);
    if (!reserve_tables(l, blends) || (blends && !reserve_temps(node, l, threads)))
        return tmc_fail(err, TMC_E_LIMIT, "the work space of the resize is larger than %u bytes",
                        TMC_FILE_MAX_TENSOR_BYTES);
    return TMC_OK;
}

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    const tmc_resize_params *p = node->params;
    layout l = {.count = 0};
    TMC_TRY(lay_out(node, threads, &l, err));
    setup->alias = l.count == 0;
    setup->scratch_bytes = (size_t)l.bytes;
    if (p->mode != TMC_RESIZE_NEAREST && l.count) {
        setup->kernel = kernels->blend.name;
        setup->isa = kernels->blend.isa;
    }
    return TMC_OK;
}

typedef struct {
    const tmc_op_run *run;
    const tmc_resize_params *params;
    const layout *l;
} job;

static const int32_t *index_of(const job *j, const active_axis *a) {
    return (const int32_t *)(const void *)((const char *)j->run->scratch + a->index_offset);
}

static const float *weight_of(const job *j, const active_axis *a) {
    return (const float *)(const void *)((const char *)j->run->scratch + a->weight_offset);
}

typedef struct {
    const job *j;
    const active_axis *axis;
} table_job;

static void table_task(void *context, size_t task, size_t slot) {
    (void)slot;
    const table_job *t = context;
    const size_t first = task * TABLE_CHUNK, count = tmc_min_size(TABLE_CHUNK, (size_t)t->axis->map.out - first);
    char *scratch = t->j->run->scratch;
    tmc_resize_axis_fill(&t->axis->map, t->j->params, first, count,
                         (int32_t *)(void *)(scratch + t->axis->index_offset),
                         (float *)(void *)(scratch + t->axis->weight_offset));
}

static tmc_status fill_tables(const job *j) {
    for (int32_t i = 0; i < j->l->count; i++) {
        table_job t = {j, &j->l->axes[i]};
        const size_t tasks = tmc_div_up((size_t)t.axis->map.out, TABLE_CHUNK);
        TMC_TRY(tmc_exec_loop(j->run->exec, tasks, table_task, &t));
    }
    return TMC_OK;
}

/* Elements from one element of the axis to the next. */
static size_t step_of(const tmc_tensor_desc *desc, const active_axis *axis) {
    if (axis->axis == desc->rank - 1) return 1;
    return tmc_dims_product(desc->dims, axis->axis + 1, desc->rank - 1) * tmc_tensor_pitch(desc);
}

/* One axis of a whole tensor: x [outer, in, inner] to y [outer, out, inner]. */
typedef struct {
    const job *j;
    const active_axis *axis;
    const float *x;
    float *y;
    size_t inner, x_step, y_step; /* steps: floats from one element of the axis to the next */
    tmc_tiles tiles;              /* outer, out, inner */
} axis_pass;

static void axis_task(void *context, size_t task, size_t slot) {
    (void)slot;
    const axis_pass *p = context;
    const tmc_tile tile = tmc_tiles_get(&p->tiles, task);
    const size_t taps = (size_t)p->axis->map.taps, in = (size_t)p->axis->map.in, out = (size_t)p->axis->map.out;
    tmc_f32_blend_args args = {.outputs = tile.count[1], .inner = tile.count[2], .taps = taps};
    args.x_stride = p->x_step;
    args.y_stride = p->y_step;
    args.index = index_of(p->j, p->axis) + tile.first[1] * taps;
    args.weight = weight_of(p->j, p->axis) + tile.first[1] * taps;
    for (size_t o = tile.first[0]; o < tile.first[0] + tile.count[0]; o++) {
        args.x = p->x + o * in * p->x_step + tile.first[2];
        args.y = p->y + (o * out + tile.first[1]) * p->y_step + tile.first[2];
        p->j->run->kernels->blend.fn(&args);
    }
}

static tmc_status blend_axis(const job *j, const active_axis *axis, const int32_t *dims, int32_t rank, const float *x,
                             float *y) {
    axis_pass p = {.j = j, .axis = axis, .x = x, .y = y, .inner = tmc_dims_product(dims, axis->axis + 1, rank)};
    p.x_step = x == j->run->inputs[0] ? step_of(j->run->node->inputs[0], axis) : p.inner;
    p.y_step = y == j->run->outputs[0] ? step_of(j->run->node->outputs[0], axis) : p.inner;
    const size_t outer = tmc_dims_product(dims, 0, axis->axis);
    p.tiles = tmc_tiles_split(outer, (size_t)axis->map.out, p.inner, TASK_OUTPUTS);
    return tmc_exec_loop(j->run->exec, p.tiles.total, axis_task, &p);
}

/* Two axes: x [outer, in_y, middle, in_x, inner] to y [outer, out_y, middle, out_x, inner]. */
typedef struct {
    const job *j;
    const active_axis *rows, *cols;
    const float *x;
    float *y;
    size_t outer, middle, inner, y_step; /* y_step: floats from one x of y to the next */
    tmc_tiles tiles;                     /* outer, out_y */
} pair_pass;

static void pair_task(void *context, size_t task, size_t slot) {
    const pair_pass *p = context;
    const tmc_tile tile = tmc_tiles_get(&p->tiles, task);
    const tmc_resize_axis *rows = &p->rows->map, *cols = &p->cols->map;
    const size_t in_x = (size_t)cols->in * p->inner, out_x = (size_t)cols->out * p->y_step;
    const size_t in_row = p->middle * in_x, out_row = p->middle * out_x, taps = (size_t)rows->taps;
    float *row = (float *)(void *)((char *)p->j->run->scratch + p->j->l->row_offset + slot * p->j->l->row_bytes);
    tmc_f32_blend_args vertical = {.outputs = 1, .inner = in_row, .x_stride = in_row, .y_stride = in_row, .taps = taps};
    vertical.y = row;
    tmc_f32_blend_args horizontal = {.outputs = (size_t)cols->out, .inner = p->inner, .taps = taps};
    horizontal.x_stride = p->inner;
    horizontal.y_stride = p->y_step;
    horizontal.index = index_of(p->j, p->cols);
    horizontal.weight = weight_of(p->j, p->cols);
    for (size_t i = 0; i < tile.count[1] * tile.count[2]; i++) {
        const size_t o = tile.first[1] + i / tile.count[2], oy = tile.first[2] + i % tile.count[2];
        vertical.x = p->x + o * (size_t)rows->in * in_row;
        vertical.index = index_of(p->j, p->rows) + oy * taps;
        vertical.weight = weight_of(p->j, p->rows) + oy * taps;
        p->j->run->kernels->blend.fn(&vertical);
        for (size_t m = 0; m < p->middle; m++) {
            horizontal.x = row + m * in_x;
            horizontal.y = p->y + (o * (size_t)rows->out + oy) * out_row + m * out_x;
            p->j->run->kernels->blend.fn(&horizontal);
        }
    }
}

static tmc_status blend_pair(const job *j, const int32_t *dims, int32_t rank, const float *x, float *y) {
    pair_pass p = {.j = j, .rows = &j->l->axes[j->l->count - 2], .cols = &j->l->axes[j->l->count - 1], .x = x, .y = y};
    p.outer = tmc_dims_product(dims, 0, p.rows->axis);
    p.middle = tmc_dims_product(dims, p.rows->axis + 1, p.cols->axis);
    p.inner = tmc_dims_product(dims, p.cols->axis + 1, rank);
    p.y_step = step_of(j->run->node->outputs[0], p.cols);
    const size_t work =
        p.middle * p.inner * (size_t)(p.cols->map.in > p.cols->map.out ? p.cols->map.in : p.cols->map.out);
    const size_t target = work < TASK_OUTPUTS ? TASK_OUTPUTS / work : 1;
    p.tiles = tmc_tiles_split(1, p.outer, (size_t)p.rows->map.out, target);
    return tmc_exec_loop(j->run->exec, p.tiles.total, pair_task, &p);
}

static tmc_status blend(const job *j) {
    const layout *l = j->l;
    tmc_tensor_desc shape = *j->run->node->inputs[0];
    const float *x = j->run->inputs[0];
    const int32_t singles = l->count - (l->paired ? 2 : 0);
    for (int32_t i = 0; i < singles; i++) {
        const active_axis *axis = &l->axes[i];
        float *y = j->run->outputs[0];
        if (i + 1 < l->count) y = (float *)(void *)((char *)j->run->scratch + l->temp_offset[i & 1]);
        TMC_TRY(blend_axis(j, axis, shape.dims, shape.rank, x, y));
        shape.dims[axis->axis] = axis->map.out;
        x = y;
    }
    return l->paired ? blend_pair(j, shape.dims, shape.rank, x, j->run->outputs[0]) : TMC_OK;
}

/* Nearest copies; the elements behind the last changing axis move together. */
typedef struct {
    const job *j;
    const active_axis *last;
    ptrdiff_t src[TMC_MAX_RANK];        /* bytes */
    const int32_t *index[TMC_MAX_RANK]; /* NULL where an axis does not change */
    size_t run_bytes, dst_step;
    tmc_tiles tiles; /* rows before the last axis, its elements, bytes of a run */
} nearest_pass;

static void nearest_task(void *context, size_t task, size_t slot) {
    (void)slot;
    const nearest_pass *p = context;
    const tmc_tile tile = tmc_tiles_get(&p->tiles, task);
    const int32_t *dims = p->j->run->node->outputs[0]->dims, *index = p->index[p->last->axis];
    const size_t out = (size_t)p->last->map.out;
    for (size_t row = tile.first[0]; row < tile.first[0] + tile.count[0]; row++) {
        const char *src = (const char *)p->j->run->inputs[0] + tile.first[2];
        char *dst = (char *)p->j->run->outputs[0] + row * out * p->dst_step + tile.first[2];
        size_t rest = row;
        for (int32_t a = p->last->axis - 1; a >= 0; a--) {
            const size_t at = rest % (size_t)dims[a];
            rest /= (size_t)dims[a];
            src += (p->index[a] ? p->index[a][at] : (ptrdiff_t)at) * p->src[a];
        }
        for (size_t o = tile.first[1]; o < tile.first[1] + tile.count[1]; o++)
            tmc_copy_run(dst + o * p->dst_step, src + index[o] * p->src[p->last->axis], tile.count[2]);
    }
}

static tmc_status copy_nearest(const job *j) {
    const tmc_tensor_desc *in = j->run->node->inputs[0], *out = j->run->node->outputs[0];
    nearest_pass p = {.j = j, .last = &j->l->axes[j->l->count - 1]};
    tmc_strided_steps(in, p.src);
    for (int32_t i = 0; i < j->l->count; i++) p.index[j->l->axes[i].axis] = index_of(j, &j->l->axes[i]);
    const size_t element = tmc_dtype_size(out->dtype);
    p.run_bytes = tmc_dims_product(out->dims, p.last->axis + 1, out->rank) * element;
    p.dst_step = step_of(out, p.last) * element;
    const size_t rows = tmc_dims_product(out->dims, 0, p.last->axis);
    p.tiles = tmc_tiles_split(rows, (size_t)p.last->map.out, p.run_bytes, TASK_BYTES);
    return tmc_exec_loop(j->run->exec, p.tiles.total, nearest_task, &p);
}

/* Overwrites output elements [begin, end) of one axis. */
static tmc_status fill_range(const job *j, int32_t axis, size_t begin, size_t end, const uint8_t *value) {
    const tmc_tensor_desc *out = j->run->node->outputs[0];
    ptrdiff_t dst[TMC_MAX_RANK];
    if (begin >= end) return TMC_OK;
    tmc_strided_steps(out, dst);
    tmc_strided box = {.element = tmc_dtype_size(out->dtype), .dst_offset = (ptrdiff_t)begin * dst[axis]};
    for (int32_t a = 0; a < out->rank; a++)
        tmc_strided_push(&box, a == axis ? end - begin : (size_t)out->dims[a], 0, dst[a]);
    return tmc_strided_copy(&box, j->run->outputs[0], value, j->run->exec);
}

typedef struct {
    const job *j;
    const tmc_resize_axis *map;
    size_t begin, end;
} inside_job;

static void inside_task(void *context, size_t task, size_t slot) {
    (void)task, (void)slot;
    inside_job *i = context;
    tmc_resize_axis_inside(i->map, i->j->params, &i->begin, &i->end);
}

static tmc_status extrapolate(const job *j) {
    _Alignas(TMC_MAX_ELEMENT) uint8_t value[TMC_MAX_ELEMENT] = {0};
    tmc_scalar_for_tensor(j->run->node->outputs[0], j->params->extrapolation, value);
    for (int32_t i = 0; i < j->l->count; i++) {
        const active_axis *axis = &j->l->axes[i];
        inside_job inside = {.j = j, .map = &axis->map};
        TMC_TRY(tmc_exec_loop(j->run->exec, 1, inside_task, &inside)); /* in the run's floating-point mode */
        TMC_TRY(fill_range(j, axis->axis, 0, inside.begin, value));
        TMC_TRY(fill_range(j, axis->axis, inside.end, (size_t)axis->map.out, value));
    }
    return TMC_OK;
}

static void describe_copy(const tmc_op_node *node, tmc_strided *box) {
    const ptrdiff_t element = (ptrdiff_t)box->element;
    tmc_strided_push(box, tmc_tensor_elements(node->inputs[0]), element, element);
}

static tmc_status run(const tmc_op_run *r) {
    const tmc_resize_params *p = r->node->params;
    layout l = {.count = 0};
    TMC_TRY(lay_out(r->node, r->exec->threads, &l, r->err));
    if (l.count == 0) return tmc_move_run(r, describe_copy);
    const job j = {r, p, &l};
    TMC_TRY(fill_tables(&j));
    TMC_TRY(p->mode == TMC_RESIZE_NEAREST ? copy_nearest(&j) : blend(&j));
    return p->coordinates == TMC_COORD_TF_CROP_AND_RESIZE ? extrapolate(&j) : TMC_OK;
}

/* The last axis that changes is the one before the channels, so that no loop runs across the rows of a channel range;
 * what is blended in several passes reads whole rows. */
bool tmc_resize_takes_pitch(const tmc_op_node *node, bool as_input) {
    const tmc_resize_params *p = node->params;
    layout l = {.count = 0};
    find_active(node, &l);
    if (l.count == 0 || l.axes[l.count - 1].axis != node->inputs[0]->rank - 2) return false;
    return !as_input || l.count == 1 || p->mode == TMC_RESIZE_NEAREST;
}

TMC_DEFINE_OP(resize, prepare, run)
