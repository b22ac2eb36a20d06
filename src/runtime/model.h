/* An open model: a verified file and where its bytes come from. */
#ifndef TMC_RUNTIME_MODEL_H
#define TMC_RUNTIME_MODEL_H

#include "format/reader.h"
#include "graph/tensor.h"

/* One block from the allocator: this struct, then at the next multiple of 64 the file's bytes where they were read or
 * copied. Mapped and borrowed bytes stay where they are. Immutable but for the references. */
struct tmc_model {
    int32_t references;
    size_t block_bytes;
    tmc_allocator allocator;
    tmc_log_fn log;
    void *log_user;
    void *mapping; /* or NULL */
    size_t mapping_bytes;
    tmc_file_view view;
};

/* Sends one line to the model's log, if it has one. */
void tmc_model_log(const tmc_model *model, tmc_log_level level, const char *line);

/* Facts of tensor `tensor` with the shape and type of `desc`; everything but struct_size. */
void tmc_model_describe(const tmc_file_view *view, uint32_t tensor, const tmc_tensor_desc *desc, tmc_tensor_info *info);

#endif
