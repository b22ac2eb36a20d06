#include "convert/tflite/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "convert/memory.h"
#include "convert/tflite/quantization.h"
#include "format/layout.h"

const char *tflite_type_name(int32_t type) {
    switch (type) {
#define X(value, NAME, name, dtype, bits)                                                                              \
    case value: return #name;
        TFLITE_TYPE_LIST(X)
#undef X
    default: return "?";
    }
}

uint32_t tflite_type_bits(int32_t type) {
    switch (type) {
#define X(value, NAME, name, dtype, bits)                                                                              \
    case value: return bits;
        TFLITE_TYPE_LIST(X)
#undef X
    default: return 0;
    }
}

static tmc_status text_field(fb_reader *reader, const fb_table *table, uint32_t slot, const char *field,
                             const char **out) {
    TMC_TRY(fb_string(reader, table, slot, field, out));
    if (!*out) *out = "";
    return TMC_OK;
}

/* A vector of tables that may be made into an array: at most `limit` of them. */
static tmc_status table_vector(fb_reader *reader, const fb_table *table, uint32_t slot, const char *field,
                               uint32_t limit, fb_vector *out) {
    TMC_TRY(fb_vector_field(reader, table, slot, 4, field, out));
    if (out->count > limit)
        return tmc_fail_field(reader->err, TMC_E_LIMIT, field, "%u entries, at most %u are supported", out->count,
                              limit);
    return TMC_OK;
}

