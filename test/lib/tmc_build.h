/* Makes .tmc bytes of small graphs straight from format/layout.h, independent of the converter's writer.
 *
 * A build collects records; build_bytes lays them out as docs/format.md says. Nothing is checked, so that wrong files
 * can be made too; build_seal repairs the checksum after bytes were changed by hand. Running out of memory aborts. */
#ifndef TMC_TEST_TMC_BUILD_H
#define TMC_TEST_TMC_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "format/layout.h"
#include "graph/op.h"
#include "graph/tensor.h"
#include "tmcnn/tmcnn.h"

typedef struct build build;

build *build_new(const char *graph_name);
void build_free(build *b);

/* Each returns the index of the new tensor. Names are copied; "" is allowed. A constant without data gets a fixed
 * pattern of small numbers (f32) or zeros. */
uint32_t build_input(build *b, const char *name, uint8_t dtype, int32_t rank, const int32_t *dims);
uint32_t build_activation(build *b, const char *name, uint8_t dtype, int32_t rank, const int32_t *dims);
uint32_t build_constant(build *b, const char *name, uint8_t dtype, int32_t rank, const int32_t *dims, const void *data);
/* f32 weights [N, ...] of `groups` groups in TMC_PACK_F32_PANELS, one product each: conv and fully_connected. */
uint32_t build_panels(build *b, const char *name, int32_t rank, const int32_t *dims, int32_t groups, const float *w,
                      const float *bias);

/* Gives the tensor that was added last a scale and a zero point. */
void build_quantization(build *b, float scale, int32_t zero_point);
/* i8 weights of a node, packed as the operator reads them, with scales 0.01 + channel / 1000. `x`, `y`: the scale and
 * zero point of its input and output. A fixed pattern of weights and biases. */
uint32_t build_i8_weights(build *b, const char *name, uint16_t op, const void *params, int32_t rank,
                          const int32_t *dims, const tmc_quantization *x, const tmc_quantization *y);

/* f32 weights of dims [N,3,3,C], here as [N,C,3,3], in TMC_PACK_F32_WINOGRAD_4X4. */
uint32_t build_winograd(build *b, const char *name, const int32_t dims[4], const float *w, const float *bias);

/* `params` is the operator's parameter struct. TMC_FILE_NONE in `inputs`: an absent one. Returns the node's index. */
uint32_t build_node(build *b, const char *name, uint16_t op, const void *params, const uint32_t *inputs,
                    uint16_t input_count, const uint32_t *outputs, uint16_t output_count);
void build_output(build *b, uint32_t tensor);
void build_metadata(build *b, const char *key, const char *value);
void build_test(build *b, uint32_t seed, uint32_t output, const uint8_t digest[16]);
/* An extra section after the known ones. */
void build_section(build *b, uint32_t id, uint32_t flags, const void *data, uint32_t size);

/* The file, sealed, in a block of exactly *size bytes aligned to 64; free() it. `b` can be used on. */
uint8_t *build_bytes(const build *b, size_t *size);

/* A block like that, not cleared. */
uint8_t *build_block(size_t size);
/* Writes the checksum that belongs to the bytes. Nothing if they are too few for a header. */
void build_seal(uint8_t *bytes, size_t size);
/* Entry of the section table of a well-formed file, or NULL. */
tmc_file_section *build_find_section(uint8_t *bytes, uint32_t id);

#endif
