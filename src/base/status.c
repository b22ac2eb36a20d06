#include "base/format.h"
#include "tmcnn/tmcnn.h"

/* In the order of their codes. */
#define STATUS_LIST(X)                                                                                                 \
    X(TMC_OK, "success")                                                                                               \
    X(TMC_E_ARG, "invalid argument")                                                                                   \
    X(TMC_E_STATE, "not allowed in this state")                                                                        \
    X(TMC_E_NOMEM, "out of memory")                                                                                    \
    X(TMC_E_IO, "the operating system could not read or write")                                                        \
    X(TMC_E_TRUNCATED, "the data end too early")                                                                       \
    X(TMC_E_FORMAT, "not a well-formed file")                                                                          \
    X(TMC_E_VERSION, "a newer version of the library is needed")                                                       \
    X(TMC_E_UNSUPPORTED, "not supported")                                                                              \
    X(TMC_E_LIMIT, "over a limit")                                                                                     \
    X(TMC_E_RANGE, "value out of range")                                                                               \
    X(TMC_E_SHAPE, "shapes do not fit")                                                                                \
    X(TMC_E_DTYPE, "element type not allowed")                                                                         \
    X(TMC_E_QUANT, "invalid quantisation parameters")                                                                  \
    X(TMC_E_GRAPH, "invalid graph")                                                                                    \
    X(TMC_E_BUFFER, "unsuitable buffer")                                                                               \
    X(TMC_E_INTEGRITY, "checksum mismatch: the file is damaged")                                                       \
    X(TMC_E_AUTH, "not authentic or not allowed")                                                                      \
    X(TMC_E_NONFINITE, "NaN or infinity in the data")                                                                  \
    X(TMC_E_CANCELLED, "cancelled")                                                                                    \
    X(TMC_E_TIMEOUT, "deadline passed")                                                                                \
    X(TMC_E_BACKEND, "a delegate or device failed")                                                                    \
    X(TMC_E_BUSY, "in use by another call")                                                                            \
    X(TMC_E_INTERNAL, "internal error: please report it")

#define POSITION(code, text) POSITION_OF_##code,
enum { STATUS_LIST(POSITION) };
#undef POSITION
#define CHECK(code, text) _Static_assert((int)POSITION_OF_##code == (int)code, "the list has the order of the codes");
STATUS_LIST(CHECK)
#undef CHECK

#define NAME(code, text) #code "\0"
#define TEXT(code, text) text "\0"
const char *tmc_status_name(tmc_status status) { return tmc_text_at(STATUS_LIST(NAME), (uint32_t)status, "TMC_E_?"); }

const char *tmc_status_text(tmc_status status) {
    return tmc_text_at(STATUS_LIST(TEXT), (uint32_t)status, "unknown status");
}
#undef NAME
#undef TEXT

uint32_t tmc_version(void) { return TMC_VERSION_MAJOR * 1000000u + TMC_VERSION_MINOR * 1000u + TMC_VERSION_PATCH; }
