/* tmcnn.h - run compact medical-imaging networks on small devices.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * The life of a diagnosis has three objects:
 *
 *     tmc_model    a verified .tmc file; immutable; shared by any number of threads
 *     tmc_plan     a model at chosen input shapes, instruction set and thread count: which kernel runs
 *                  each node and where each tensor lies; immutable; states the exact bytes beforehand
 *     tmc_session  one arena and one caller; runs a plan; allocates nothing after its creation
 *
 * Rules that hold for every function of this header:
 *   - Result: a tmc_status; TMC_OK is 0. A function that returns something else says so.
 *   - Failure: out-parameters are set to NULL (handles) or left untouched (structs); the objects handed in stay
 *     usable and give the same bits as before.
 *   - Detail: `err` may be NULL; otherwise it is filled on failure and left untouched on success.
 *   - Ownership: what a function creates, its release function frees. A release takes the handle's address, sets it
 *     to NULL and accepts NULL. Models and plans are reference-counted: a plan keeps its model, a session its plan,
 *     so handles may be released in any order.
 *   - Threads: model and plan handles may be used by several threads at once. A session serves one thread at a time;
 *     a second caller gets TMC_E_BUSY, never a data race on the tensors.
 *   - Process: no global state, no output, no abort. The floating-point environment is the same after a call.
 *   - Structs that may grow start with `struct_size`; fill them with their defaults function first. A library that is
 *     newer than the caller reads only the fields the caller has; one that is older refuses unknown non-zero fields.
 *   - Sizes are in bytes unless a name says otherwise, times in nanoseconds, shapes in elements, outermost first.
 */
#ifndef TMCNN_TMCNN_H
#define TMCNN_TMCNN_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define TMC_API
#elif defined(__GNUC__)
#define TMC_API __attribute__((visibility("default")))
#else
#define TMC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define TMC_VERSION_MAJOR 0
#define TMC_VERSION_MINOR 1
#define TMC_VERSION_PATCH 0

/* Version of the library that runs, as MAJOR * 1000000 + MINOR * 1000 + PATCH. Any thread. Since 0.1. */
TMC_API uint32_t tmc_version(void);

/* ------------------------------------------------------------------------------------------------------- status */

/* The values are part of the ABI and never change. */
typedef enum tmc_status {
    TMC_OK = 0,
    TMC_E_ARG = 1,         /* an argument is NULL, out of its documented range, or a flag is unknown */
    TMC_E_STATE = 2,       /* the call is not allowed in this state of the object */
    TMC_E_NOMEM = 3,       /* an allocation failed */
    TMC_E_IO = 4,          /* the operating system refused to open, read or map; see tmc_error.os_error */
    TMC_E_TRUNCATED = 5,   /* the bytes end before the structure they announce */
    TMC_E_FORMAT = 6,      /* the bytes are not a well-formed file */
    TMC_E_VERSION = 7,     /* the file or a struct needs a newer library */
    TMC_E_UNSUPPORTED = 8, /* well-formed, but this library has no such operator, combination or feature */
    TMC_E_LIMIT = 9,       /* a count or size is over a fixed or a caller's limit */
    TMC_E_RANGE = 10,      /* an attribute, offset or index is outside its range */
    TMC_E_SHAPE = 11,      /* tensor shapes do not fit the operator or each other */
    TMC_E_DTYPE = 12,      /* an element type is unknown or not allowed here */
    TMC_E_QUANT = 13,      /* quantisation parameters are invalid */
    TMC_E_GRAPH = 14,      /* the nodes do not form a valid graph */
    TMC_E_BUFFER = 15,     /* a caller's buffer is too short, too long, unaligned or overlaps another */
    TMC_E_INTEGRITY = 16,  /* a checksum or self-test does not match */
    TMC_E_AUTH = 17,       /* signature missing or wrong, or access outside what is allowed */
    TMC_E_NONFINITE = 18,  /* NaN or infinity where the caller asked for a check */
    TMC_E_CANCELLED = 19,  /* the caller's cancel flag stopped the run; outputs are invalid */
    TMC_E_TIMEOUT = 20,    /* the deadline passed; outputs are invalid */
    TMC_E_BACKEND = 21,    /* a delegate or device failed and falling back was not allowed */
    TMC_E_BUSY = 22,       /* the session is in use by another call */
    TMC_E_INTERNAL = 23    /* a defect of this library; please report it */
} tmc_status;