static tmc_status index_vector(fb_reader *reader, const fb_table *table, uint32_t slot, const char *field,
                               int32_t **items, uint32_t *count) {
    fb_vector vector;
    TMC_TRY(fb_vector_field(reader, table, slot, 4, field, &vector));
    *items = x_alloc_array(vector.count, sizeof **items);
    *count = vector.count;
    for (uint32_t i = 0; i < vector.count; i++) (*items)[i] = fb_vector_i32(reader, &vector, i);
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------ operator codes */

/* Codes above 127 do not fit the old field. Old files have no new field, whose default is 0: the larger one counts. */
static tmc_status read_code(fb_reader *reader, const fb_table *table, tflite_code *code) {
    int8_t deprecated;
    TMC_TRY(fb_i8(reader, table, CODE_DEPRECATED_BUILTIN, 0, &deprecated));
    TMC_TRY(fb_i32(reader, table, CODE_BUILTIN, 0, &code->builtin));
    TMC_TRY(fb_i32(reader, table, CODE_VERSION, 1, &code->version));
    TMC_TRY(text_field(reader, table, CODE_CUSTOM, "custom_code", &code->custom));
    if (deprecated > code->builtin) code->builtin = deprecated;
    if (deprecated < 0 || code->builtin < 0) return fb_malformed(reader, table->at, "builtin_code", "a negative code");
    return TMC_OK;
}

static tmc_status read_codes(tflite_model *model, const fb_table *root) {
    fb_reader *reader = &model->reader;
    fb_vector vector;
    TMC_TRY(table_vector(reader, root, MODEL_OPERATOR_CODES, "operator_codes", TMC_FILE_MAX_NODES, &vector));
    model->codes = x_alloc_array(vector.count, sizeof *model->codes);
    model->code_count = vector.count;
    for (uint32_t i = 0; i < vector.count; i++) {
        fb_table table;
        TMC_TRY(fb_vector_table(reader, &vector, i, "operator_codes", &table));
        TMC_TRY(read_code(reader, &table, &model->codes[i]));
    }
    return TMC_OK;
}

/* ------------------------------------------------------------------------------------------------------- buffers */

/* Bytes inside the FlatBuffer, or behind it where a model is too large for 32-bit offsets. In the latter case offset
 * and size are written after the fact, and 1 is the placeholder. */
static tmc_status read_buffer(fb_reader *reader, const fb_table *table, tflite_tensor *tensor) {
    fb_vector data;
    uint64_t offset, size;
    TMC_TRY(fb_vector_field(reader, table, BUFFER_DATA, 1, "buffer", &data));
    TMC_TRY(fb_u64(reader, table, BUFFER_OFFSET, 0, &offset));
    TMC_TRY(fb_u64(reader, table, BUFFER_SIZE, 0, &size));
    if (data.count) {
        tensor->data = reader->bytes + data.at;
        tensor->data_bytes = data.count;
    }
    if (offset <= 1) return TMC_OK;
    if (data.count) return fb_malformed(reader, table->at, "buffer", "a buffer has data and an offset too");
    if (!tmc_in_bounds(offset, size, reader->size))
        return tmc_fail_field(reader->err, TMC_E_RANGE, "buffer", "%llu bytes at %llu of a file of %zu",
                              (unsigned long long)size, (unsigned long long)offset, reader->size);
    tensor->data = reader->bytes + offset;
    tensor->data_bytes = (size_t)size;
    return TMC_OK;
}

/* The data must be what the shape says, where the type has a size. */
static tmc_status check_data(const fb_reader *reader, const tflite_tensor *tensor) {
    uint64_t bits = tflite_type_bits(tensor->type);
    if (!tensor->data || !bits || tensor->refusal) return TMC_OK;
    for (int32_t i = 0; i < tensor->rank; i++)
        if (!tmc_mul_u64(bits, (uint64_t)tensor->dims[i], &bits))
            return tmc_fail_field(reader->err, TMC_E_LIMIT, "shape", "the tensor's size overflows");
    if (bits / 8 + (bits % 8 != 0) == tensor->data_bytes) return TMC_OK;
    return tmc_fail_field(reader->err, TMC_E_SHAPE, "shape", "the shape needs %llu bytes, the buffer has %zu",
                          (unsigned long long)(bits / 8 + (bits % 8 != 0)), tensor->data_bytes);
}

/* ------------------------------------------------------------------------------------------------------- tensors */

static tmc_status read_shape(fb_reader *reader, const fb_table *table, tflite_tensor *tensor) {
    fb_vector shape, signature;
    bool has_rank;
    TMC_TRY(fb_vector_field(reader, table, TENSOR_SHAPE, 4, "shape", &shape));
    TMC_TRY(fb_vector_field(reader, table, TENSOR_SHAPE_SIGNATURE, 4, "shape_signature", &signature));
    TMC_TRY(fb_bool(reader, table, TENSOR_HAS_RANK, false, &has_rank));
    if (shape.count > TMC_MAX_RANK)
        return tmc_fail_field(reader->err, TMC_E_SHAPE, "shape", "rank %u, at most %d is supported", shape.count,
                              TMC_MAX_RANK);
    if (signature.count && signature.count != shape.count)
        return tmc_fail_field(reader->err, TMC_E_SHAPE, "shape_signature", "%u axes, the shape has %u", signature.count,
                              shape.count);
    tensor->rank = (int32_t)shape.count;
    tensor->rank_unknown = shape.count == 0 && !has_rank;
    for (uint32_t i = 0; i < shape.count; i++) {
        tensor->dims[i] = fb_vector_i32(reader, &shape, i);
        if (tensor->dims[i] < 0)
            return tmc_fail_field(reader->err, TMC_E_SHAPE, "shape", "dim %u is %d", i, tensor->dims[i]);
        const int32_t open = signature.count ? fb_vector_i32(reader, &signature, i) : tensor->dims[i];
        tensor->open[i] = open == -1;
        if (open != -1 && open != tensor->dims[i])
            return tmc_fail_field(reader->err, TMC_E_SHAPE, "shape_signature", "axis %u is %d, in the shape %d", i,
                                  open, tensor->dims[i]);
    }
    return TMC_OK;
}

/* What no importer takes, with a line that says why. */
static tmc_status read_refusal(fb_reader *reader, const fb_table *table, tflite_tensor *tensor) {
    fb_table sparsity;
    fb_vector variants;
    uint32_t external;
    TMC_TRY(fb_sub_table(reader, table, TENSOR_SPARSITY, "sparsity", &sparsity));
    TMC_TRY(fb_vector_field(reader, table, TENSOR_VARIANT_TENSORS, 4, "variant_tensors", &variants));
    TMC_TRY(fb_u32(reader, table, TENSOR_EXTERNAL_BUFFER, 0, &external));
    TMC_TRY(fb_bool(reader, table, TENSOR_IS_VARIABLE, false, &tensor->is_variable));
    if (sparsity.at) tensor->refusal = "sparse tensors are not supported: export the model dense";
    if (variants.count) tensor->refusal = "variant tensors are not supported";
    if (external) tensor->refusal = "data in another file are not supported";
    if (tensor->is_variable) tensor->refusal = "variables that keep their value between runs are not supported";
    return TMC_OK;
}

static tmc_status read_tensor(tflite_model *model, const fb_table *table, const fb_vector *buffers,
                              tflite_tensor *tensor) {
    fb_reader *reader = &model->reader;
    fb_table buffer, quantization;
    int8_t type;
    TMC_TRY(text_field(reader, table, TENSOR_NAME, "name", &tensor->name));
    TMC_TRY(fb_i8(reader, table, TENSOR_TYPE, 0, &type));
    TMC_TRY(fb_u32(reader, table, TENSOR_BUFFER, 0, &tensor->buffer));
    tensor->type = type;
    TMC_TRY(read_shape(reader, table, tensor));
    TMC_TRY(read_refusal(reader, table, tensor));
    /* Buffer 0 is empty by definition, and a file without constants may have no buffers at all. */
    if (tensor->buffer >= buffers->count && tensor->buffer)
        return tmc_fail_field(reader->err, TMC_E_RANGE, "buffer", "buffer %u of %u", tensor->buffer, buffers->count);
    if (tensor->buffer) {
        TMC_TRY(fb_vector_table(reader, buffers, tensor->buffer, "buffers", &buffer));
        TMC_TRY(read_buffer(reader, &buffer, tensor));
    }
    TMC_TRY(check_data(reader, tensor));
    TMC_TRY(fb_sub_table(reader, table, TENSOR_QUANTIZATION, "quantization", &quantization));
    return tflite_quantization_read(reader, &quantization, tensor);
}

/* Says which tensor it was. */
static tmc_status at_tensor(tmc_error *err, tmc_status status, uint32_t index, const tflite_tensor *tensor) {
    if (status == TMC_OK) return TMC_OK;
    const tmc_error inner = *err;
    tmc_fail_field(err, status, inner.field, "tensor %u '%s': %s", index, tensor->name ? tensor->name : "",
                   inner.message);
    if (inner.section[0]) tmc_error_at_byte(err, inner.section, inner.byte_offset);
    return status;
}

static tmc_status read_tensors(tflite_model *model, const fb_table *root, const fb_table *subgraph) {
    fb_reader *reader = &model->reader;
    fb_vector vector, buffers;
    TMC_TRY(fb_vector_field(reader, root, MODEL_BUFFERS, 4, "buffers", &buffers));
    TMC_TRY(table_vector(reader, subgraph, SUBGRAPH_TENSORS, "tensors", TMC_FILE_MAX_TENSORS, &vector));
    model->tensors = x_alloc_array(vector.count, sizeof *model->tensors);
    model->tensor_count = vector.count;
    for (uint32_t i = 0; i < vector.count; i++) {
        fb_table table;
        TMC_TRY(fb_vector_table(reader, &vector, i, "tensors", &table));
        TMC_TRY(
            at_tensor(reader->err, read_tensor(model, &table, &buffers, &model->tensors[i]), i, &model->tensors[i]));
    }
    return TMC_OK;
}

/* ----------------------------------------------------------------------------------------------------- operators */

static tmc_status read_operator(tflite_model *model, const fb_table *table, tflite_operator *op) {
    fb_reader *reader = &model->reader;
    fb_vector mutating;
    uint32_t code;
    TMC_TRY(fb_u32(reader, table, OPERATOR_CODE, 0, &code));
    if (code >= model->code_count)
        return tmc_fail_field(reader->err, TMC_E_GRAPH, "opcode_index", "operator code %u of %u", code,
                              model->code_count);
    op->code = &model->codes[code];
    TMC_TRY(index_vector(reader, table, OPERATOR_INPUTS, "inputs", &op->inputs, &op->input_count));
    TMC_TRY(index_vector(reader, table, OPERATOR_OUTPUTS, "outputs", &op->outputs, &op->output_count));
    TMC_TRY(fb_u8(reader, table, OPERATOR_OPTIONS_TYPE, 0, &op->options_type));
    TMC_TRY(fb_vector_field(reader, table, OPERATOR_MUTATING, 1, "mutating_variable_inputs", &mutating));
    for (uint32_t i = 0; i < mutating.count; i++)
        op->has_variables = op->has_variables || reader->bytes[mutating.at + i];
    TMC_TRY(fb_sub_table(reader, table, OPERATOR_OPTIONS, "builtin_options", &op->options));
    if (!op->options_type != !op->options.at)
        return fb_malformed(reader, table->at, "builtin_options", "a union has a type or a value, not both");
    return TMC_OK;
}

static tmc_status read_operators(tflite_model *model, const fb_table *subgraph) {
    fb_reader *reader = &model->reader;
    fb_vector vector;
    TMC_TRY(table_vector(reader, subgraph, SUBGRAPH_OPERATORS, "operators", TMC_FILE_MAX_NODES, &vector));
    model->operators = x_alloc_array(vector.count, sizeof *model->operators);
    model->operator_count = vector.count;
    for (uint32_t i = 0; i < vector.count; i++) {
        fb_table table;
        TMC_TRY(fb_vector_table(reader, &vector, i, "operators", &table));
        tmc_status status = read_operator(model, &table, &model->operators[i]);
        if (status != TMC_OK) {
            tmc_error_at_node(reader->err, (int32_t)i);
            return status;
        }
    }
    return TMC_OK;
}

/* ---------------------------------------------------------------------------------------------------------- file */

static tmc_status read_subgraph(tflite_model *model, const fb_table *root) {
    fb_reader *reader = &model->reader;
    fb_vector subgraphs;
    fb_table subgraph;
    TMC_TRY(fb_vector_field(reader, root, MODEL_SUBGRAPHS, 4, "subgraphs", &subgraphs));
    if (!subgraphs.count) return fb_malformed(reader, root->at, "subgraphs", "a model without a graph");
    if (subgraphs.count > 1)
        return tmc_fail_field(reader->err, TMC_E_UNSUPPORTED, "subgraphs",
                              "%u graphs in one file (control flow or several signatures): export one function",
                              subgraphs.count);
    TMC_TRY(fb_vector_table(reader, &subgraphs, 0, "subgraphs", &subgraph));
    TMC_TRY(text_field(reader, &subgraph, SUBGRAPH_NAME, "name", &model->name));
    TMC_TRY(read_tensors(model, root, &subgraph));
    TMC_TRY(read_operators(model, &subgraph));
    TMC_TRY(index_vector(reader, &subgraph, SUBGRAPH_INPUTS, "inputs", &model->inputs, &model->input_count));
    return index_vector(reader, &subgraph, SUBGRAPH_OUTPUTS, "outputs", &model->outputs, &model->output_count);
}

tmc_status tflite_model_read(tflite_model *model, const void *bytes, size_t size, tmc_error *err) {
    fb_table root;
    uint32_t version;
    memset(model, 0, sizeof *model);
    fb_reader *reader = &model->reader;
    TMC_TRY(fb_open(reader, bytes, size, TFLITE_IDENTIFIER, &root, err));
    TMC_TRY(fb_u32(reader, &root, MODEL_VERSION, 0, &version));
    if (version != TFLITE_VERSION)
        return tmc_fail_field(err, TMC_E_VERSION, "version", "TFLite schema version %u, supported is %d", version,
                              TFLITE_VERSION);
    TMC_TRY(text_field(reader, &root, MODEL_DESCRIPTION, "description", &model->description));
    TMC_TRY(read_codes(model, &root));
    return read_subgraph(model, &root);
}

void tflite_model_clear(tflite_model *model) {
    for (uint32_t i = 0; i < model->tensor_count; i++) {
        free(model->tensors[i].quantization.scale);
        free(model->tensors[i].quantization.zero_point);
    }
    for (uint32_t i = 0; i < model->operator_count; i++) {
        free(model->operators[i].inputs);
        free(model->operators[i].outputs);
    }
    free(model->tensors);
    free(model->codes);
    free(model->operators);
    free(model->inputs);
    free(model->outputs);
    memset(model, 0, sizeof *model);
}
