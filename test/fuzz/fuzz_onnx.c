/* libFuzzer: any bytes as an ONNX model, through the importer. Run by `make fuzz-onnx`; FUZZ_CORPUS names a folder of
 * models to start from, without which it rarely gets past the wire format. */
#include <stdlib.h>
#include <string.h>

#include "convert/onnx/onnx_import.h"
#include "fuzz_graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *bytes = malloc(size ? size : 1); /* a block of its own: a read past it is seen */
    ir_graph *graph = NULL;
    tmc_error err;
    tmc_error_init(&err);
    if (!bytes) abort();
    if (size) memcpy(bytes, data, size);
    const tmc_status status = onnx_import_memory(bytes, size, NULL, NULL, &graph, &err);
    free(bytes); /* the graph has copies */
    fuzz_check(status, graph, &err);
    return 0;
}
