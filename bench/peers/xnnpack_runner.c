/* Runs a network through XNNPACK's subgraph API, as a library that engines/xnnpack.py drives: the benchmark's worker
 * then times it as it times every engine.
 *
 * The file that xnnpack_writer.py writes, in little-endian 32-bit words:
 *   magic, value count, node count
 *   each value: role, type, dimension of the scales, rank, 6 dimensions, zero point, scale count; the scales and a
 *               static value's data follow, filled up to a word. More than one scale: one per output channel
 *   each node: kind, 3 inputs, output (indices of values), kernel y x, stride y x, padding top left bottom right,
 *              clamp low and high (float32)
 * It is our own, just written file: sizes are checked against the file's length, and XNNPACK checks the rest. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthreadpool.h>
#include <xnnpack.h>

#define API __attribute__((visibility("default")))
#define MAGIC 0x314E4E58u
#define MAX_RANK 6

enum { ROLE_INTERNAL, ROLE_INPUT, ROLE_OUTPUT, ROLE_STATIC };
enum {
    KIND_CONV,
    KIND_DEPTHWISE,
    KIND_UP_CONV,
    KIND_DENSE,
    KIND_ADD,
    KIND_MUL,
    KIND_MAX_POOL,
    KIND_AVERAGE_POOL,
    KIND_GLOBAL_POOL,
    KIND_CLAMP,
    KIND_HARD_SWISH,
    KIND_SIGMOID,
    KIND_RESHAPE,
    KIND_CONVERT
};
enum { TYPE_FLOAT32, TYPE_INT8, TYPE_INT32 };

typedef struct {
    uint32_t role, type, scale_dim, rank, dims[MAX_RANK];
    int32_t zero_point;
    uint32_t scale_count;
} file_value;

typedef struct {
    uint32_t kind, input[3], output, kernel[2], stride[2], pad[4]; /* pad: top left bottom right */
    float low, high;
} file_node;

typedef struct {
    size_t rank, dims[MAX_RANK], elements;
    uint32_t id;
} value;

typedef struct {
    unsigned char *file;
    value *values;
    uint32_t value_count, input, output; /* indices into values */
    float *data[2];                      /* of the input and the output */
    pthreadpool_t pool;
    xnn_runtime_t runtime;
} runner;

API int xr_open(const char *path, int threads, runner **out, char message[256]);
API float *xr_input(const runner *r, size_t *dims, size_t *rank);
API float *xr_output(const runner *r, size_t *dims, size_t *rank);
API int xr_run(runner *r);
API void xr_close(runner *r);

static int fail(char message[256], const char *text) {
    snprintf(message, 256, "%s", text);
    return 1;
}

static unsigned char *read_file(const char *path, size_t *bytes) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    unsigned char *data = NULL;
    long size = fseek(file, 0, SEEK_END) ? -1 : ftell(file);
    /* XNNPACK may read a little past static data. */
    if (size > 0 && !fseek(file, 0, SEEK_SET)) data = calloc(1, (size_t)size + XNN_EXTRA_BYTES);
    if (data && fread(data, 1, (size_t)size, file) != (size_t)size) {
        free(data);
        data = NULL;
    }
    fclose(file);
    *bytes = data ? (size_t)size : 0;
    return data;
}

static int define_value(xnn_subgraph_t graph, const file_value *from, const float *scales, const void *data,
                        value *to) {
    bool external = from->role == ROLE_INPUT || from->role == ROLE_OUTPUT;
    uint32_t external_id = from->role == ROLE_INPUT ? 0 : from->role == ROLE_OUTPUT ? 1 : XNN_INVALID_VALUE_ID;
    uint32_t flags = !external                  ? 0
                     : from->role == ROLE_INPUT ? XNN_VALUE_FLAG_EXTERNAL_INPUT
                                                : XNN_VALUE_FLAG_EXTERNAL_OUTPUT;
    bool wide = from->type == TYPE_INT32;
    enum xnn_status status;
    if (from->type == TYPE_FLOAT32)
        status =
            xnn_define_tensor_value(graph, xnn_datatype_fp32, to->rank, to->dims, data, external_id, flags, &to->id);
    else if (from->scale_count > 1)
        status = xnn_define_channelwise_quantized_tensor_value(graph, wide ? xnn_datatype_qcint32 : xnn_datatype_qcint8,
                                                               scales, to->rank, from->scale_dim, to->dims, data,
                                                               external_id, flags, &to->id);
    else
        status =
            xnn_define_quantized_tensor_value(graph, wide ? xnn_datatype_qint32 : xnn_datatype_qint8, from->zero_point,
                                              *scales, to->rank, to->dims, data, external_id, flags, &to->id);
    return status != xnn_status_success;
}

