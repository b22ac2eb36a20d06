#include "base/abi.h"

#include <string.h>

#include "base/checked.h"

tmc_status tmc_options_read(void *to, size_t size, const void *from, tmc_error *err) {
    if (!from) return TMC_OK;
    size_t given;
    memcpy(&given, from, sizeof given);
    if (given < TMC_STRUCT_MIN || given > TMC_STRUCT_MAX)
        return tmc_fail_field(err, TMC_E_ARG, "struct_size",
                              "options with struct_size %zu: fill them with their _init function first", given);
    for (size_t i = size; i < given; i++)
        if (((const unsigned char *)from)[i])
            return tmc_fail_field(err, TMC_E_VERSION, "struct_size",
                                  "options use a field at byte %zu that this library does not know", i);
    memcpy(to, from, tmc_min_size(given, size));
    memcpy(to, &size, sizeof size);
    return TMC_OK;
}

tmc_status tmc_struct_write(void *to, const void *from, size_t size) {
    size_t room;
    if (!to) return TMC_E_ARG;
    memcpy(&room, to, sizeof room);
    if (room < TMC_STRUCT_MIN || room > TMC_STRUCT_MAX) return TMC_E_ARG;
    memcpy(to, from, tmc_min_size(room, size));
    memcpy(to, &room, sizeof room);
    return TMC_OK;
}
