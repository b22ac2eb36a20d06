#include "arena/arena.h"

#include <string.h>

#include "base/checked.h"

/* A placed item, copied so that the scan for a gap reads memory in order. */
typedef struct {
    uint64_t begin, end;
    uint32_t first, last;
} span;

typedef struct {
    tmc_arena_item *items;
    uint32_t count;
    uint32_t *order, *order_last;
    uint64_t *offsets; /* of the better layout so far */
    span *spans;
} layout;

static uint64_t room(const tmc_arena_item *item) {
    return (item->bytes + TMC_ARENA_ALIGN - 1) & ~(uint64_t)(TMC_ARENA_ALIGN - 1);
}

uint64_t tmc_arena_work_bytes(uint32_t count) {
    return (uint64_t)count * (sizeof(uint64_t) + sizeof(span) + 2 * sizeof(uint32_t));
}

static layout layout_of(const tmc_arena_item *items, uint32_t count, void *work) {
    layout l = {.items = (tmc_arena_item *)items, .count = count, .offsets = work};
    l.spans = (span *)(l.offsets + count);
    l.order = (uint32_t *)(l.spans + count);
    l.order_last = l.order + count;
    return l;
}

typedef bool (*before_fn)(const tmc_arena_item *items, uint32_t a, uint32_t b);

static uint32_t life(const tmc_arena_item *item) { return item->last - item->first; }

/* Of equal ones the longer life first: the end of the block is then free for what is small and short. */
static bool larger_before(const tmc_arena_item *items, uint32_t a, uint32_t b) {
    if (items[a].bytes != items[b].bytes) return items[a].bytes > items[b].bytes;
    if (life(&items[a]) != life(&items[b])) return life(&items[a]) > life(&items[b]);
    if (items[a].first != items[b].first) return items[a].first < items[b].first;
    return a < b;
}

static bool earlier_before(const tmc_arena_item *items, uint32_t a, uint32_t b) {
    if (items[a].first != items[b].first) return items[a].first < items[b].first;
    return larger_before(items, a, b);
}

/* Bytes times steps. */
static uint64_t area(const tmc_arena_item *item) {
    uint64_t product;
    return tmc_mul_u64(item->bytes, (uint64_t)life(item) + 1, &product) ? product : UINT64_MAX;
}

static bool wider_before(const tmc_arena_item *items, uint32_t a, uint32_t b) {
    const uint64_t area_a = area(&items[a]), area_b = area(&items[b]);
    return area_a != area_b ? area_a > area_b : larger_before(items, a, b);
}

static bool sooner_dead_before(const tmc_arena_item *items, uint32_t a, uint32_t b) {
    return items[a].last != items[b].last ? items[a].last < items[b].last : a < b;
}

static void sift_down(uint32_t *heap, uint32_t n, uint32_t root, const tmc_arena_item *items, before_fn before) {
    uint32_t value = heap[root];
    for (;;) {
        uint32_t child = 2 * root + 1;
        if (child >= n) break;
        if (child + 1 < n && before(items, heap[child], heap[child + 1])) child++;
        if (!before(items, value, heap[child])) break;
        heap[root] = heap[child];
        root = child;
    }
    heap[root] = value;
}

/* Heap sort: qsort may call malloc behind the caller's allocator, and quicksort has bad cases. */
static void sort(uint32_t *order, const tmc_arena_item *items, uint32_t count, before_fn before) {
    for (uint32_t i = 0; i < count; i++) order[i] = i;
    for (uint32_t i = count / 2; i-- > 0;) sift_down(order, count, i, items, before);
    for (uint32_t n = count; n > 1;) {
        uint32_t top = order[0];
        order[0] = order[--n];
        order[n] = top;
        sift_down(order, n, 0, items, before);
    }
}

/* The smallest gap below or between the spans (ordered by begin) that meet the item's steps, or the end of the last.
 * *position: where a span that begins there has to be inserted. */
static uint64_t best_fit(const span *spans, uint32_t n, const tmc_arena_item *item, uint32_t *position) {
    uint64_t need = room(item), free_from = 0, best = UINT64_MAX, best_gap = UINT64_MAX;
    for (uint32_t i = 0; i < n; i++) {
        const span *s = &spans[i];
        if (s->last < item->first || item->last < s->first) continue;
        if (s->begin > free_from && s->begin - free_from >= need && s->begin - free_from < best_gap) {
            best_gap = s->begin - free_from;
            best = free_from;
        }
        if (s->end > free_from) free_from = s->end;
    }
    if (best == UINT64_MAX) best = free_from;
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (spans[mid].begin <= best)
            low = mid + 1;
        else
            high = mid;
    }
    *position = low;
    return best;
}

