/* Stands in for a libpthreadpool that has no static form, in a program that hands no pool to a session: what the
 * library refers to exists. */
#include <pthreadpool.h>

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
