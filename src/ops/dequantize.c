#include "ops/chunk.h"
#include "ops/op.h"

static tmc_status prepare(const tmc_op_node *node, const tmc_kernels *kernels, uint32_t threads, tmc_op_setup *setup,
                          tmc_error *err) {
    (void)threads;
    if (node->inputs[0]->quantization.channels)
        return tmc_fail(err, TMC_E_UNSUPPORTED, "dequantize takes one scale for the whole tensor, not one per channel");
    setup->kernel = kernels->qs8_math.dequantize.name;
    setup->isa = kernels->qs8_math.dequantize.isa;
    return TMC_OK;
}

typedef struct {
    const int8_t *x;
    float *y;
    tmc_quantization q;
    size_t count;
    tmc_qs8_dequantize_fn kernel;
} job;

static void task(void *context, size_t index, size_t slot) {
    (void)slot;
    const job *j = context;
    const tmc_chunk c = tmc_chunk_at(j->count, TMC_TASK_ELEMENTS, index);
    j->kernel(c.count, j->x + c.begin, j->y + c.begin, j->q.scale, j->q.zero_point);
}

static tmc_status run(const tmc_op_run *run) {
    job j = {run->inputs[0], run->outputs[0], run->node->inputs[0]->quantization,
             tmc_tensor_elements(run->node->inputs[0]), run->kernels->qs8_math.dequantize.run};
    return tmc_exec_loop(run->exec, tmc_chunk_count(j.count, TMC_TASK_ELEMENTS), task, &j);
}

TMC_DEFINE_OP(dequantize, prepare, run)
