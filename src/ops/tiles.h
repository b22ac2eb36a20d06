/* Cuts three nested loops into tasks of about equal work, the inner ones first. */
#ifndef TMC_OPS_TILES_H
#define TMC_OPS_TILES_H

#include "base/checked.h"

/* Rows, pixels of the output, of a task at least: with fewer, threads divide columns (channels), since weights could
 * not be fetched ahead. Depthwise convolutions follow the products before them, so that data stay with a core. */
#define TMC_TASK_MIN_ROWS 96

typedef struct tmc_tiles {
    size_t count[3]; /* of each loop, outermost first; all >= 1 */
    size_t tile[3];  /* iterations of each loop in one task */
    size_t total;    /* tasks */
} tmc_tiles;

typedef struct tmc_tile {
    size_t first[3], count[3];
} tmc_tile;

/* A task gets at most `target` >= 1 innermost iterations. A loop is cut only where the ones inside it are whole. */
static inline tmc_tiles tmc_tiles_split(size_t outer, size_t middle, size_t inner, size_t target) {
    tmc_tiles t = {{outer, middle, inner}, {1, 1, 1}, 1};
    size_t left = target;
    for (int i = 2; i >= 0; i--) {
        t.tile[i] = tmc_min_size(t.count[i], left);
        /* Whole cache lines for the loop over rows of a transposition. */
        if (i == 1 && t.tile[i] > 16 && t.tile[i] < t.count[i]) t.tile[i] &= ~(size_t)15;
        left = t.tile[i] == t.count[i] ? left / t.tile[i] : 1;
        if (left == 0) left = 1;
        t.total *= tmc_div_up(t.count[i], t.tile[i]);
    }
    return t;
}

static inline tmc_tile tmc_tiles_get(const tmc_tiles *tiles, size_t index) {
    tmc_tile tile;
    for (int i = 2; i >= 0; i--) {
        const size_t along = tmc_div_up(tiles->count[i], tiles->tile[i]);
        tile.first[i] = index % along * tiles->tile[i];
        tile.count[i] = tmc_min_size(tiles->tile[i], tiles->count[i] - tile.first[i]);
        index /= along;
    }
    return tile;
}

#endif
