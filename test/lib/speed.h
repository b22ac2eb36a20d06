/* Speed prints of the kernel tests. They never fail a test: machines differ and are shared. */
#ifndef TMC_TEST_SPEED_H
#define TMC_TEST_SPEED_H

/* Seconds of processor time of this process. */
double speed_now(void);

/* GFLOP/s of a loop of independent FMAs on one core with the widest vectors that the library uses; measured once. */
double speed_peak(void);

/* Best GFLOP/s over repeated calls of fn, which does `flops` operations; about 30 ms. */
double speed_measure(void (*fn)(void *context), void *context, double flops);

/* Prints "name  detail  GFLOP/s  percent of the peak". */
void speed_print(const char *name, const char *detail, double gflops);

#endif