/* The status as its constant's name, for example "TMC_E_SHAPE"; "TMC_E_?" for an unknown value. Static storage. */
TMC_API const char *tmc_status_name(tmc_status status);
/* One sentence for a user. Static storage, never NULL. */
TMC_API const char *tmc_status_text(tmc_status status);

/* Where something failed. Fields that do not apply hold -1 (indices), UINT64_MAX (offset), 0 or "". */
typedef struct tmc_error {
    size_t struct_size; /* sizeof(tmc_error), set by tmc_error_init */
    tmc_status status;
    int32_t node;         /* index of the node in the file */
    int32_t tensor;       /* index of the tensor in the file */
    int32_t os_error;     /* errno of a failed system call */
    uint64_t byte_offset; /* position in the file */
    char section[8];      /* four-letter name of the file's section */
    char field[40];       /* field, attribute or parameter */
    char message[256];    /* what happened, what was expected, what to do; never holds pixel or patient data */
} tmc_error;

/* Sets every field to its "does not apply" value. `err` must not be NULL. */
TMC_API void tmc_error_init(tmc_error *err);

/* ------------------------------------------------------------------------------------------- allocator and log */

/* All memory of an object comes from one of these. The functions may be called by any thread that uses the library.
 * alloc: `bytes` > 0, `align` a power of two up to 64; returns NULL on failure. A block that is not aligned as asked
 * is given back at once and counts as a failure. free: `ptr` is never NULL, `bytes` is the size asked for. */
typedef struct tmc_allocator {
    void *user;
    void *(*alloc)(void *user, size_t bytes, size_t align);
    void (*free)(void *user, void *ptr, size_t bytes);
} tmc_allocator;

typedef enum tmc_log_level { TMC_LOG_ERROR = 0, TMC_LOG_WARNING = 1, TMC_LOG_INFO = 2 } tmc_log_level;

/* Receives one line without a newline. Called on the thread that made the call. It must return (no longjmp, no
 * exception) and must not call back into the object that logs. */
typedef void (*tmc_log_fn)(void *user, tmc_log_level level, const char *line);

/* ------------------------------------------------------------------------------------------------------ tensors */

#define TMC_MAX_RANK 6

typedef enum tmc_dtype {
    TMC_F32 = 1,
    TMC_F16 = 2,
    TMC_I8 = 3,
    TMC_U8 = 4,
    TMC_I32 = 5,
    TMC_I64 = 6,
    TMC_BOOL = 7, /* one byte, 0 or 1 */
    TMC_I4 = 8    /* two to a byte, low nibble first; weights only */
} tmc_dtype;

/* Short lower-case name, for example "f32"; "?" if unknown. Static storage. */
TMC_API const char *tmc_dtype_name(tmc_dtype dtype);

/* How the axes of a tensor are to be read. Data are always dense and row-major in the order of `dims`. */
typedef enum tmc_layout {
    TMC_LAYOUT_PLAIN = 0,        /* axes as in the source model */
    TMC_LAYOUT_CHANNELS_LAST = 1 /* N,(D,)(H,)W,C here; the source model had N,C,(D,)(H,)W */
} tmc_layout;

/* A tensor at the model's boundary. Quantisation (TMC_I8 only): real = (stored - zero_point) * scale; scale 0 means
 * none. docs/quantization.md says how numbers are rounded to it. */
typedef struct tmc_tensor_info {
    size_t struct_size;
    const char *name; /* UTF-8, lives as long as the model */
    tmc_dtype dtype;
    tmc_layout layout;
    int32_t rank;                   /* 0 for a scalar */
    int32_t dims[TMC_MAX_RANK];     /* model: default shape; session: planned shape */
    int32_t dims_max[TMC_MAX_RANK]; /* a plan may choose 1 to this; equal to dims where fixed */
    size_t bytes;                   /* of the dense data */
    float scale;
    int32_t zero_point;
} tmc_tensor_info;

