#include "runtime/digest.h"

#include <string.h>

/* digest = H(digest, bytes): no allocation, no streaming state. */
static void chain(uint8_t digest[16], const void *bytes, size_t size) {
    uint8_t buffer[16 + 112];
    const size_t n = size < sizeof buffer - 16 ? size : sizeof buffer - 16;
    memcpy(buffer, digest, 16);
    memcpy(buffer + 16, bytes, n);
    tmc_digest(buffer, 16 + n, digest);
}

void tmc_plan_digest(const tmc_plan *plan, uint8_t digest[16]) {
    const uint32_t build[2] = {tmc_version(), (uint32_t)plan->kernels.isa};
    memcpy(digest, plan->view->header->checksum, 16);
    chain(digest, build, sizeof build);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const char *kernel = plan->nodes[i].kernel;
        chain(digest, kernel, strlen(kernel));
    }
}
