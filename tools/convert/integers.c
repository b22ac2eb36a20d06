#include "convert/integers.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "convert/memory.h"

/* No integer of 8 bits makes an infinite float. */
static bool usable(const float *scales, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (!isnormal(scales[i]) || scales[i] < 0 || scales[i] > FLT_MAX / 512) return false;
    return true;
}

/* Elements of a run in which the scale does not change. */
static size_t run_length(const tmc_tensor_desc *desc, uint32_t count, int32_t axis) {
    return count == 1 ? tmc_tensor_elements(desc) : tmc_dims_product(desc->dims, axis + 1, desc->rank);
}

static void attach(ir_tensor *tensor, const ir_integers *source, int32_t axis, bool with_values) {
    ir_integers *made = x_alloc(sizeof *made);
    *made = (ir_integers){.count = source->count, .axis = axis};
    made->scales = x_memdup(source->scales, source->count * sizeof *source->scales);
    if (with_values && source->values)
        made->values = x_memdup(source->values, tmc_tensor_elements(&tensor->desc) * sizeof *source->values);
    tensor->integers = made;
}

ir_id integers_add(ir_graph *graph, const char *name, const tmc_tensor_desc *desc, const int32_t *values, bool wide,
                   const float *scales, uint32_t count, int32_t axis) {
    tmc_tensor_desc f32 = *desc;
    f32.dtype = TMC_F32;
    f32.quantization = (tmc_quantization){0};
    const size_t elements = tmc_tensor_elements(&f32), run = run_length(&f32, count, axis);
    float *data = x_alloc_array(elements, sizeof *data);
    for (size_t i = 0; i < elements; i++) data[i] = (float)values[i] * scales[i / run % count];
    const ir_id id = ir_add_constant(graph, name, &f32, data);
    free(data);
    if (!usable(scales, count)) return id;
    ir_integers source = {.count = count, .scales = (float *)(uintptr_t)scales, .values = (int32_t *)(uintptr_t)values};
    attach(&graph->tensors[id], &source, count == 1 ? 0 : axis, wide);
    return id;
}

void integers_free(ir_integers *integers) {
    if (!integers) return;
    free(integers->scales);
    free(integers->values);
    free(integers);
}

bool integers_equal(const ir_integers *a, const ir_integers *b) {
    if (!a || !b) return a == b;
    if (a->count != b->count || a->axis != b->axis || a->values || b->values) return false;
    return memcmp(a->scales, b->scales, a->count * sizeof *a->scales) == 0;
}

void integers_permuted(ir_graph *graph, ir_id from, const int32_t *perm, ir_id to) {
    const ir_integers *source = graph->tensors[from].integers;
    const int32_t rank = graph->tensors[from].desc.rank;
    int32_t axis = 0;
    if (!source || (source->values && rank > 1)) return;
    if (source->count > 1)
        while (axis < rank && perm[axis] != source->axis) axis++;
    attach(&graph->tensors[to], source, axis, true);
}

void integers_reshaped(ir_graph *graph, ir_id from, ir_id to) {
    const ir_integers *source = graph->tensors[from].integers;
    const tmc_tensor_desc *a = &graph->tensors[from].desc, *b = &graph->tensors[to].desc;
    int32_t axis = 0;
    if (!source) return;
    if (source->count > 1) {
        const size_t before = tmc_dims_product(a->dims, 0, source->axis);
        while (axis < b->rank && (tmc_dims_product(b->dims, 0, axis) != before || b->dims[axis] == 1)) axis++;
        if (axis == b->rank || (uint32_t)b->dims[axis] != source->count) return;
    }
    attach(&graph->tensors[to], source, axis, true);
}

int32_t *integers_read(const ir_tensor *tensor) {
    const ir_integers *q = tensor->integers;
    if (!q || !tensor->data || tensor->desc.dtype != TMC_F32) return NULL;
    const size_t elements = tmc_tensor_elements(&tensor->desc), run = run_length(&tensor->desc, q->count, q->axis);
    int32_t *values = x_alloc_array(elements, sizeof *values);
    const float *data = tensor->data;
    for (size_t i = 0; i < elements; i++)
        values[i] = q->values ? q->values[i] : (int32_t)rintf(data[i] / q->scales[i / run % q->count]);
    return values;
}

bool integers_scales(const ir_tensor *tensor, int32_t axis, uint32_t channels, float *scales) {
    const ir_integers *q = tensor->integers;
    if (!q || (q->count > 1 && (q->axis != axis || q->count != channels))) return false;
    for (uint32_t i = 0; i < channels; i++) scales[i] = q->scales[q->count > 1 ? i : 0];
    return true;
}
