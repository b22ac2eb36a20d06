/* The probe's loops over vectors: include after kernels/vec/vec_<isa>.h with PROBE_CHAINS, the accumulators that fit
 * into the registers beside two operands, and PROBE_LEVEL, the tmc_isa. */
#include "bench/probe.h"

/* Twelve chains hide a latency of six on two units; a separate multiply and add needs no more where they overlap. */
#if defined(__GNUC__) && !defined(__clang__)
#define PROBE_UNROLL _Pragma("GCC unroll 32")
#else
#define PROBE_UNROLL _Pragma("clang loop unroll(full)")
#endif

static void probe_fma(size_t steps, float x, float y, float *lanes) {
    vecf acc[PROBE_CHAINS];
    const vecf xv = vec_set(x), yv = vec_set(y);
    PROBE_UNROLL
    for (size_t i = 0; i < PROBE_CHAINS; i++) acc[i] = vec_load(lanes + i * VEC_WIDTH);
    for (size_t k = 0; k < steps; k++) {
        PROBE_UNROLL
        for (size_t i = 0; i < PROBE_CHAINS; i++) acc[i] = vec_fma(acc[i], xv, yv);
    }
    PROBE_UNROLL
    for (size_t i = 0; i < PROBE_CHAINS; i++) vec_store(lanes + i * VEC_WIDTH, acc[i]);
}

/* Eight vectors at a time: enough to hide the loop itself. */
enum { PROBE_STEP = 8 };

static void probe_read(const float *p, size_t n, float *sink) {
    veci acc[PROBE_STEP];
    PROBE_UNROLL
    for (size_t v = 0; v < PROBE_STEP; v++) acc[v] = veci_set(0);
    for (size_t i = 0; i < n; i += PROBE_STEP * VEC_WIDTH) {
        PROBE_UNROLL
        for (size_t v = 0; v < PROBE_STEP; v++) acc[v] = veci_or(acc[v], vec_bits(vec_load(p + i + v * VEC_WIDTH)));
    }
    for (size_t v = 1; v < PROBE_STEP; v++) acc[0] = veci_or(acc[0], acc[v]);
    float lanes[VEC_WIDTH];
    vec_store(lanes, vec_from_bits(acc[0]));
    *sink = lanes[0];
    for (size_t l = 1; l < VEC_WIDTH; l++) *sink += lanes[l];
}

static void probe_write(float *p, size_t n, float value) {
    const vecf a = vec_set(value);
    for (size_t i = 0; i < n; i += PROBE_STEP * VEC_WIDTH) {
        PROBE_UNROLL
        for (size_t v = 0; v < PROBE_STEP; v++) vec_store(p + i + v * VEC_WIDTH, a);
    }
}

static void probe_copy(float *y, const float *x, size_t n) {
    for (size_t i = 0; i < n; i += PROBE_STEP * VEC_WIDTH) {
        vecf a[PROBE_STEP];
        PROBE_UNROLL
        for (size_t v = 0; v < PROBE_STEP; v++) a[v] = vec_load(x + i + v * VEC_WIDTH);
        PROBE_UNROLL
        for (size_t v = 0; v < PROBE_STEP; v++) vec_store(y + i + v * VEC_WIDTH, a[v]);
    }
}

extern const bench_probe_loops VEC_SYMBOL(probe);
const bench_probe_loops VEC_SYMBOL(probe) = {
    PROBE_LEVEL, (size_t)PROBE_CHAINS *VEC_WIDTH, probe_fma, probe_read, probe_write, probe_copy};
