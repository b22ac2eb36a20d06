/* What some CPUs of a level can do beyond it: bits by which kernels of the level are chosen (src/cpu asks for them). */
#ifndef TMC_BASE_FEATURES_H
#define TMC_BASE_FEATURES_H

enum {
    TMC_FEATURE_AVX512_VNNI = 1 << 0, /* of TMC_ISA_AVX512 */
    TMC_FEATURE_AVX_VNNI = 1 << 1,    /* of TMC_ISA_AVX2 */
    TMC_FEATURE_AVX512_VBMI = 1 << 2, /* of TMC_ISA_AVX512 */
    TMC_FEATURE_DOT = 1 << 3,         /* of TMC_ISA_NEON: SDOT */
    TMC_FEATURE_I8MM = 1 << 4         /* of TMC_ISA_NEON: SMMLA; only with TMC_FEATURE_DOT */
};

#endif
