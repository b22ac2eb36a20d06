/* An allocator that counts, checks what it gets back, and fails on request. Usable from several threads. */
#ifndef TMC_TEST_COUNTING_ALLOC_H
#define TMC_TEST_COUNTING_ALLOC_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "tmcnn/tmcnn.h"

typedef struct counting_alloc {
    tmc_allocator allocator; /* hand this in */
    pthread_mutex_t lock;
    size_t calls;      /* of alloc, failed ones included */
    size_t live_bytes; /* asked for and not given back */
    size_t live_blocks;
    size_t peak_bytes;
    size_t fail_at;  /* the call that fails, counted from 1; 0: none */
    bool fail_on;    /* also every call after it */
    size_t misalign; /* added to every address */
} counting_alloc;

/* A free of a wrong size or an overwritten end stops the program with a message. */
void counting_alloc_init(counting_alloc *c);

#endif
