#include "lib/op_runner.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if TMC_THREADS
#include <pthreadpool.h>
#endif

#include "base/alloc.h"
#include "base/checked.h"
#include "graph/infer.h"
#include "lib/levels.h"
#include "ops/op.h"

tmc_tensor_desc op_desc(tmc_dtype dtype, int32_t rank, const int32_t *dims) {
    tmc_tensor_desc desc;
    memset(&desc, 0, sizeof desc);
    desc.dtype = (uint8_t)dtype;
    desc.rank = rank;
    for (int32_t i = 0; i < rank; i++) desc.dims[i] = dims[i];
    return desc;
}

size_t op_isa_levels(tmc_isa levels[4]) {
    static const tmc_isa exact[] = {TMC_ISA_REF, TMC_ISA_NEON, TMC_ISA_AVX2, TMC_ISA_AVX512};
    size_t n = 0;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        if (op_isa_available(exact[i])) levels[n++] = exact[i];
    return n;
}

/* Asked of the compiler, not of the library. */
bool op_isa_available(tmc_isa isa) {
    switch (isa) {
    case TMC_ISA_REF: return true;
#if defined(__x86_64__) || defined(__i386__)
    case TMC_ISA_SSE41: return __builtin_cpu_supports("sse4.1");
    case TMC_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case TMC_ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#elif defined(__aarch64__)
    case TMC_ISA_NEON: return true;
#endif
    default: return false;
    }
}

typedef struct buffers {
    guard_buffer inputs[OP_MAX_TENSORS], outputs[OP_MAX_TENSORS], scratch;
} buffers;

#if TMC_THREADS
/* One pool for all calls: a new pool's threads spin for a while before they sleep, which under an emulator takes longer
 * than the operators. */
static struct pthreadpool *pool;
static uint32_t pool_threads;

static void destroy_pool(void) {
    if (pool) pthreadpool_destroy(pool);
    pool = NULL;
}

static struct pthreadpool *shared_pool(uint32_t threads) {
    if (pool_threads == threads) return pool;
    if (pool_threads == 0) atexit(destroy_pool);
    destroy_pool();
    pool = pthreadpool_create(threads);
    pool_threads = threads;
    return pool;
}
#endif

/* Bytes from the first element to the last, with what lies between rows. */
static size_t extent(const tmc_tensor_desc *desc) {
    if (!desc->pitch) return tmc_tensor_bytes(desc);
    const size_t rows = tmc_dims_product(desc->dims, 0, desc->rank - 1);
    return ((rows - 1) * tmc_tensor_pitch(desc) + (size_t)desc->dims[desc->rank - 1]) * tmc_dtype_size(desc->dtype);
}

/* Moves dense data into rows of the pitch, or back. */
static void copy_rows(const tmc_tensor_desc *desc, void *rows, void *dense, bool back) {
    const size_t size = tmc_dtype_size(desc->dtype), row = (size_t)desc->dims[desc->rank - 1] * size;
    for (size_t r = 0; r < tmc_dims_product(desc->dims, 0, desc->rank - 1); r++) {
        uint8_t *at = (uint8_t *)rows + r * tmc_tensor_pitch(desc) * size;
        memcpy(back ? (uint8_t *)dense + r * row : at, back ? at : (uint8_t *)dense + r * row, row);
    }
}

static guard_buffer input_buffer(const op_tensor *in, const tmc_tensor_desc *desc, guard_side side) {
    if (!desc->pitch) return guard_copy(in->data, in->bytes ? in->bytes : tmc_tensor_bytes(desc), side);
    guard_buffer buffer = guard_alloc(extent(desc), side);
    copy_rows(desc, buffer.data, (void *)in->data, false);
    return buffer;
}

/* Nothing was written between the rows. */
static bool gaps_hold(const tmc_tensor_desc *desc, const uint8_t *data) {
    const size_t size = tmc_dtype_size(desc->dtype), row = (size_t)desc->dims[desc->rank - 1] * size;
    const size_t pitch = tmc_tensor_pitch(desc) * size;
    for (size_t i = 0; desc->pitch && i < extent(desc); i++)
        if (i % pitch >= row && data[i] != 0xCD) return false;
    return true;
}

static void set_pitches(const op_call *call, const tmc_op_node *node, tmc_tensor_desc *inputs, op_result *result) {
    for (uint32_t i = 0; i < call->input_count; i++) {
        tmc_tensor_desc *d = &inputs[i];
        if (!d->dtype || d->packing || d->rank < 2 || !tmc_op_reads_pitch(node, i)) continue;
        d->pitch = d->dims[d->rank - 1] + (int32_t)call->pitch;
    }
    for (uint32_t i = 0; i < call->output_count && tmc_op_writes_pitch(node); i++) {
        tmc_tensor_desc *d = &result->descs[i];
        if (d->rank >= 2) d->pitch = d->dims[d->rank - 1] + (int32_t)call->pitch;
    }
}

