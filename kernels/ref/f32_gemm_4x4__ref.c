#include "kernels/f32_conv_ref.h"

void tmc_f32_gemm_4x4__ref(const tmc_f32_gemm_args *args) { tmc_f32_gemm__ref(args, 4); }
