/* Getting data into and out of a session. */
#include <string.h>

#include "runtime/session.h"

static bool overlap(const void *a, size_t a_bytes, const void *b, size_t b_bytes) {
    const uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;
    return x < y ? y - x < a_bytes : x - y < b_bytes;
}

static bool overlaps_bound(const tmc_binding *bindings, uint32_t count, const tmc_binding *self, const void *data) {
    for (uint32_t i = 0; i < count; i++)
        if (&bindings[i] != self && bindings[i].bound &&
            overlap(data, self->bytes, bindings[i].bound, bindings[i].bytes))
            return true;
    return false;
}

static tmc_status check_buffer(const tmc_session *s, const tmc_binding *binding, const void *data, size_t bytes,
                               tmc_error *err) {
    const tmc_file_graph *graph = s->plan->view->graph;
    const size_t align = tmc_dtype_size(s->plan->descs[binding->tensor].dtype);
    if (bytes != binding->bytes)
        return tmc_fail_field(err, TMC_E_BUFFER, "bytes", "%zu bytes, the tensor has %zu", bytes, binding->bytes);
    if ((uintptr_t)data % align)
        return tmc_fail_field(err, TMC_E_BUFFER, "data", "the address is not a multiple of the element size %zu",
                              align);
    if ((uintptr_t)data > UINTPTR_MAX - bytes)
        return tmc_fail_field(err, TMC_E_BUFFER, "data", "the buffer passes the end of the address space");
    if (overlap(data, bytes, s, s->block_bytes) || overlaps_bound(s->inputs, graph->input_count, binding, data) ||
        overlaps_bound(s->outputs, graph->output_count, binding, data))
        return tmc_fail_field(err, TMC_E_BUFFER, "data", "the buffer overlaps another bound one, or the session");
    return TMC_OK;
}

static tmc_status bind(tmc_session *s, tmc_binding *binding, void *data, size_t bytes, tmc_error *err) {
    if (data) {
        TMC_TRY(check_buffer(s, binding, data, bytes, err));
    } else if (bytes) {
        return tmc_fail_field(err, TMC_E_ARG, "data", "NULL with %zu bytes", bytes);
    } else if (s->plan->flags & TMC_PLAN_EXTERNAL_IO) {
        return tmc_fail(err, TMC_E_STATE, "the plan keeps inputs and outputs out of the arena: bind a buffer");
    }
    if (binding->bound == data) return TMC_OK;
    binding->bound = data;
    tmc_session_resolve(s);
    return TMC_OK;
}

/* The binding that a call is about: the session is free, the index exists. On success the session is taken. */
static tmc_status enter(const tmc_session *s, bool input, uint32_t index, tmc_binding **binding, tmc_error *err) {
    if (!s) return tmc_fail(err, TMC_E_ARG, "session is NULL");
    const tmc_file_graph *graph = s->plan->view->graph;
    const uint32_t count = input ? graph->input_count : graph->output_count;
    if (index >= count)
        return tmc_fail_field(err, TMC_E_ARG, "index", "%s %u, the model has %u", input ? "input" : "output", index,
                              count);
    *binding = input ? &s->inputs[index] : &s->outputs[index];
    return tmc_session_enter(s, err);
}

/* Names the tensor in an error made while the session was taken, and gives the session back. */
static void leave(const tmc_session *s, const tmc_binding *binding, tmc_error *err) {
    if (err->status != TMC_OK) tmc_error_at_tensor(err, (int32_t)binding->tensor);
    tmc_session_leave(s);
}

tmc_status tmc_session_bind_input(tmc_session *session, uint32_t index, const void *data, size_t bytes,
                                  tmc_error *err) {
    tmc_error e = {0};
    tmc_binding *binding;
    if (enter(session, true, index, &binding, &e) == TMC_OK) {
        bind(session, binding, (void *)data, bytes, &e);
        leave(session, binding, &e);
    }
    return tmc_error_export(&e, err);
}

tmc_status tmc_session_bind_output(tmc_session *session, uint32_t index, void *data, size_t bytes, tmc_error *err) {
    tmc_error e = {0};
    tmc_binding *binding;
    if (enter(session, false, index, &binding, &e) == TMC_OK) {
        /* What an earlier run left in the arena is no longer this output's latest value. */
        if (bind(session, binding, data, bytes, &e) == TMC_OK && data) binding->ready = false;
        leave(session, binding, &e);
    }
    return tmc_error_export(&e, err);
}

static tmc_status check_copy(const tmc_session *s, const tmc_binding *binding, const void *data, size_t bytes,
                             tmc_error *err) {
    if (!data) return tmc_fail_field(err, TMC_E_ARG, "data", "data is NULL");
    if (bytes != binding->bytes)
        return tmc_fail_field(err, TMC_E_BUFFER, "bytes", "%zu bytes, the tensor has %zu", bytes, binding->bytes);
    if (binding->bound || (s->plan->flags & TMC_PLAN_EXTERNAL_IO))
        return tmc_fail(err, TMC_E_STATE, "the tensor is in the caller's buffer, not in the arena");
    return TMC_OK;
}

tmc_status tmc_session_write_input(tmc_session *session, uint32_t index, const void *data, size_t bytes,
                                   tmc_error *err) {
    tmc_error e = {0};
    tmc_binding *binding;
    if (enter(session, true, index, &binding, &e) == TMC_OK) {
        if (check_copy(session, binding, data, bytes, &e) == TMC_OK) {
            memcpy(tmc_session_address(session, binding), data, bytes);
            binding->ready = true;
        }
        leave(session, binding, &e);
    }
    return tmc_error_export(&e, err);
}

tmc_status tmc_session_read_output(const tmc_session *session, uint32_t index, void *data, size_t bytes,
                                   tmc_error *err) {
    tmc_error e = {0};
    tmc_binding *binding;
    if (enter(session, false, index, &binding, &e) == TMC_OK) {
        if (check_copy(session, binding, data, bytes, &e) == TMC_OK) {
            if (binding->ready)
                memcpy(data, tmc_session_address(session, binding), bytes);
            else
                tmc_fail(&e, TMC_E_STATE, "no successful run has written this output");
        }
        leave(session, binding, &e);
    }
    return tmc_error_export(&e, err);
}