/* ------------------------------------------------------------------------------------------------------- models */

typedef struct tmc_model tmc_model;

/* tmc_model_options.flags
 *   - MMAP (path and fd): map instead of reading. The kernel kills the process (SIGBUS) if the file is cut short while
 *     mapped: only for read-only storage. Falls back to reading where mapping is not possible.
 *   - BORROW (memory): use the caller's bytes in place; 64-byte aligned, unchanged and alive until the last reference
 *     to the model is gone. Without it they are copied.
 *   - STRICT: refuse weights that are NaN or infinite, and unknown optional sections. */
#define TMC_MODEL_MMAP 1u
#define TMC_MODEL_BORROW 2u
#define TMC_MODEL_STRICT 4u

typedef struct tmc_model_options {
    size_t struct_size;
    uint32_t flags;
    uint32_t min_revision;          /* refuse files whose revision is lower (TMC_E_AUTH); 0 accepts all */
    uint64_t max_bytes;             /* refuse larger files (TMC_E_LIMIT); default 2^31 - 1 */
    const tmc_allocator *allocator; /* copied; NULL: malloc and free. Its `user` must outlive the model. */
    tmc_log_fn log;                 /* NULL: silent */
    void *log_user;
} tmc_model_options;

/* Writes the defaults: flags 0, no log, the C library's allocator. */
TMC_API void tmc_model_options_init(tmc_model_options *options);

/* Opens and verifies a model. `options` may be NULL for the defaults. *model receives one reference.
 * _file: a path; _fd: the whole of an open regular file (offset ignored, descriptor stays the caller's and may be
 * closed afterwards); _memory: `bytes` bytes, copied unless TMC_MODEL_BORROW.
 * Every byte is checked (checksum, structure, graph, shapes) before anything is used; time is linear in the size,
 * memory at most the file plus 64 KiB. Errors: any of E_ARG..E_AUTH. Since 0.1. */
TMC_API tmc_status tmc_model_open_file(const char *path, const tmc_model_options *options, tmc_model **model,
                                       tmc_error *err);
TMC_API tmc_status tmc_model_open_fd(int fd, const tmc_model_options *options, tmc_model **model, tmc_error *err);
TMC_API tmc_status tmc_model_open_memory(const void *data, size_t bytes, const tmc_model_options *options,
                                         tmc_model **model, tmc_error *err);

/* Adds a reference and returns `model`; NULL stays NULL. */
TMC_API tmc_model *tmc_model_retain(tmc_model *model);
/* Gives one reference back, frees with the last, sets *model to NULL. NULL and pointers to NULL are accepted. */
TMC_API void tmc_model_release(tmc_model **model);

/* Whole-model facts. Strings live as long as the model. */
typedef struct tmc_model_info {
    size_t struct_size;
    const char *name;
    uint16_t format_major, format_minor;
    uint32_t revision; /* rollback counter */
    uint32_t input_count, output_count, node_count, tensor_count, metadata_count, selftest_count;
    uint64_t file_bytes, weight_bytes;
    uint64_t parameters;   /* weights as the source model counts them, without padding of panels */
    uint64_t macs;         /* multiply-accumulates of one run at the default shapes */
    uint64_t memory_bytes; /* what the open model holds from its allocator (a mapping counts 0) */
    uint8_t checksum[16];  /* XXH3-128 over the file, checked at open; canonical byte order */
    uint8_t sha256[32];    /* stored digest, for signatures and logs; not checked at open, see docs/format.md */
} tmc_model_info;

/* Fills *info (struct_size set by the caller). Errors: E_ARG. */
TMC_API tmc_status tmc_model_get_info(const tmc_model *model, tmc_model_info *info);

/* The i-th input or output at the model's default shape. Errors: E_ARG (NULL, index). */
TMC_API tmc_status tmc_model_input(const tmc_model *model, uint32_t index, tmc_tensor_info *info);
TMC_API tmc_status tmc_model_output(const tmc_model *model, uint32_t index, tmc_tensor_info *info);

