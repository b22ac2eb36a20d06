#include "graph/validate.h"

#include <string.h>

#include "graph/infer.h"
#include "graph/packed.h"
#include "graph/panels_i8.h"

/* Bits of a tensor's scratch byte. */
enum {
    AVAILABLE = 1, /* holds data at this point of the order: input, constant, or produced */
    LISTED = 2,    /* in the graph's list of inputs or outputs */
    CONSUMED = 4   /* packed weights that a node has taken */
};

/* Operators with more inputs take any number of equal ones (concat), and are inferred piece by piece: a fixed stack.
 * tmc_infer writes no more outputs than an operator may have: split 64, others 1. */
enum { MAX_INFER_INPUTS = 16, MAX_OUTPUTS = 64 };

typedef struct {
    const tmc_file_view *view;
    uint8_t *state;
    bool strict;
    tmc_error *err;
} validator;

static uint64_t place(const validator *v, const void *p) { return (uint64_t)((const uint8_t *)p - v->view->bytes); }

static tmc_status at(const validator *v, const char *section, const void *p, tmc_status status) {
    tmc_error_at_byte(v->err, section, place(v, p));
    return status;
}

static tmc_status at_tensor(const validator *v, uint32_t tensor, const void *p, tmc_status status) {
    tmc_error_at_tensor(v->err, (int32_t)tensor);
    return at(v, "TENS", p, status);
}

tmc_tensor_desc tmc_graph_tensor(const tmc_file_view *view, const tmc_file_tensor *record) {
    tmc_tensor_desc d = {.dtype = record->dtype, .packing = (uint8_t)record->packing, .rank = record->rank};
    memcpy(d.dims, record->dims, sizeof d.dims);
    if (record->quantization != TMC_FILE_NONE) {
        const tmc_file_quantization *q = &view->quantization[record->quantization];
        d.quantization = (tmc_quantization){q->scale, q->zero_point, q->scale_count};
    }
    return d;
}

/* ------------------------------------------------------------------------------------------------------ tensors */

static tmc_status check_dims_max(const validator *v, const tmc_file_tensor *t) {
    if (t->role != TMC_ROLE_INPUT) {
        for (int i = 0; i < TMC_MAX_RANK; i++)
            if (t->dims_max[i])
                return tmc_fail_field(v->err, TMC_E_FORMAT, "dims_max",
                                      "largest dim %d is %d, expected 0: not an input", i, t->dims_max[i]);
        return TMC_OK;
    }
    /* Bounds of single dims: their product may be over the size limit, which a plan checks for the shape it is given.
     */
    for (int i = 0; i < TMC_MAX_RANK; i++) {
        int32_t low = i < t->rank ? t->dims[i] : 0;
        if (t->dims_max[i] < low || (i >= t->rank && t->dims_max[i]))
            return tmc_fail_field(v->err, TMC_E_SHAPE, "dims_max", "largest dim %d is %d, expected %s %d", i,
                                  t->dims_max[i], i < t->rank ? "at least" : "unused:", low);
    }
    return TMC_OK;
}

static bool is_finite_f32(uint32_t bits) { return (bits & 0x7f800000u) != 0x7f800000u; }
static bool is_finite_f16(uint16_t bits) { return (bits & 0x7c00u) != 0x7c00u; }

static tmc_status check_finite(const validator *v, const tmc_file_tensor *t) {
    const uint64_t step = tmc_dtype_size(t->dtype);
    if (t->dtype != TMC_F32 && t->dtype != TMC_F16) return TMC_OK;
    for (uint64_t i = 0; step <= t->data_bytes - i; i += step) {
        const uint8_t *element = v->view->weights + t->data_offset + i;
        uint32_t bits = 0;
        memcpy(&bits, element, step);
        if (t->dtype == TMC_F32 ? !is_finite_f32(bits) : !is_finite_f16((uint16_t)bits))
            return at(v, "WGHT", element,
                      tmc_fail_field(v->err, TMC_E_NONFINITE, "data", "element %llu of '%s' is NaN or infinite",
                                     (unsigned long long)(i / step), tmc_file_string(v->view, t->name)));
    }
    return TMC_OK;
}

