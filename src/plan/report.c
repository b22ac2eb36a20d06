#include "plan/report.h"

#include <string.h>

#include "graph/infer.h"

/* The type that the arithmetic is done in: a comparison of floats is float arithmetic with a bool result. */
static tmc_dtype precision(const tmc_op_node *op) {
    for (uint32_t i = 0; i < op->input_count; i++)
        if (op->inputs[i] && op->inputs[i]->dtype == TMC_F32) return TMC_F32;
    return (tmc_dtype)op->outputs[0]->dtype;
}

/* Only a concat has more inputs than this; there a repeated one counts each time, so that a report of a hostile file
 * does not take time that grows with the square. */
enum { DISTINCT_INPUTS = 64 };

static bool seen_before(const uint32_t *tensors, uint32_t index) {
    for (uint32_t i = 0; i < index && index < DISTINCT_INPUTS; i++)
        if (tensors[i] == tensors[index]) return true;
    return false;
}

static uint64_t tensor_bytes(const tmc_plan *plan, uint32_t tensor) {
    const tmc_file_tensor *record = &plan->view->tensors[tensor];
    return record->role == TMC_ROLE_CONSTANT ? record->data_bytes : tmc_tensor_bytes(&plan->descs[tensor]);
}

/* SSE4.1 rounds fused multiply-adds twice; operators on quantised numbers have none. */
static bool node_exact(const tmc_step *node) {
    const tmc_op_node *op = &node->op;
    return node->isa != TMC_ISA_SSE41 || tmc_quantization_is_set(&op->outputs[0]->quantization) ||
           (op->inputs[0] && tmc_quantization_is_set(&op->inputs[0]->quantization));
}

bool tmc_plan_exact(const tmc_plan *plan) {
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (!node_exact(&plan->nodes[i])) return false;
    return true;
}

void tmc_plan_report(const tmc_plan *plan, uint32_t index, tmc_node_report *report) {
    const tmc_step *node = &plan->nodes[index];
    const tmc_op_node *op = &node->op;
    const tmc_tensor_desc *output = op->outputs[0];
    memset(report, 0, sizeof *report);
    report->name = tmc_file_string(plan->view, plan->view->nodes[node->file_index].name);
    report->op = tmc_op_schema_find(op->op)->name;
    report->backend = "cpu";
    report->kernel = node->kernel[0] ? node->kernel : report->op;
    report->isa = node->isa;
    report->precision = precision(op);
    report->exact = node_exact(node);
    report->in_place = node->in_place;
    report->macs = tmc_count_macs(op->op, op->params, op->inputs, output);
    for (uint32_t i = 0; i < op->input_count; i++)
        if (node->tensors[i] != TMC_FILE_NONE && !seen_before(node->tensors, i))
            report->read_bytes += tensor_bytes(plan, node->tensors[i]);
    for (uint32_t i = 0; i < op->output_count; i++)
        report->written_bytes += tensor_bytes(plan, node->tensors[op->input_count + i]);
    report->output_rank = output->rank;
    memcpy(report->output_dims, output->dims, sizeof report->output_dims);
    report->arena_offset = TMC_NO_OFFSET;
    const tmc_place *place = &plan->places[node->tensors[op->input_count]];
    if (place->store != TMC_STORE_WEIGHTS) report->arena_offset = place->offset;
}
