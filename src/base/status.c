#include "tmcnn/tmcnn.h"

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

const char *tmc_status_name(tmc_status status) {
    switch (status) {
#define CASE(code, text)                                                                                               \
    case code: return #code;
        STATUS_LIST(CASE)
#undef CASE
    }
    return "TMC_E_?";
}

const char *tmc_status_text(tmc_status status) {
    switch (status) {
#define CASE(code, text)                                                                                               \
    case code: return text;
        STATUS_LIST(CASE)
#undef CASE
    }
    return "unknown status";
}

uint32_t tmc_version(void) { return TMC_VERSION_MAJOR * 1000000u + TMC_VERSION_MINOR * 1000u + TMC_VERSION_PATCH; }