/* Scales of channels belong to packed weights, and to no others. */
static tmc_status check_scales(const validator *v, const tmc_file_tensor *t, const tmc_tensor_desc *desc) {
    const uint32_t channels = desc->quantization.channels;
    if (!channels && !tmc_is_i8_packing(t->packing)) return TMC_OK;
    if (!channels)
        return tmc_fail_field(v->err, TMC_E_QUANT, "quantization",
                              "packed i8 weights without scales of their channels");
    if (t->role != TMC_ROLE_CONSTANT)
        return tmc_fail_field(v->err, TMC_E_QUANT, "quantization", "%u scales of channels, but no weights", channels);
    if (!tmc_is_i8_packing(t->packing))
        return tmc_fail_field(v->err, TMC_E_UNSUPPORTED, "packing",
                              "layout %u of i8 weights, expected %d or %d: "
                              "convert the model again",
                              t->packing, TMC_PACK_I8_PANELS, TMC_PACK_I8_DEPTHWISE);
    const float *scales = v->view->scales + v->view->quantization[t->quantization].scale_first;
    for (uint32_t i = 0; i < channels; i++) {
        const tmc_quantization q = {.scale = scales[i]};
        if (scales[i] == 0.0f || tmc_quantization_check(&q, TMC_I8, v->err) != TMC_OK)
            return at(
                v, "QSCL", &scales[i],
                tmc_fail_field(v->err, TMC_E_QUANT, "scale", "scale of channel %u is no positive normal number", i));
    }
    return TMC_OK;
}

static tmc_status check_constant(const validator *v, const tmc_file_tensor *t, const tmc_tensor_desc *desc) {
    /* The size of packed weights depends on the node that reads them: checked there. */
    if (t->packing == TMC_PACK_NONE && t->data_bytes != tmc_tensor_bytes(desc)) {
        char shape[96];
        tmc_tensor_shape_text(desc, shape, sizeof shape);
        return tmc_fail_field(v->err, TMC_E_SHAPE, "data_bytes", "%llu bytes, %s of shape %s needs %zu",
                              (unsigned long long)t->data_bytes, tmc_dtype_name((tmc_dtype)t->dtype), shape,
                              tmc_tensor_bytes(desc));
    }
    return v->strict ? check_finite(v, t) : TMC_OK;
}

static tmc_status check_quantization(const validator *v, const tmc_file_tensor *t, const tmc_tensor_desc *desc) {
    tmc_status status = tmc_quantization_check(&desc->quantization, desc->dtype, v->err);
    if (status == TMC_OK && t->quantization != TMC_FILE_NONE && !tmc_quantization_is_set(&desc->quantization))
        status = tmc_fail_field(v->err, TMC_E_QUANT, "scale", "0, expected a positive normal number");
    if (status != TMC_OK) return at(v, "QUAN", &v->view->quantization[t->quantization], status);
    return check_scales(v, t, desc);
}

static tmc_status check_tensor(const validator *v, const tmc_file_tensor *t) {
    const tmc_tensor_desc desc = tmc_graph_tensor(v->view, t);
    TMC_TRY(tmc_tensor_check(&desc, v->err));
    if (t->packing >= TMC_PACK_END)
        return tmc_fail_field(v->err, TMC_E_UNSUPPORTED, "packing", "weight layout %u is unknown to this version",
                              t->packing);
    TMC_TRY(check_quantization(v, t, &desc));
    TMC_TRY(check_dims_max(v, t));
    return t->role == TMC_ROLE_CONSTANT ? check_constant(v, t, &desc) : TMC_OK;
}

