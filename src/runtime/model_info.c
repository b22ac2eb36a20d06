#include <string.h>

#include "base/abi.h"
#include "graph/infer.h"
#include "graph/validate.h"
#include "plan/plan.h"
#include "runtime/model.h"

/* Operators that multiply and accumulate have at most x, w, b. */
enum { MAC_INPUTS = 3 };

static uint64_t node_macs(const tmc_file_view *view, const tmc_file_node *node) {
    tmc_tensor_desc descs[MAC_INPUTS + 1];
    const tmc_tensor_desc *inputs[MAC_INPUTS] = {NULL};
    const uint32_t *tensors = view->index + node->index_first;
    if (node->input_count > MAC_INPUTS) return 0;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (tensors[i] == TMC_FILE_NONE) continue;
        descs[i] = tmc_graph_tensor(view, &view->tensors[tensors[i]]);
        inputs[i] = &descs[i];
    }
    descs[MAC_INPUTS] = tmc_graph_tensor(view, &view->tensors[tensors[node->input_count]]);
    return tmc_count_macs(node->op, view->params + node->param_first, inputs, &descs[MAC_INPUTS]);
}

static uint64_t count_macs(const tmc_file_view *view) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < view->node_count; i++) {
        uint64_t macs = node_macs(view, &view->nodes[i]);
        sum = macs > UINT64_MAX - sum ? UINT64_MAX : sum + macs;
    }
    return sum;
}

/* Packed weights hold their bias, one number per output channel. They are input 1 and have one reader. */
static uint64_t packed_biases(const tmc_file_view *view, const tmc_file_node *node) {
    const uint32_t index = node->input_count > 1 ? view->index[node->index_first + 1] : TMC_FILE_NONE;
    if (index == TMC_FILE_NONE || view->tensors[index].packing == TMC_PACK_NONE) return 0;
    const tmc_tensor_desc desc = tmc_graph_tensor(view, &view->tensors[index]);
    return (uint64_t)desc.dims[node->op == TMC_OP_DEPTHWISE_CONV ? desc.rank - 1 : 0];
}

/* Constants of real numbers; integers are shapes and indices, i8 without a scale a table that the converter made. */
static bool is_parameter(const tmc_file_tensor *record) {
    if (record->role != TMC_ROLE_CONSTANT || record->dtype == TMC_I32 || record->dtype == TMC_I64) return false;
    return record->dtype != TMC_I8 || record->quantization != TMC_FILE_NONE;
}

static uint64_t count_parameters(const tmc_file_view *view) {
    uint64_t sum = 0;
    for (uint32_t t = 0; t < view->tensor_count; t++) {
        const tmc_file_tensor *record = &view->tensors[t];
        if (!is_parameter(record)) continue;
        const tmc_tensor_desc desc = tmc_graph_tensor(view, record);
        sum += tmc_tensor_elements(&desc);
    }
    for (uint32_t n = 0; n < view->node_count; n++) sum += packed_biases(view, &view->nodes[n]);
    return sum;
}

tmc_status tmc_model_get_info(const tmc_model *model, tmc_model_info *info) {
    if (!model || !info) return TMC_E_ARG;
    const tmc_file_view *view = &model->view;
    tmc_model_info i = {
        .name = tmc_file_string(view, view->graph->name),
        .format_major = view->header->version_major,
        .format_minor = view->header->version_minor,
        .revision = view->header->revision,
        .input_count = view->graph->input_count,
        .output_count = view->graph->output_count,
        .node_count = view->node_count,
        .tensor_count = view->tensor_count,
        .metadata_count = view->metadata_count,
        .selftest_count = view->test_count,
        .file_bytes = view->size,
        .weight_bytes = view->weights_size,
        .parameters = count_parameters(view),
        .macs = count_macs(view),
        .memory_bytes = model->block_bytes,
    };
    memcpy(i.checksum, view->header->checksum, sizeof i.checksum);
    memcpy(i.sha256, view->header->sha256, sizeof i.sha256);
    return tmc_struct_write(info, &i, sizeof i);
}

void tmc_model_describe(const tmc_file_view *view, uint32_t tensor, const tmc_tensor_desc *desc,
                        tmc_tensor_info *info) {
    const tmc_file_tensor *record = &view->tensors[tensor];
    *info = (tmc_tensor_info){.name = tmc_file_string(view, record->name),
                              .dtype = (tmc_dtype)desc->dtype,
                              .layout = (tmc_layout)record->layout,
                              .rank = desc->rank,
                              .bytes = tmc_tensor_bytes(desc),
                              .scale = desc->quantization.scale,
                              .zero_point = desc->quantization.zero_point};
    memcpy(info->dims, desc->dims, sizeof info->dims);
    memcpy(info->dims_max, record->role == TMC_ROLE_INPUT ? record->dims_max : desc->dims, sizeof info->dims_max);
}

static tmc_status describe_default(const tmc_model *model, uint32_t tensor, tmc_tensor_info *info) {
    tmc_tensor_info i;
    const tmc_tensor_desc desc = tmc_graph_tensor(&model->view, &model->view.tensors[tensor]);
    tmc_model_describe(&model->view, tensor, &desc, &i);
    return tmc_struct_write(info, &i, sizeof i);
}

tmc_status tmc_model_input(const tmc_model *model, uint32_t index, tmc_tensor_info *info) {
    if (!model || !info || index >= model->view.graph->input_count) return TMC_E_ARG;
    return describe_default(model, tmc_plan_input_tensor(&model->view, index), info);
}

tmc_status tmc_model_output(const tmc_model *model, uint32_t index, tmc_tensor_info *info) {
    if (!model || !info || index >= model->view.graph->output_count) return TMC_E_ARG;
    return describe_default(model, tmc_plan_output_tensor(&model->view, index), info);
}

const char *tmc_model_metadata_get(const tmc_model *model, const char *key) {
    if (!model || !key) return NULL;
    const tmc_file_view *view = &model->view;
    for (uint32_t i = 0; i < view->metadata_count; i++)
        if (!strcmp(tmc_file_string(view, view->metadata[i].key), key))
            return tmc_file_string(view, view->metadata[i].value);
    return NULL;
}

tmc_status tmc_model_metadata_at(const tmc_model *model, uint32_t index, const char **key, const char **value) {
    if (!model || !key || !value || index >= model->view.metadata_count) return TMC_E_ARG;
    *key = tmc_file_string(&model->view, model->view.metadata[index].key);
    *value = tmc_file_string(&model->view, model->view.metadata[index].value);
    return TMC_OK;
}
