/* A verified .tmc file as typed pointers into its bytes: nothing is copied, nothing is allocated.
 *
 * tmc_file_read checks the container: magic, version, size, checksum, section table, alignment, record counts, strings,
 * reserved fields, data ranges. tmc_graph_validate (src/graph/validate.h) then checks what the records mean. After
 * both, every index, offset and shape may be used without another check. */
#ifndef TMC_FORMAT_READER_H
#define TMC_FORMAT_READER_H

#include "base/error.h"
#include "format/checksum.h"
#include "format/layout.h"

typedef struct tmc_file_view {
    const uint8_t *bytes;
    uint64_t size;
    const tmc_file_header *header;
    const tmc_file_graph *graph;
    const char *strings;
    uint64_t strings_size;
    const tmc_file_tensor *tensors;
    uint32_t tensor_count;
    const tmc_file_node *nodes;
    uint32_t node_count;
    const uint32_t *index; /* INDX */
    uint32_t index_count;
    const uint32_t *params; /* PARM */
    uint32_t param_count;
    const tmc_file_metadata *metadata;
    uint32_t metadata_count;
    const tmc_file_quantization *quantization; /* QUAN */
    uint32_t quantization_count;
    const float *scales; /* QSCL */
    uint32_t scale_count;
    const uint8_t *weights;
    uint64_t weights_size;
    const tmc_file_test *tests;
    uint32_t test_count;
} tmc_file_view;

/* The file is the one that `sum` was started on, its bytes aligned to 64. `strict` also refuses unknown optional
 * sections. Linear in `size`, constant stack. Errors: E_TRUNCATED, E_FORMAT, E_VERSION, E_UNSUPPORTED, E_LIMIT,
 * E_RANGE, E_INTEGRITY; err says section and offset.
 */
tmc_status tmc_file_read(tmc_checksum *sum, int strict, tmc_file_view *view, tmc_error *err);

/* A string of a verified file. */
static inline const char *tmc_file_string(const tmc_file_view *view, uint32_t offset) { return view->strings + offset; }

#endif