static tmc_status check_tensors(const validator *v) {
    for (uint32_t i = 0; i < v->view->tensor_count; i++) {
        const tmc_file_tensor *t = &v->view->tensors[i];
        tmc_status status = check_tensor(v, t);
        if (status != TMC_OK) return at_tensor(v, i, t, status);
        v->state[i] = t->role == TMC_ROLE_CONSTANT ? AVAILABLE : 0;
    }
    return TMC_OK;
}

/* ----------------------------------------------------------------------------------------------- graph's own lists */

/* An entry of INDX as a tensor; E_GRAPH past the last one. */
static tmc_status check_index(const validator *v, const uint32_t *entry) {
    if (*entry < v->view->tensor_count) return TMC_OK;
    return at(v, "INDX", entry,
              tmc_fail_field(v->err, TMC_E_GRAPH, "tensor", "tensor %u of %u", *entry, v->view->tensor_count));
}

/* One entry of the graph's inputs or outputs: in the list once, with a name of its own. */
static tmc_status check_listed(const validator *v, const char *what, const uint32_t *entries, uint32_t i) {
    const uint32_t t = entries[i], name = v->view->tensors[t].name;
    if (v->state[t] & LISTED)
        return at(v, "INDX", &entries[i],
                  tmc_fail_field(v->err, TMC_E_GRAPH, what, "tensor %u is in the graph's inputs and outputs twice", t));
    v->state[t] |= LISTED;
    if (!name) return tmc_fail_field(v->err, TMC_E_FORMAT, "name", "tensor %u of the graph's %s has no name", t, what);
    return TMC_OK;
}

/* Equal strings have equal offsets, and TMC_FILE_MAX_IO bounds the square. */
static tmc_status check_names(const validator *v, const uint32_t *entries, uint32_t count) {
    const tmc_file_tensor *tensors = v->view->tensors;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (tensors[entries[i]].name == tensors[entries[j]].name)
                return at_tensor(v, entries[i], &tensors[entries[i]].name,
                                 tmc_fail_field(v->err, TMC_E_FORMAT, "name",
                                                "inputs and outputs %u and %u have the same name '%s'", j, i,
                                                tmc_file_string(v->view, tensors[entries[i]].name)));
    return TMC_OK;
}

static tmc_status check_inputs(const validator *v) {
    const tmc_file_view *f = v->view;
    const tmc_file_graph *g = f->graph;
    if (!g->input_count)
        return at(v, "GRPH", &g->input_count,
                  tmc_fail_field(v->err, TMC_E_GRAPH, "input_count", "a graph without inputs"));
    for (uint32_t i = 0; i < g->input_count; i++) {
        const uint32_t *entry = &f->index[g->input_first + i];
        TMC_TRY(check_index(v, entry));
        const tmc_file_tensor *t = &f->tensors[*entry];
        tmc_status status = TMC_OK;
        if (t->role != TMC_ROLE_INPUT)
            status = tmc_fail_field(v->err, TMC_E_GRAPH, "role", "graph input %u is a tensor of role %d, expected %d",
                                    i, t->role, TMC_ROLE_INPUT);
        else
            status = check_listed(v, "inputs", &f->index[g->input_first], i);
        if (status != TMC_OK) return at_tensor(v, *entry, &t->role, status);
        v->state[*entry] |= AVAILABLE;
    }
    return TMC_OK;
}

static tmc_status check_outputs(const validator *v) {
    const tmc_file_view *f = v->view;
    const tmc_file_graph *g = f->graph;
    if (!g->output_count)
        return at(v, "GRPH", &g->output_count,
                  tmc_fail_field(v->err, TMC_E_GRAPH, "output_count", "a graph without outputs"));
    const uint32_t *outputs = &f->index[g->input_first + g->input_count];
    for (uint32_t i = 0; i < g->output_count; i++) {
        TMC_TRY(check_index(v, &outputs[i]));
        const tmc_file_tensor *t = &f->tensors[outputs[i]];
        tmc_status status = TMC_OK;
        if (t->role != TMC_ROLE_ACTIVATION)
            status =
                tmc_fail_field(v->err, TMC_E_GRAPH, "role",
                               "graph output %u is a tensor of role %d: only what a node makes can be one", i, t->role);
        else if (!(v->state[outputs[i]] & AVAILABLE))
            status = tmc_fail_field(v->err, TMC_E_GRAPH, "outputs", "no node makes graph output %u", i);
        else
            status = check_listed(v, "outputs", outputs, i);
        if (status != TMC_OK) return at_tensor(v, outputs[i], &t->role, status);
    }
    return check_names(v, &f->index[g->input_first], g->input_count + g->output_count);
}

