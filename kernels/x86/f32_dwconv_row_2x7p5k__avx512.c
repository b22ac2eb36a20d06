#include "kernels/vec/vec_avx512.h"

#define ROW_PIXELS 7
#define ROW_KW 5
#define ROW_NAME tmc_f32_dwconv_row_2x7p5k__avx512
#include "kernels/f32_dwconv_row_vec.inl"
