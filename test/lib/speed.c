#define _POSIX_C_SOURCE 200809L
#include "lib/speed.h"

#include <stdio.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define PEAK_CHAINS 12

double speed_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Twelve independent chains hide the latency of every FMA unit in use. The empty asm keeps each chain alive. */
#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static double fma_loop(long n) {
    __m256 acc[PEAK_CHAINS], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(0.001f);
    for (int i = 0; i < PEAK_CHAINS; i++) acc[i] = _mm256_set1_ps((float)i);
    for (long k = 0; k < n; k++) {
#if !defined(__clang__)
#pragma GCC unroll 12
#endif
        for (int i = 0; i < PEAK_CHAINS; i++) acc[i] = _mm256_fmadd_ps(acc[i], x, y);
    }
    for (int i = 0; i < PEAK_CHAINS; i++) __asm__ volatile("" : : "x"(acc[i]));
    return (double)n * PEAK_CHAINS * 16;
}
static int fma_available(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#elif defined(__aarch64__)
static double fma_loop(long n) {
    float32x4_t acc[PEAK_CHAINS], x = vdupq_n_f32(0.999f), y = vdupq_n_f32(0.001f);
    for (int i = 0; i < PEAK_CHAINS; i++) acc[i] = vdupq_n_f32((float)i);
    for (long k = 0; k < n; k++) {
#if !defined(__clang__)
#pragma GCC unroll 12
#endif
        for (int i = 0; i < PEAK_CHAINS; i++) acc[i] = vfmaq_f32(y, acc[i], x);
    }
    for (int i = 0; i < PEAK_CHAINS; i++) __asm__ volatile("" : : "w"(acc[i]));
    return (double)n * PEAK_CHAINS * 8;
}
static int fma_available(void) { return 1; }
#else
static double fma_loop(long n) { return (double)n; }
static int fma_available(void) { return 0; }
#endif

double speed_peak(void) {
    static double peak;
    if (peak > 0) return peak;
    peak = 1e-9; /* where no FMA is available */
    for (int i = 0; i < 8 && fma_available(); i++) {
        double start = speed_now();
        double flops = fma_loop(200000);
        double rate = flops / (speed_now() - start) * 1e-9;
        if (rate > peak) peak = rate;
    }
    return peak;
}

double speed_measure(void (*fn)(void *context), void *context, double flops) {
    double best = 0, total = 0;
    long calls = 1;
    while (total < 0.03) {
        double start = speed_now();
        for (long i = 0; i < calls; i++) fn(context);
        double time = speed_now() - start;
        total += time;
        if (time < 2e-4) {
            calls *= 2;
            continue;
        }
        double rate = flops * (double)calls / time * 1e-9;
        if (rate > best) best = rate;
    }
    return best;
}

void speed_print(const char *name, const char *detail, double gflops) {
    printf("    %-34s %-30s %7.1f GFLOP/s %3.0f %%\n", name, detail, gflops, 100 * gflops / speed_peak());
}