/* What the lists and the nodes left over. */
static tmc_status check_complete(const validator *v) {
    for (uint32_t i = 0; i < v->view->tensor_count; i++) {
        const tmc_file_tensor *t = &v->view->tensors[i];
        if (t->role == TMC_ROLE_INPUT && !(v->state[i] & LISTED))
            return at_tensor(
                v, i, t,
                tmc_fail_field(v->err, TMC_E_GRAPH, "inputs", "input tensor %u is not in the graph's inputs", i));
        if (t->role == TMC_ROLE_ACTIVATION && !(v->state[i] & AVAILABLE))
            return at_tensor(v, i, t, tmc_fail_field(v->err, TMC_E_GRAPH, "role", "no node makes tensor %u", i));
        if (t->packing != TMC_PACK_NONE && !(v->state[i] & CONSUMED))
            return at_tensor(
                v, i, t,
                tmc_fail_field(v->err, TMC_E_GRAPH, "packing", "no node reads the packed weights of tensor %u", i));
    }
    return TMC_OK;
}

/* -------------------------------------------------------------------------------------------------------- nodes */

typedef struct {
    const tmc_file_node *record;
    const tmc_op_schema *schema;
    const uint32_t *inputs, *outputs; /* in INDX */
    const void *params;
} node;

static tmc_status check_params(const validator *v, const node *n) {
    const uint32_t words = n->record->param_count, expected = n->schema->param_words;
    if (words > expected)
        return tmc_fail_field(v->err, TMC_E_VERSION, "param_count",
                              "%s has %u parameter words, this version knows %u: update the library", n->schema->name,
                              words, expected);
    if (words < expected)
        return tmc_fail_field(v->err, TMC_E_FORMAT, "param_count", "%s has %u parameter words, expected %u",
                              n->schema->name, words, expected);
    return TMC_OK;
}

static tmc_status check_node_input(const validator *v, const node *n, uint32_t i) {
    const uint32_t *entry = &n->inputs[i];
    if (*entry == TMC_FILE_NONE) return TMC_OK; /* whether it may be absent, tmc_infer knows */
    TMC_TRY(check_index(v, entry));
    if (v->state[*entry] & AVAILABLE) return TMC_OK;
    tmc_fail_field(v->err, TMC_E_GRAPH, "inputs", "%s: input %u, tensor %u, is read before a node made it",
                   n->schema->name, i, *entry);
    tmc_error_at_tensor(v->err, (int32_t)*entry);
    return at(v, "INDX", entry, TMC_E_GRAPH);
}

static tmc_status check_node_output(const validator *v, const node *n, uint32_t i) {
    const uint32_t *entry = &n->outputs[i];
    TMC_TRY(check_index(v, entry));
    const uint8_t role = v->view->tensors[*entry].role;
    if (role != TMC_ROLE_ACTIVATION)
        tmc_fail_field(v->err, TMC_E_GRAPH, "outputs", "%s writes tensor %u, which is %s", n->schema->name, *entry,
                       role == TMC_ROLE_INPUT ? "an input" : "a constant");
    else if (v->state[*entry] & AVAILABLE)
        tmc_fail_field(v->err, TMC_E_GRAPH, "outputs", "%s writes tensor %u, which another node or itself made before",
                       n->schema->name, *entry);
    else {
        v->state[*entry] |= AVAILABLE;
        return TMC_OK;
    }
    tmc_error_at_tensor(v->err, (int32_t)*entry);
    return at(v, "INDX", entry, TMC_E_GRAPH);
}