static enum xnn_status define_window(xnn_subgraph_t g, const file_node *n, const value *in, const value *weight,
                                     uint32_t bias, const value *out) {
    uint32_t top = n->pad[0], left = n->pad[1], bottom = n->pad[2], right = n->pad[3];
    switch (n->kind) {
    case KIND_CONV:
        return xnn_define_convolution_2d(g, top, right, bottom, left, n->kernel[0], n->kernel[1], n->stride[0],
                                         n->stride[1], 1, 1, 1, in->dims[3], out->dims[3], n->low, n->high, in->id,
                                         weight->id, bias, out->id, 0);
    case KIND_DEPTHWISE:
        return xnn_define_depthwise_convolution_2d(g, top, right, bottom, left, n->kernel[0], n->kernel[1],
                                                   n->stride[0], n->stride[1], 1, 1, 1, in->dims[3], n->low, n->high,
                                                   in->id, weight->id, bias, out->id, 0);
    case KIND_UP_CONV:
        return xnn_define_deconvolution_2d(g, top, right, bottom, left, 0, 0, n->kernel[0], n->kernel[1], n->stride[0],
                                           n->stride[1], 1, 1, 1, in->dims[3], out->dims[3], n->low, n->high, in->id,
                                           weight->id, bias, out->id, 0);
    case KIND_MAX_POOL:
        return xnn_define_max_pooling_2d(g, top, right, bottom, left, n->kernel[0], n->kernel[1], n->stride[0],
                                         n->stride[1], 1, 1, n->low, n->high, in->id, out->id, 0);
    default:
        return xnn_define_average_pooling_2d(g, top, right, bottom, left, n->kernel[0], n->kernel[1], n->stride[0],
                                             n->stride[1], n->low, n->high, in->id, out->id, 0);
    }
}

static enum xnn_status define_node(xnn_subgraph_t g, const file_node *n, const value *values) {
    static const value none = {.id = XNN_INVALID_VALUE_ID};
    const value *in[3], *out = values + n->output;
    for (int i = 0; i < 3; i++) in[i] = n->input[i] == UINT32_MAX ? &none : values + n->input[i];
    uint32_t a = in[0]->id, b = in[1]->id, y = out->id;
    switch (n->kind) {
    case KIND_DENSE: return xnn_define_fully_connected(g, n->low, n->high, a, b, in[2]->id, y, 0);
    case KIND_ADD: return xnn_define_add2(g, n->low, n->high, a, b, y, 0);
    case KIND_MUL: return xnn_define_multiply2(g, n->low, n->high, a, b, y, 0);
    case KIND_GLOBAL_POOL: return xnn_define_global_average_pooling_2d(g, n->low, n->high, a, y, 0);
    case KIND_CLAMP: return xnn_define_clamp(g, n->low, n->high, a, y, 0);
    case KIND_HARD_SWISH: return xnn_define_hardswish(g, a, y, 0);
    case KIND_SIGMOID: return xnn_define_sigmoid(g, a, y, 0);
    case KIND_CONVERT: return xnn_define_convert(g, a, y, 0);
    case KIND_RESHAPE: return xnn_define_static_reshape(g, out->rank, out->dims, a, y, 0);
    case KIND_CONV:
    case KIND_DEPTHWISE:
    case KIND_UP_CONV:
    case KIND_MAX_POOL:
    case KIND_AVERAGE_POOL: return define_window(g, n, in[0], in[1], in[2]->id, out);
    default: return xnn_status_unsupported_parameter;
    }
}

/* Values from the file into the subgraph; *position moves behind the last. */
static int define_values(runner *r, xnn_subgraph_t graph, size_t bytes, size_t *position) {
    for (uint32_t i = 0; i < r->value_count; i++) {
        file_value from;
        value *to = r->values + i;
        if (bytes - *position < sizeof from) return 1;
        memcpy(&from, r->file + *position, sizeof from);
        *position += sizeof from;
        if (from.rank > MAX_RANK) return 1;
        to->rank = from.rank;
        to->elements = 1;
        for (size_t k = 0; k < to->rank; k++) {
            to->dims[k] = from.dims[k];
            if (!from.dims[k] || to->elements > INT32_MAX / from.dims[k]) return 1;
            to->elements *= from.dims[k];
        }
        const float *scales = (const float *)(const void *)(r->file + *position);
        bool scaled = from.type != TYPE_FLOAT32;
        if (from.type > TYPE_INT32 || scaled != (from.scale_count > 0) || from.scale_dim >= MAX_RANK) return 1;
        if (from.scale_count > 1 && from.scale_count != to->dims[from.scale_dim]) return 1;
        if ((bytes - *position) / sizeof(float) < from.scale_count) return 1;
        *position += from.scale_count * sizeof(float);
        const void *data = from.role == ROLE_STATIC ? r->file + *position : NULL;
        size_t data_bytes = to->elements * (from.type == TYPE_INT8 ? 1 : sizeof(float));
        if (data && bytes - *position < data_bytes) return 1;
        if (data) *position += (data_bytes + 3) & ~(size_t)3;
        if (from.role == ROLE_INPUT) r->input = i;
        if (from.role == ROLE_OUTPUT) r->output = i;
        if (define_value(graph, &from, scales, data, to)) return 1;
    }
    return 0;
}