static tmc_status run_prepared(const op_call *call, const tmc_op_node *node, tmc_op_functions functions,
                               const tmc_kernels *kernels, const tmc_op_setup *setup, buffers *b, op_result *result) {
    const void *inputs[OP_MAX_TENSORS] = {0};
    void *outputs[OP_MAX_TENSORS] = {0};
    for (uint32_t i = 0; i < call->input_count; i++) {
        const op_tensor *in = &call->inputs[i];
        if (!in->desc.dtype) continue;
        b->inputs[i] = input_buffer(in, node->inputs[i], call->guard);
        inputs[i] = b->inputs[i].data;
    }
    for (uint32_t i = 0; i < call->output_count; i++) {
        if (i == 0 && call->in_place) {
            outputs[0] = b->inputs[call->in_place - 1].data;
            continue;
        }
        b->outputs[i] = guard_alloc(extent(&result->descs[i]), call->guard);
        outputs[i] = b->outputs[i].data;
    }
    b->scratch = guard_alloc(tmc_round_up(setup->scratch_bytes, TMC_ALIGN), GUARD_END);

    tmc_exec exec = {.threads = call->threads ? call->threads : 1, .deadline_ns = UINT64_MAX};
#if TMC_THREADS
    if (call->threads > 1) exec.pool = shared_pool(call->threads);
#endif
    tmc_op_run run = {node, kernels, inputs, outputs, b->scratch.data, &exec, &result->err};
    const tmc_status status = functions.run(&run);
    if (status != TMC_OK) return status;
    for (uint32_t i = 0; i < call->output_count; i++) {
        size_t bytes = tmc_tensor_bytes(&result->descs[i]);
        result->data[i] = malloc(bytes);
        if (!result->data[i]) return tmc_fail(&result->err, TMC_E_NOMEM, "no memory for the result");
        if (!result->descs[i].pitch) {
            memcpy(result->data[i], outputs[i], bytes);
            continue;
        }
        if (!gaps_hold(&result->descs[i], outputs[i]))
            return tmc_fail(&result->err, TMC_E_INTERNAL, "output %u was written between its rows", i);
        copy_rows(&result->descs[i], outputs[i], result->data[i], true);
        result->descs[i].pitch = 0;
    }
    return TMC_OK;
}

static tmc_status run_steps(const op_call *call, op_result *result) {
    const tmc_tensor_desc *inputs[OP_MAX_TENSORS] = {0}, *outputs[OP_MAX_TENSORS] = {0};
    tmc_tensor_desc descs[OP_MAX_TENSORS];
    if (call->input_count > OP_MAX_TENSORS || call->output_count > OP_MAX_TENSORS)
        return tmc_fail(&result->err, TMC_E_ARG, "op_runner holds %d tensors", OP_MAX_TENSORS);
    for (uint32_t i = 0; i < call->input_count; i++) {
        descs[i] = call->inputs[i].desc;
        inputs[i] = descs[i].dtype ? &descs[i] : NULL;
    }
    for (uint32_t i = 0; i < call->output_count; i++) outputs[i] = &result->descs[i];
    result->output_count = call->output_count;

    tmc_infer_args infer = {call->op, call->params,  call->input_count, call->output_count,
                            inputs,   result->descs, &result->err,      call->quantization};
    TMC_TRY(tmc_infer(&infer));
    if (call->infer_only) return TMC_OK;

    const tmc_op_functions functions = tmc_op_find(call->op);
    if (!functions.run) return tmc_fail(&result->err, TMC_E_UNSUPPORTED, "no operator %d", call->op);
    tmc_kernels kernels;
    level_kernels(call->isa ? call->isa : TMC_ISA_REF, &kernels);
    if (call->features) tmc_kernels_take_features(&kernels, call->features);
    tmc_op_node node = {call->op, call->params, call->input_count, call->output_count, inputs, outputs};
    if (call->pitch) set_pitches(call, &node, descs, result);
    tmc_op_setup setup;
    memset(&setup, 0, sizeof setup);
    setup.isa = TMC_ISA_REF;
    TMC_TRY(functions.prepare(&node, &kernels, call->threads ? call->threads : 1, &setup, &result->err));
    result->kernel = setup.kernel;
    result->isa = setup.isa;
    result->scratch_bytes = setup.scratch_bytes;
    if (call->in_place && !(setup.alias && call->in_place == 1) && !(setup.in_place_mask >> (call->in_place - 1) & 1))
        return tmc_fail(&result->err, TMC_E_STATE, "the operator cannot overwrite input %u", call->in_place - 1);

    buffers *b = calloc(1, sizeof *b);
    if (!b) return tmc_fail(&result->err, TMC_E_NOMEM, "no memory for the buffers");
    tmc_status status = run_prepared(call, &node, functions, &kernels, &setup, b, result);
    for (uint32_t i = 0; i < OP_MAX_TENSORS; i++) {
        guard_free(&b->inputs[i]);
        guard_free(&b->outputs[i]);
    }
    guard_free(&b->scratch);
    free(b);
    return status;
}

tmc_status op_run(const op_call *call, op_result *result) {
    memset(result, 0, sizeof *result);
    tmc_error_init(&result->err);
    result->status = run_steps(call, result);
    return result->status;
}

void op_result_free(op_result *result) {
    for (uint32_t i = 0; i < OP_MAX_TENSORS; i++) free(result->data[i]);
    memset(result, 0, sizeof *result);
}