/* Infers a node whose inputs may be more than a fixed stack holds: concat of a, b, c is concat of (concat of a, b), c.
 */
static tmc_status infer(const validator *v, const node *n, tmc_tensor_desc *outputs) {
    tmc_tensor_desc descs[MAX_INFER_INPUTS];
    const tmc_tensor_desc *inputs[MAX_INFER_INPUTS];
    tmc_quantization declared[MAX_OUTPUTS];
    for (uint32_t i = 0; i < n->record->output_count && i < MAX_OUTPUTS; i++)
        declared[i] = tmc_graph_tensor(v->view, &v->view->tensors[n->outputs[i]]).quantization;
    tmc_infer_args args = {.op = n->record->op,
                           .params = n->params,
                           .output_count = n->record->output_count,
                           .inputs = inputs,
                           .outputs = outputs,
                           .err = v->err,
                           .quantization = declared};
    uint32_t done = 0;
    do {
        args.input_count = 0;
        if (done) {
            descs[0] = outputs[0];
            inputs[0] = &descs[0];
            args.input_count = 1;
        }
        for (; args.input_count < MAX_INFER_INPUTS && done < n->record->input_count; args.input_count++, done++) {
            const uint32_t t = n->inputs[done];
            descs[args.input_count] =
                t == TMC_FILE_NONE ? (tmc_tensor_desc){0} : tmc_graph_tensor(v->view, &v->view->tensors[t]);
            inputs[args.input_count] = t == TMC_FILE_NONE ? NULL : &descs[args.input_count];
        }
        TMC_TRY(tmc_infer(&args));
    } while (done < n->record->input_count);
    return TMC_OK;
}

static tmc_status check_inferred(const validator *v, const node *n, const tmc_tensor_desc *inferred) {
    for (uint32_t i = 0; i < n->record->output_count; i++) {
        const tmc_file_tensor *t = &v->view->tensors[n->outputs[i]];
        const tmc_tensor_desc stored = tmc_graph_tensor(v->view, t);
        if (stored.dtype != inferred[i].dtype)
            tmc_fail_field(v->err, TMC_E_DTYPE, "dtype", "%s makes %s, the file says %s", n->schema->name,
                           tmc_dtype_name((tmc_dtype)inferred[i].dtype), tmc_dtype_name((tmc_dtype)stored.dtype));
        else if (!tmc_tensor_same_shape(&stored, &inferred[i])) {
            char is[96], should[96];
            tmc_tensor_shape_text(&stored, is, sizeof is);
            tmc_tensor_shape_text(&inferred[i], should, sizeof should);
            tmc_fail_field(v->err, TMC_E_SHAPE, "dims", "%s makes shape %s, the file says %s", n->schema->name, should,
                           is);
        } else if (!tmc_quantization_equal(&stored.quantization, &inferred[i].quantization)) {
            tmc_fail_field(v->err, TMC_E_QUANT, "quantization", "%s makes %s, the file says otherwise", n->schema->name,
                           tmc_quantization_is_set(&inferred[i].quantization) ? "the scale and zero point of its input"
                                                                              : "numbers without scale");
        } else
            continue;
        return at_tensor(v, n->outputs[i], t, v->err->status);
    }
    return TMC_OK;
}

