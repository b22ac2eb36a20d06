#include "ops/plane.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/checked.h"

#define BLOCK 32     /* elements: the strided side of a block stays in the first-level cache */
#define SHORT_RUN 16 /* bytes: below, a call of memcpy costs more than copying by element */
#define FILL_PIECE 4096

/* Elements move as integers whatever their type is: may_alias makes that defined, and no float register can quiet a
 * signalling NaN on the way. */
#define FOR_EACH_WIDTH(X) X(8) X(16) X(32) X(64)

#define X(bits)                                                                                                        \
    typedef uint##bits##_t __attribute__((may_alias)) element##bits;                                                   \
    static void copy_block_##bits(char *dst, const char *src, tmc_move_axis rows, tmc_move_axis cols) {                \
        for (size_t r = 0; r < rows.count; r++, dst += rows.dst, src += rows.src) {                                    \
            char *d = dst;                                                                                             \
            const char *s = src;                                                                                       \
            for (size_t c = 0; c < cols.count; c++, d += cols.dst, s += cols.src)                                      \
                *(element##bits *)(void *)d = *(const element##bits *)(const void *)s;                                 \
        }                                                                                                              \
    }
FOR_EACH_WIDTH(X)
#undef X

static void copy_block(char *dst, const char *src, tmc_move_axis rows, tmc_move_axis cols, size_t element) {
    switch (element) {
#define X(bits)                                                                                                        \
    case bits / 8: copy_block_##bits(dst, src, rows, cols); break;
        FOR_EACH_WIDTH(X)
#undef X
    default: break;
    }
}

static void copy_blocks(char *dst, const char *src, tmc_move_axis rows, tmc_move_axis cols, size_t element) {
    if (cols.count < rows.count) { /* the longer axis inside */
        tmc_move_axis longer = rows;
        rows = cols;
        cols = longer;
    }
    for (size_t r = 0; r < rows.count; r += BLOCK) {
        for (size_t c = 0; c < cols.count; c += BLOCK) {
            tmc_move_axis block_rows = rows, block_cols = cols;
            block_rows.count = tmc_min_size(BLOCK, rows.count - r);
            block_cols.count = tmc_min_size(BLOCK, cols.count - c);
            copy_block(dst + (ptrdiff_t)r * rows.dst + (ptrdiff_t)c * cols.dst,
                       src + (ptrdiff_t)r * rows.src + (ptrdiff_t)c * cols.src, block_rows, block_cols, element);
        }
    }
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HAVE_SHUFFLE 1
#endif
#endif

#if defined(HAVE_SHUFFLE)
/* Four 32-bit elements at any 4-byte boundary; every target's base vector unit (SSE2, NEON) has these moves. */
typedef uint32_t vec4 __attribute__((vector_size(16), aligned(4), may_alias));

static inline vec4 load4(const char *p) { return *(const vec4 *)(const void *)p; }
static inline void store4(char *p, vec4 v) { *(vec4 *)(void *)p = v; }

/* Source rows are columns of the destination: src element (r, c) at r * 4 + c * src, dst at r * dst + c * 4. */
static inline void transpose_4x4(char *dst, const char *src, ptrdiff_t dst_row, ptrdiff_t src_col) {
    vec4 a = load4(src), b = load4(src + src_col), c = load4(src + 2 * src_col), d = load4(src + 3 * src_col);
    vec4 ab_lo = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_hi = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    vec4 cd_lo = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_hi = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    store4(dst, __builtin_shufflevector(ab_lo, cd_lo, 0, 1, 4, 5));
    store4(dst + dst_row, __builtin_shufflevector(ab_lo, cd_lo, 2, 3, 6, 7));
    store4(dst + 2 * dst_row, __builtin_shufflevector(ab_hi, cd_hi, 0, 1, 4, 5));
    store4(dst + 3 * dst_row, __builtin_shufflevector(ab_hi, cd_hi, 2, 3, 6, 7));
}

static void transpose_32(char *dst, const char *src, tmc_move_axis rows, tmc_move_axis cols) {
    const size_t full_rows = rows.count & ~(size_t)3, full_cols = cols.count & ~(size_t)3;
    /* 16 rows at a time: 16 output streams, and every input line is used up while it is in the cache. */
    for (size_t r0 = 0; r0 < full_rows; r0 += 16) {
        const size_t r1 = tmc_min_size(r0 + 16, full_rows);
        for (size_t c = 0; c < full_cols; c += 4) {
            for (size_t r = r0; r < r1; r += 4)
                transpose_4x4(dst + (ptrdiff_t)r * rows.dst + (ptrdiff_t)c * 4,
                              src + (ptrdiff_t)r * 4 + (ptrdiff_t)c * cols.src, rows.dst, cols.src);
        }
    }
    tmc_move_axis left_rows = rows, left_cols = cols;
    left_rows.count -= full_rows;
    left_cols.count -= full_cols;
    if (left_rows.count) copy_blocks(dst + (ptrdiff_t)full_rows * rows.dst, src + full_rows * 4, left_rows, cols, 4);
    rows.count = full_rows;
    if (left_cols.count && full_rows)
        copy_blocks(dst + full_cols * 4, src + (ptrdiff_t)full_cols * cols.src, rows, left_cols, 4);
}

/* Two runs into pairs: a channel shuffle of two groups. */
typedef uint8_t vec16 __attribute__((vector_size(16), aligned(1), may_alias));

#define INTERLEAVE(bits, vec, LOW, HIGH)                                                                               \
    __attribute__((noinline)) static void interleave_##bits(char *dst, const char *a, const char *b, size_t count) {   \
        const size_t size = bits / 8, lanes = 16 / size;                                                               \
        size_t done = 0;                                                                                               \
        while (count >= lanes && done < count) {                                                                       \
            const size_t i = tmc_min_size(done, count - lanes); /* the last one reaches back */                        \
            const vec x = *(const vec *)(const void *)(a + i * size), y = *(const vec *)(const void *)(b + i * size);  \
            *(vec *)(void *)(dst + 2 * i * size) = __builtin_shufflevector(x, y, LOW);                                 \
            *(vec *)(void *)(dst + 2 * i * size + 16) = __builtin_shufflevector(x, y, HIGH);                           \
            done = i + lanes;                                                                                          \
        }                                                                                                              \
        for (; done < count; done++) {                                                                                 \
            memcpy(dst + 2 * done * size, a + done * size, size);                                                      \
            memcpy(dst + 2 * done * size + size, b + done * size, size);                                               \
        }                                                                                                              \
    }
