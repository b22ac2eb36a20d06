#include "kernels/f32_conv_ref.h"

void tmc_f32_dwconv_row_2x4p5k__ref(const tmc_f32_dwconv_row_args *args) { tmc_f32_dwconv_row__ref(args, 5); }