/* Metadata in the order of the file. _get: value of a key or NULL. _at: *key and *value of an index; E_ARG. */
TMC_API const char *tmc_model_metadata_get(const tmc_model *model, const char *key);
TMC_API tmc_status tmc_model_metadata_at(const tmc_model *model, uint32_t index, const char **key, const char **value);

/* -------------------------------------------------------------------------------------------------------- plans */

typedef struct tmc_plan tmc_plan;

/* Instruction-set levels. Results are the same bits at every level but SSE4.1, see tmc_node_report.exact. The numbers
 * are no order: on x86 AVX-512 is above AVX2, SSE4.1 and portable C. */
typedef enum tmc_isa {
    TMC_ISA_AUTO = 0,   /* the best that this CPU and this build have */
    TMC_ISA_REF = 1,    /* portable C: the specification of every kernel */
    TMC_ISA_AVX2 = 2,   /* x86 AVX2 + FMA */
    TMC_ISA_NEON = 3,   /* AArch64 Advanced SIMD */
    TMC_ISA_AVX512 = 4, /* x86 AVX-512 F, VL, BW, DQ */
    TMC_ISA_SSE41 = 5   /* x86 SSE4.1, for CPUs without FMA: other f32 bits, each fused multiply-add is rounded twice;
                         * the best there, so AUTO takes it, and REF is the way to the same bits. Quantised numbers
                         * have none: the same bits here too */
} tmc_isa;

/* Lower-case name, for example "avx2"; "?" if unknown. Static storage. */
TMC_API const char *tmc_isa_name(tmc_isa isa);
/* The level of a name into *isa; E_ARG if there is none. */
TMC_API tmc_status tmc_isa_from_name(const char *name, tmc_isa *isa);
/* 1 if this build on this CPU can run the level, else 0. */
TMC_API int tmc_isa_available(tmc_isa isa);

typedef struct tmc_shape {
    int32_t rank;
    int32_t dims[TMC_MAX_RANK];
} tmc_shape;

/* tmc_plan_options.flags */
#define TMC_PLAN_EXTERNAL_IO 1u /* keep inputs and outputs out of the arena: each must be bound before a run */

typedef struct tmc_plan_options {
    size_t struct_size;
    uint32_t flags;
    tmc_isa max_isa;                /* TMC_ISA_AUTO by default; a level this CPU lacks gives E_UNSUPPORTED */
    uint32_t threads;               /* 1 by default; 0 or over 64 gives E_ARG */
    uint32_t input_count;           /* 0: default shapes; else the model's input count */
    const tmc_shape *input_shapes;  /* `input_count` shapes, read during the call only */
    uint64_t arena_limit;           /* E_LIMIT, with the bytes needed, if the arena is larger; 0: none */
    const tmc_allocator *allocator; /* NULL: the model's */
} tmc_plan_options;

TMC_API void tmc_plan_options_init(tmc_plan_options *options);

/* Plans a run: infers every shape, picks kernels, lays out the arena. Touches no weights. Keeps a reference to the
 * model. Errors: E_ARG, E_NOMEM, E_SHAPE, E_LIMIT, E_UNSUPPORTED. Since 0.1. */
TMC_API tmc_status tmc_plan_create(tmc_model *model, const tmc_plan_options *options, tmc_plan **plan, tmc_error *err);
TMC_API tmc_plan *tmc_plan_retain(tmc_plan *plan);
TMC_API void tmc_plan_release(tmc_plan **plan);

/* Bytes, exact, known before anything is allocated. */
typedef struct tmc_memory {
    size_t struct_size;
    uint64_t model_bytes;      /* held by the open model */
    uint64_t plan_bytes;       /* held by the plan */
    uint64_t session_bytes;    /* one block that a session takes: its tables and the arena */
    uint64_t arena_bytes;      /* part of session_bytes: activations and scratch */
    uint64_t activation_bytes; /* part of arena_bytes: all tensors, overlapped by life time */
    uint64_t scratch_bytes;    /* part of arena_bytes: largest work space of a node; lies where no tensor is alive
                                * then, so that the two parts may add up to more than the whole */
    uint64_t live_bytes;       /* lower bound: the largest set of tensors alive at one node */
    uint64_t repacked_bytes;   /* weights stored a second time; 0 where all are used in place */
    uint64_t alignment;        /* that a caller's block must have */
} tmc_memory;

