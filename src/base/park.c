#define _GNU_SOURCE /* syscall */
#include "base/park.h"

#if TMC_THREADS && TMC_FUTEX

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#if !defined(SYS_futex) /* 32-bit systems that never had a 32-bit time */
#define SYS_futex SYS_futex_time64
#endif

bool tmc_parking_start(tmc_parking *parking) {
    parking->none = 0;
    return true;
}

void tmc_parking_stop(tmc_parking *parking) { (void)parking; }

void tmc_park(tmc_parking *parking, uint32_t *word) {
    (void)parking;
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 1) syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
}

void tmc_unpark(tmc_parking *parking, uint32_t *word) {
    (void)parking;
    if (__atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST) == 1) syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1);
}

#elif TMC_THREADS

bool tmc_parking_start(tmc_parking *parking) {
    if (pthread_mutex_init(&parking->lock, NULL)) return false;
    if (!pthread_cond_init(&parking->changed, NULL)) return true;
    pthread_mutex_destroy(&parking->lock);
    return false;
}

void tmc_parking_stop(tmc_parking *parking) {
    pthread_cond_destroy(&parking->changed);
    pthread_mutex_destroy(&parking->lock);
}

void tmc_park(tmc_parking *parking, uint32_t *word) {
    pthread_mutex_lock(&parking->lock);
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 1) pthread_cond_wait(&parking->changed, &parking->lock);
    pthread_mutex_unlock(&parking->lock);
}

void tmc_unpark(tmc_parking *parking, uint32_t *word) {
    pthread_mutex_lock(&parking->lock);
    __atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&parking->changed);
    pthread_mutex_unlock(&parking->lock);
}

#endif
