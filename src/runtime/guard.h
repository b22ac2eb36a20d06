/* Every public function that works leaves errno and the floating-point environment as it found them, and computes (also
 * sizes, which may come from float scales) in the default one. */
#ifndef TMC_RUNTIME_GUARD_H
#define TMC_RUNTIME_GUARD_H

#include <errno.h>

#include "base/exec.h"

typedef struct tmc_guard {
    uint64_t fpenv;
    int os_error;
} tmc_guard;

static inline tmc_guard tmc_guard_enter(void) {
    tmc_guard guard = {.os_error = errno};
    guard.fpenv = tmc_fpenv_enter();
    return guard;
}

static inline void tmc_guard_leave(const tmc_guard *guard) {
    tmc_fpenv_restore(guard->fpenv);
    errno = guard->os_error;
}

#endif
