/* Memory for the tools: these functions never return NULL. When memory runs out they write one line to standard error
 * and end the process with exit status TMC_EXIT_NOMEM, because a converter can do nothing useful with half a graph.
 * Only tools may use them; the library reports TMC_E_NOMEM instead. Every result is released with free(). */
#ifndef TMC_CONVERT_MEMORY_H
#define TMC_CONVERT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define TMC_EXIT_NOMEM 3

/* A zeroed block; `size` 0 gives one byte. */
void *x_alloc(size_t size);
void *x_alloc_array(size_t count, size_t size); /* zeroed; the product is checked */
void *x_realloc(void *ptr, size_t size);        /* what is new is not cleared */
/* Makes room for `count` elements of `size` bytes; grows *capacity (elements) at least by half. */
void *x_grow(void *ptr, uint32_t *capacity, uint32_t count, size_t size);
char *x_strdup(const char *text);
void *x_memdup(const void *data, size_t size);

#endif
