/* Sleeping on a word: one thread sleeps while the word is 1, another sets it back to 0. Linux sleeps in a futex, so
 * that the one that wakes never waits for the one it wakes; other systems have one lock and one condition for all
 * words. */
#ifndef TMC_BASE_PARK_H
#define TMC_BASE_PARK_H

#include <stdbool.h>
#include <stdint.h>

#if !defined(TMC_FUTEX)
#if defined(__linux__)
#define TMC_FUTEX 1
#else
#define TMC_FUTEX 0
#endif
#endif

#if !TMC_FUTEX
#include <pthread.h>
#endif

typedef struct tmc_parking {
#if TMC_FUTEX
    uint8_t none;
#else
    pthread_mutex_t lock;
    pthread_cond_t changed;
#endif
} tmc_parking;

bool tmc_parking_start(tmc_parking *parking);
void tmc_parking_stop(tmc_parking *parking);

/* Returns when *word is not 1; at once if it is not now. */
void tmc_park(tmc_parking *parking, uint32_t *word);

/* Sets *word to 0 and ends the sleep of the one that sleeps on it. */
void tmc_unpark(tmc_parking *parking, uint32_t *word);

#endif