static int define_nodes(const runner *r, xnn_subgraph_t graph, size_t bytes, size_t position, uint32_t count) {
    for (uint32_t i = 0; i < count; i++, position += sizeof(file_node)) {
        file_node node;
        if (bytes - position < sizeof node) return 1;
        memcpy(&node, r->file + position, sizeof node);
        for (int k = 0; k < 3; k++)
            if (node.input[k] >= r->value_count && (node.input[k] != UINT32_MAX || k == 0)) return 1;
        if (node.output >= r->value_count || define_node(graph, &node, r->values) != xnn_status_success) return 1;
    }
    return 0;
}

static int build(runner *r, size_t bytes, int threads, char message[256]) {
    uint32_t head[3];
    size_t position = sizeof head;
    xnn_subgraph_t graph = NULL;
    if (bytes < sizeof head) return fail(message, "the file is too short");
    memcpy(head, r->file, sizeof head);
    r->value_count = head[1];
    if (head[0] != MAGIC || head[1] > bytes / sizeof(file_value))
        return fail(message, "not a file of xnnpack_writer.py");
    r->values = calloc(head[1], sizeof *r->values);
    if (!r->values) return fail(message, "no memory");
    if (threads > 1) {
        r->pool = pthreadpool_create((size_t)threads);
        if (!r->pool) return fail(message, "the threads do not start");
    }
    if (xnn_create_subgraph(2, 0, &graph) != xnn_status_success) return fail(message, "no memory for the subgraph");
    int failed = define_values(r, graph, bytes, &position) || define_nodes(r, graph, bytes, position, head[2]);
    if (failed)
        fail(message, "XNNPACK refuses a value or a node");
    else if ((failed = xnn_create_runtime_v2(graph, r->pool, 0, &r->runtime) != xnn_status_success))
        fail(message, "xnn_create_runtime_v2 failed");
    xnn_delete_subgraph(graph);
    return failed;
}

static int bind(runner *r, char message[256]) {
    const uint32_t index[2] = {r->input, r->output};
    struct xnn_external_value external[2];
    for (uint32_t i = 0; i < 2; i++) {
        r->data[i] = calloc(1, r->values[index[i]].elements * sizeof(float) + XNN_EXTRA_BYTES);
        if (!r->data[i]) return fail(message, "no memory for input and output");
        external[i] = (struct xnn_external_value){i, r->data[i]};
    }
    if (xnn_setup_runtime(r->runtime, 2, external) != xnn_status_success)
        return fail(message, "xnn_setup_runtime failed");
    return 0;
}

int xr_open(const char *path, int threads, runner **out, char message[256]) {
    size_t bytes;
    *out = NULL;
    if (xnn_initialize(NULL) != xnn_status_success) return fail(message, "XNNPACK does not run on this processor");
    runner *r = calloc(1, sizeof *r);
    if (!r) return fail(message, "no memory");
    r->file = read_file(path, &bytes);
    int failed = r->file ? build(r, bytes, threads, message) : fail(message, "cannot read the file");
    if (!failed) failed = bind(r, message);
    if (failed)
        xr_close(r);
    else
        *out = r;
    return failed;
}

static float *describe(const runner *r, uint32_t index, float *data, size_t *dims, size_t *rank) {
    *rank = r->values[index].rank;
    memcpy(dims, r->values[index].dims, *rank * sizeof *dims);
    return data;
}

float *xr_input(const runner *r, size_t *dims, size_t *rank) { return describe(r, r->input, r->data[0], dims, rank); }

float *xr_output(const runner *r, size_t *dims, size_t *rank) { return describe(r, r->output, r->data[1], dims, rank); }

int xr_run(runner *r) { return xnn_invoke_runtime(r->runtime) != xnn_status_success; }

void xr_close(runner *r) {
    if (!r) return;
    if (r->runtime) xnn_delete_runtime(r->runtime);
    if (r->pool) pthreadpool_destroy(r->pool);
    free(r->data[0]);
    free(r->data[1]);
    free(r->values);
    free(r->file);
    free(r);
}