static uint32_t drop_ended(span *spans, uint32_t n, uint32_t step) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (spans[i].last >= step) spans[kept++] = spans[i];
    return kept;
}

/* Places the items in `order`; `by_time` says that this order is one of ascending first steps, so that spans which
 * have ended need not be looked at again. */
static uint64_t place_in_order(layout *l, bool by_time) {
    uint64_t total = 0;
    uint32_t n = 0, step = 0;
    for (uint32_t i = 0; i < l->count; i++) {
        tmc_arena_item *item = &l->items[l->order[i]];
        uint32_t position;
        if (by_time && item->first != step) {
            step = item->first;
            n = drop_ended(l->spans, n, step);
        }
        item->offset = best_fit(l->spans, n, item, &position);
        span placed = {item->offset, item->offset + room(item), item->first, item->last};
        if (placed.end > total) total = placed.end;
        if (placed.end == placed.begin) continue;
        memmove(l->spans + position + 1, l->spans + position, (n - position) * sizeof *l->spans);
        l->spans[position] = placed;
        n++;
    }
    return total;
}

/* Size classes of a pool: four to an octave, so that rounding up wastes at most a fifth. */
enum { CLASS_COUNT = 64 * 4 };

static uint32_t class_of(uint64_t units, uint64_t *class_units) {
    uint32_t octave = 0;
    while (units >> (octave + 1)) octave++;
    if (octave < 2) {
        *class_units = units;
        return (uint32_t)units;
    }
    uint64_t quarter = (uint64_t)1 << (octave - 2);
    uint64_t quarters = (units + quarter - 1) / quarter; /* 4..8 */
    *class_units = quarters * quarter;
    return octave * 4 + (uint32_t)(quarters - 4);
}

/* For very many items: a dead item's place goes onto the stack of its size class, a new item takes the top of its own
 * class or extends the block. order_last ends the items in time; the stacks are chained through `offsets`. */
static uint64_t place_in_pools(layout *l) {
    uint64_t stacks[CLASS_COUNT], total = 0, units;
    uint32_t ended = 0;
    memset(stacks, 0xff, sizeof stacks);
    for (uint32_t i = 0; i < l->count; i++) {
        tmc_arena_item *item = &l->items[l->order[i]];
        for (; ended < l->count && l->items[l->order_last[ended]].last < item->first; ended++) {
            uint32_t dead = l->order_last[ended];
            uint32_t c = class_of(room(&l->items[dead]) / TMC_ARENA_ALIGN, &units);
            l->offsets[dead] = stacks[c];
            stacks[c] = dead;
        }
        uint32_t c = class_of(room(item) / TMC_ARENA_ALIGN, &units);
        if (stacks[c] != UINT64_MAX) {
            item->offset = l->items[stacks[c]].offset;
            stacks[c] = l->offsets[stacks[c]];
        } else {
            item->offset = total;
            total += units * TMC_ARENA_ALIGN;
        }
    }
    return total;
}

bool tmc_arena_plan(tmc_arena_item *items, uint32_t count, void *work, uint64_t *total) {
    layout l = layout_of(items, count, work);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        /* Twice the sum bounds every layout and class rounding below: after this nothing can wrap. */
        if (items[i].bytes > UINT64_MAX / 4 || !tmc_add_u64(sum, room(&items[i]), &sum) || sum > UINT64_MAX / 4)
            return false;
    }
    if (count > TMC_ARENA_EXACT_ITEMS) {
        sort(l.order, items, count, earlier_before);
        sort(l.order_last, items, count, sooner_dead_before);
        *total = place_in_pools(&l);
        return true;
    }
    static const before_fn orders[] = {larger_before, earlier_before, wider_before};
    const uint64_t bound = tmc_arena_live(items, count, work);
    *total = UINT64_MAX;
    for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
        if (*total <= bound) break;
        sort(l.order, items, count, orders[k]);
        const uint64_t bytes = place_in_order(&l, orders[k] == earlier_before);
        if (bytes >= *total) continue;
        *total = bytes;
        for (uint32_t i = 0; i < count; i++) l.offsets[i] = items[i].offset;
    }
    for (uint32_t i = 0; i < count; i++) items[i].offset = l.offsets[i];
    return true;
}

uint64_t tmc_arena_live(const tmc_arena_item *items, uint32_t count, void *work) {
    layout l = layout_of(items, count, work);
    uint64_t live = 0, most = 0;
    uint32_t ended = 0;
    sort(l.order, items, count, earlier_before);
    sort(l.order_last, items, count, sooner_dead_before);
    for (uint32_t i = 0; i < count; i++) {
        const tmc_arena_item *item = &items[l.order[i]];
        while (items[l.order_last[ended]].last < item->first) live -= room(&items[l.order_last[ended++]]);
        live += room(item);
        if (live > most) most = live;
    }
    return most;
}
