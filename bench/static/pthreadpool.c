/* Stands in for a libpthreadpool that has no static form, in a program that hands no pool to a session: what the
 * library refers to exists, and no pool can be made. */
#include <pthreadpool.h>

pthreadpool_t pthreadpool_create(size_t threads_count) {
    (void)threads_count;
    return NULL;
}

size_t pthreadpool_get_threads_count(pthreadpool_t threadpool) {
    (void)threadpool;
    return 1;
}

void pthreadpool_parallelize_1d(pthreadpool_t threadpool, pthreadpool_task_1d_t function, void *context, size_t range,
                                uint32_t flags) {
    (void)threadpool;
    (void)flags;
    for (size_t i = 0; i < range; i++) function(context, i);
}

void pthreadpool_destroy(pthreadpool_t threadpool) { (void)threadpool; }