static tmc_status check_packed_i8(const validator *v, const node *n, uint32_t index) {
    const tmc_file_view *f = v->view;
    const tmc_file_tensor *t = &f->tensors[index];
    const tmc_tensor_desc desc = tmc_graph_tensor(f, t);
    const uint8_t *place = (const uint8_t *)&t->data_bytes;
    const tmc_i8_weights weights = {
        .op = n->record->op,
        .params = n->params,
        .desc = &desc,
        .data = f->weights + t->data_offset,
        .bytes = t->data_bytes,
        .scales = f->scales + f->quantization[t->quantization].scale_first,
        .input = tmc_graph_tensor(f, &f->tensors[n->inputs[0]]).quantization,
        .output = tmc_graph_tensor(f, &f->tensors[n->outputs[0]]).quantization,
        .strict = v->strict,
    };
    const tmc_status status = tmc_check_i8_weights(&weights, &place, v->err);
    v->state[index] |= CONSUMED;
    if (status == TMC_OK) return TMC_OK;
    tmc_error_at_tensor(v->err, (int32_t)index);
    return at(v, status == TMC_E_QUANT ? "WGHT" : "TENS", place, status);
}

/* Packed weights have the size that their node's parameters ask for, so they have one reader. tmc_infer accepts them as
 * input 1 only, and without a bias beside them. */
static tmc_status check_packed(const validator *v, const node *n) {
    const uint32_t index = n->record->input_count > 1 ? n->inputs[1] : TMC_FILE_NONE;
    if (index == TMC_FILE_NONE || v->view->tensors[index].packing == TMC_PACK_NONE) return TMC_OK;
    const tmc_file_tensor *t = &v->view->tensors[index];
    const tmc_tensor_desc weights = tmc_graph_tensor(v->view, t);
    uint64_t bytes;
    tmc_status status = TMC_OK;
    if (v->state[index] & CONSUMED)
        status =
            tmc_fail_field(v->err, TMC_E_GRAPH, "packing", "packed weights %u have two readers, expected one", index);
    else if (tmc_is_i8_packing(t->packing))
        return check_packed_i8(v, n, index);
    else
        status = tmc_packed_bytes(n->record->op, n->params, &weights, &bytes, v->err);
    if (status == TMC_OK && t->data_bytes != bytes)
        status = tmc_fail_field(v->err, TMC_E_SHAPE, "data_bytes", "%llu bytes, the weights of %s packed have %llu",
                                (unsigned long long)t->data_bytes, n->schema->name, (unsigned long long)bytes);
    if (status != TMC_OK) return at_tensor(v, index, &t->data_bytes, status);
    v->state[index] |= CONSUMED;
    return TMC_OK;
}

static tmc_status check_node(const validator *v, const tmc_file_node *record) {
    const tmc_file_view *f = v->view;
    node n = {.record = record, .schema = tmc_op_schema_find(record->op), .inputs = &f->index[record->index_first]};
    if (!n.schema)
        return tmc_fail_field(v->err, TMC_E_UNSUPPORTED, "op", "operator code %d is unknown to this version",
                              record->op);
    n.outputs = n.inputs + record->input_count;
    TMC_TRY(check_params(v, &n));
    n.params = &f->params[record->param_first];
    for (uint32_t i = 0; i < record->input_count; i++) TMC_TRY(check_node_input(v, &n, i));
    for (uint32_t i = 0; i < record->output_count; i++) TMC_TRY(check_node_output(v, &n, i));
    tmc_tensor_desc outputs[MAX_OUTPUTS];
    TMC_TRY(infer(v, &n, outputs));
    TMC_TRY(check_inferred(v, &n, outputs));
    return check_packed(v, &n);
}

tmc_status tmc_graph_validate(const tmc_file_view *view, uint8_t *scratch, int strict, tmc_error *err) {
    const validator v = {.view = view, .state = scratch, .strict = strict != 0, .err = err};
    TMC_TRY(check_tensors(&v));
    TMC_TRY(check_inputs(&v));
    for (uint32_t i = 0; i < view->node_count; i++) {
        tmc_status status = check_node(&v, &view->nodes[i]);
        if (status != TMC_OK) {
            tmc_error_at_node(err, (int32_t)i);
            return at(&v, "NODE", &view->nodes[i], status);
        }
    }
    TMC_TRY(check_outputs(&v));
    return check_complete(&v);
}