TMC_API tmc_status tmc_plan_memory(const tmc_plan *plan, tmc_memory *memory);

/* What runs one node, and where: nothing happens silently. Strings live as long as the plan. */
typedef struct tmc_node_report {
    size_t struct_size;
    const char *name;    /* node of the source model */
    const char *op;      /* operator, see docs/operators.md */
    const char *backend; /* "cpu", or a delegate's name */
    const char *kernel;  /* kernel symbol without its prefix, or the operator where it has no kernel family */
    tmc_isa isa;
    tmc_dtype precision; /* type of the arithmetic */
    int32_t exact;       /* 1: bit-identical on every CPU; 0: not, as the f32 kernels of TMC_ISA_SSE41 */
    int32_t in_place;    /* 1: the output overwrites the first input; or no data move at all */
    uint64_t macs;
    uint64_t read_bytes, written_bytes; /* of tensors, once each */
    int32_t output_rank;
    int32_t output_dims[TMC_MAX_RANK]; /* of the first output */
    uint64_t arena_offset;             /* of the first output; UINT64_MAX where it is not in the arena */
} tmc_node_report;

TMC_API uint32_t tmc_plan_node_count(const tmc_plan *plan);
TMC_API tmc_status tmc_plan_node(const tmc_plan *plan, uint32_t index, tmc_node_report *report);

/* ----------------------------------------------------------------------------------------------------- sessions */

typedef struct tmc_session tmc_session;
struct pthreadpool;

typedef struct tmc_session_options {
    size_t struct_size;
    uint32_t flags;                 /* none defined: 0 */
    uint32_t reserved;              /* 0 */
    struct pthreadpool *threadpool; /* caller's pool, alive as long as the session, used by one session at a time
                                     * while it runs; NULL: an own pool of the plan's thread count. A build without
                                     * threads refuses a pool with E_UNSUPPORTED. */
    void *memory;                   /* caller's block, aligned as tmc_memory says; NULL: from the allocator */
    size_t memory_bytes;            /* at least tmc_memory.session_bytes, else E_BUFFER */
    const tmc_allocator *allocator; /* NULL: the plan's */
} tmc_session_options;

TMC_API void tmc_session_options_init(tmc_session_options *options);

/* Makes a session; keeps a reference to the plan. The only allocation is the block of tmc_memory.session_bytes (and
 * what the system takes for a thread, its stack). Threads that cannot be started are no error: the session runs with
 * those that could, and tmc_session_info says so. Its threads sleep between runs, block every signal that is not a
 * fault of their own, and stay on the big cores where a CPU has two kinds; where other processes keep the cores busy,
 * runs do without some of them for a time. In a forked child a session runs without threads.
 * Errors: E_ARG, E_NOMEM, E_BUFFER, E_UNSUPPORTED. Since 0.1. */
TMC_API tmc_status tmc_session_create(tmc_plan *plan, const tmc_session_options *options, tmc_session **session,
                                      tmc_error *err);
/* Not while a run is in progress. */
TMC_API void tmc_session_release(tmc_session **session);

/* The i-th input or output at the planned shape. Errors: E_ARG. */
TMC_API tmc_status tmc_session_input(const tmc_session *session, uint32_t index, tmc_tensor_info *info);
TMC_API tmc_status tmc_session_output(const tmc_session *session, uint32_t index, tmc_tensor_info *info);

/* Uses the caller's buffer in place of the arena for one input or output, until another call replaces it. `bytes`
 * must be exactly tmc_tensor_info.bytes and the address a multiple of the element size; only these bytes are touched.
 * NULL with 0 bytes returns to the arena (E_STATE with TMC_PLAN_EXTERNAL_IO).
 * Errors: E_ARG, E_BUFFER (size, alignment, overlap with another bound buffer), E_BUSY. */
