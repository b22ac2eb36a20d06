/* VEC_SYMBOL(f32_unary_exp) is tmc_f32_unary_exp__<VEC_ISA>: the name grammar of kernels, for sources (*.inl) that are
 * compiled once per instruction set. */
#ifndef TMC_KERNELS_VEC_SYMBOL_H
#define TMC_KERNELS_VEC_SYMBOL_H

#define VEC_SYMBOL_JOIN(name, isa) tmc_##name##__##isa
#define VEC_SYMBOL_EXPAND(name, isa) VEC_SYMBOL_JOIN(name, isa)
#define VEC_SYMBOL(name) VEC_SYMBOL_EXPAND(name, VEC_ISA)

#endif
