/* Checks operators that move elements against a reference that computes, for every output element, the index of the
 * input element it comes from. Each case runs with guard pages on both sides, with rows apart, and with one and two
 * threads. */
#ifndef TMC_TEST_MOVEMENT_H
#define TMC_TEST_MOVEMENT_H

#include "graph/op.h"
#include "lib/op_runner.h"
#include "lib/random.h"

#define MOVEMENT_CONSTANT SIZE_MAX

enum { MOVEMENT_TYPES = 7 };
extern const tmc_dtype movement_types[MOVEMENT_TYPES];
extern random_state movement_rng;

/* Starts the random numbers again: for cmocka_unit_test_setup. */
int movement_setup(void **state);

/* Any bits, signalling NaNs too; to be freed. */
uint8_t *movement_bytes(size_t bytes);
tmc_tensor_desc movement_desc(tmc_dtype dtype, int32_t rank, int32_t largest);
tmc_dtype movement_type(void);
/* Largest dim that keeps a random tensor of this rank small. */
int32_t movement_largest_dim(int32_t rank);

/* The slice that is the whole input. */
tmc_slice_params movement_whole_slice(void);

/* The index of an element and its place. */
size_t movement_flat(const tmc_tensor_desc *desc, const int32_t *at);
void movement_unflat(const tmc_tensor_desc *desc, size_t index, int32_t *at);

/* Index in input `*from` of the element that output `output` has at `at`, or MOVEMENT_CONSTANT. */
typedef size_t (*movement_source)(const op_call *call, const op_result *result, uint32_t output, const int32_t *at,
                                  uint32_t *from);

void movement_check(op_call *call, movement_source source);
/* `constant`: the bytes where the source is MOVEMENT_CONSTANT. */
void movement_check_constant(op_call *call, movement_source source, const void *constant);
/* One input of random content. */
void movement_check_unary(uint16_t op, const void *params, tmc_tensor_desc desc, movement_source source);

#endif
