#include "kernels/vec/vec_avx512.h"

#define ROW_PIXELS 7
#define ROW_KW 3
#define ROW_NAME tmc_f32_dwconv_row_2x7p3k__avx512
#include "kernels/f32_dwconv_row_vec.inl"