#define LOW_8 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_8 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define LOW_32 0, 4, 1, 5
#define HIGH_32 2, 6, 3, 7
INTERLEAVE(8, vec16, LOW_8, HIGH_8)
INTERLEAVE(32, vec4, LOW_32, HIGH_32)
#endif

static bool try_transpose(char *dst, const char *src, tmc_move_axis rows, tmc_move_axis cols, size_t element) {
#if defined(HAVE_SHUFFLE)
    const ptrdiff_t size = (ptrdiff_t)element;
    if ((size != 1 && size != 4) || rows.src != size || cols.dst != size) return false;
    if (cols.count == 2 && rows.dst == 2 * size) {
        (size == 1 ? interleave_8 : interleave_32)(dst, src, src + cols.src, rows.count);
        return true;
    }
    if (size != 4 || rows.count < 4 || cols.count < 4) return false;
    transpose_32(dst, src, rows, cols);
    return true;
#else
    (void)dst, (void)src, (void)rows, (void)cols, (void)element;
    return false;
#endif
}

/* Repeats the first element of a run by copies of what is there already, each twice as long as the one before. */
static void fill_run(char *dst, const char *src, size_t count, size_t element) {
    size_t bytes = count * element, done = element;
    memcpy(dst, src, element);
    while (done < bytes) {
        size_t n = tmc_min_size(tmc_min_size(done, FILL_PIECE), bytes - done);
        memcpy(dst + done, dst, n);
        done += n;
    }
}

/* Runs of 16 to 64 bytes by pieces that overlap, without a call for each: a concatenation of few int8 channels. */
static void copy_short_runs(char *d, const char *s, tmc_move_axis rows, size_t run) {
    for (size_t r = 0; r < rows.count; r++, d += rows.dst, s += rows.src) {
        if (run > 32) {
            memcpy(d + 16, s + 16, 16);
            memcpy(d + run - 32, s + run - 32, 16);
        }
        memcpy(d, s, 16);
        memcpy(d + run - 16, s + run - 16, 16);
    }
}

void tmc_plane_copy(void *dst, const void *src, tmc_move_axis rows, tmc_move_axis cols, size_t element) {
    char *d = dst;
    const char *s = src;
    const ptrdiff_t dense = (ptrdiff_t)element;
    const size_t run = cols.count * element;
    if (cols.dst == dense && cols.src == dense && run >= SHORT_RUN && run <= 64) {
        copy_short_runs(d, s, rows, run);
    } else if (cols.dst == dense && cols.src == dense && run >= SHORT_RUN) {
        for (size_t r = 0; r < rows.count; r++, d += rows.dst, s += rows.src) memcpy(d, s, run);
    } else if (cols.dst == dense && cols.src == 0 && run >= SHORT_RUN) {
        for (size_t r = 0; r < rows.count; r++, d += rows.dst, s += rows.src) fill_run(d, s, cols.count, element);
    } else if (!try_transpose(d, s, rows, cols, element) && !try_transpose(d, s, cols, rows, element)) {
        copy_blocks(d, s, rows, cols, element);
    }
}

void tmc_plane_interleave(void *dst, const void *a, const void *b, size_t count, size_t element) {
#if defined(HAVE_SHUFFLE)
    if (element == 1 || element == 4) {
        (element == 1 ? interleave_8 : interleave_32)(dst, a, b, count);
        return;
    }
#endif
    const tmc_move_axis one = {1, 0, 0}, run = {count, (ptrdiff_t)element, (ptrdiff_t)(2 * element)};
    tmc_plane_copy(dst, a, one, run, element);
    tmc_plane_copy((char *)dst + element, b, one, run, element);
}
