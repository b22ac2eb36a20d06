/* Sums of products of int8, in lanes of int32: include after kernels/x86/qs8_vec.h with PROBE_CHAINS and PROBE_DOT, the
 * function's name. A dot product of bytes multiplies four pairs per lane, the exact form without one two of int16. */
#include "bench/probe.h"

size_t PROBE_DOT(size_t steps, int32_t *lanes) {
    qvec acc[PROBE_CHAINS], x = QV(set1_epi32)(0x01010101), w = QV(set1_epi32)(0x01000100);
    QS8_UNROLL
    for (size_t i = 0; i < PROBE_CHAINS; i++) acc[i] = q_load((const char *)(lanes + i * VEC_WIDTH));
    for (size_t k = 0; k < steps; k++) {
        __asm__("" : "+v"(x)); /* or the product would be computed once */
        QS8_UNROLL
        for (size_t i = 0; i < PROBE_CHAINS; i++) {
            __asm__("" : "+v"(w));
            acc[i] = q_dot(acc[i], x, w);
        }
    }
    QS8_UNROLL
    for (size_t i = 0; i < PROBE_CHAINS; i++) memcpy(lanes + i * VEC_WIDTH, &acc[i], sizeof acc[i]);
    return PROBE_CHAINS * VEC_WIDTH * (QS8_VNNI ? 4 : 2);
}