TMC_API tmc_status tmc_session_bind_input(tmc_session *session, uint32_t index, const void *data, size_t bytes,
                                          tmc_error *err);
TMC_API tmc_status tmc_session_bind_output(tmc_session *session, uint32_t index, void *data, size_t bytes,
                                           tmc_error *err);

/* Copies into an input, or out of an output, of the arena. An input stays until it is written again, so that a
 * repeated run gives the same answer. Errors: E_ARG, E_BUFFER (size), E_STATE (bound elsewhere; output read before a
 * successful run), E_BUSY. */
TMC_API tmc_status tmc_session_write_input(tmc_session *session, uint32_t index, const void *data, size_t bytes,
                                           tmc_error *err);
TMC_API tmc_status tmc_session_read_output(const tmc_session *session, uint32_t index, void *data, size_t bytes,
                                           tmc_error *err);

/* tmc_run_options.flags */
#define TMC_RUN_CHECK_FINITE 1u /* E_NONFINITE if an input or output holds NaN or infinity */
#define TMC_RUN_PROFILE 2u      /* record the time of each node for tmc_session_profile */

/* Called on the calling thread after each node, `done` of `total`. It must return and must not use the session. */
typedef void (*tmc_progress_fn)(void *user, uint32_t done, uint32_t total);

typedef struct tmc_run_options {
    size_t struct_size;
    uint32_t flags;
    uint32_t reserved;          /* 0 */
    const int32_t *cancel_flag; /* may become non-zero at any time, from any thread; seen within 5 ms */
    uint64_t timeout_ns;        /* from the start of the run, on the monotonic clock; 0: none */
    tmc_progress_fn progress;
    void *progress_user;
} tmc_run_options;

TMC_API void tmc_run_options_init(tmc_run_options *options);

/* Runs the plan once. `options` may be NULL. After a failure the outputs are invalid and the session is usable.
 * Errors: E_ARG, E_BUSY, E_STATE (an input never written, external buffer not bound), E_CANCELLED, E_TIMEOUT,
 * E_NONFINITE, E_RANGE (an index computed in the graph is out of range). Since 0.1. */
TMC_API tmc_status tmc_session_run(tmc_session *session, const tmc_run_options *options, tmc_error *err);

typedef struct tmc_node_profile {
    size_t struct_size;
    uint64_t runs;     /* with TMC_RUN_PROFILE */
    uint64_t total_ns; /* over these runs */
    uint64_t last_ns;
} tmc_node_profile;

/* Errors: E_ARG (NULL, index), E_BUSY. */
TMC_API tmc_status tmc_session_profile(const tmc_session *session, uint32_t node, tmc_node_profile *profile);

/* Facts about a session that are not in its plan: how many threads it has (fewer than planned where not all could be
 * started), and a digest over model checksum, library version, instruction set and kernel choice, to be logged with
 * each result. */
typedef struct tmc_session_info {
    size_t struct_size;
    uint32_t threads;
    uint32_t degraded; /* 1: fewer threads than planned */
    uint8_t digest[16];
    uint32_t exact; /* 1: every node is, see tmc_node_report */
} tmc_session_info;

TMC_API tmc_status tmc_session_get_info(const tmc_session *session, tmc_session_info *info);

/* ---------------------------------------------------------------------------------------------------- self-test */

/* Runs every test vector stored in the file at the given plan options (NULL: defaults) and compares the outputs' bits.
 * A power-on test. The vectors hold for the default shapes: options with input shapes give E_ARG, and
 * TMC_PLAN_EXTERNAL_IO is ignored. Errors: E_INTEGRITY (names the output), E_STATE (the file has no vectors),
 * E_UNSUPPORTED (a plan that is not exact, so on a CPU whose best level is SSE4.1 give max_isa TMC_ISA_REF), those of
 * plan, session and run. Allocates a plan and a session for the time of the call. Since 0.1. */
TMC_API tmc_status tmc_model_selftest(tmc_model *model, const tmc_plan_options *options, tmc_error *err);

#ifdef __cplusplus
}
#endif

#endif
