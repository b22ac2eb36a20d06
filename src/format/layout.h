/* The .tmc file, byte for byte. docs/format.md is the specification; this header is its image in C.
 * All numbers are little-endian, all records naturally aligned, all sections at multiples of 64. */
#ifndef TMC_FORMAT_LAYOUT_H
#define TMC_FORMAT_LAYOUT_H

#include <stdint.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "libtmcnn uses weights in place and needs a little-endian CPU"
#endif

#define TMC_FILE_MAGIC "\x89TMC\r\n\x1a\n" /* as PNG's: shows text-mode damage */
#define TMC_FILE_MAJOR 1
#define TMC_FILE_MINOR 0
#define TMC_FILE_ENDIAN 0x01020304u
#define TMC_FILE_ALIGN 64u
#define TMC_FILE_MAX_SECTIONS 64u
#define TMC_FILE_MAX_TENSORS (1u << 20)
#define TMC_FILE_MAX_NODES (1u << 20)
#define TMC_FILE_MAX_STRING 65535u
#define TMC_FILE_MAX_IO 4096u       /* inputs and outputs together: their names are compared pair by pair */
#define TMC_FILE_MAX_METADATA 1024u /* keys too */
#define TMC_FILE_MAX_TESTS 1024u
#define TMC_FILE_MAX_TENSOR_BYTES 0x7fffffffu /* the same limit on 32 and 64 bit */
#define TMC_FILE_NONE 0xffffffffu             /* an index that is absent */

typedef struct tmc_file_header {
    uint8_t magic[8];
    uint16_t version_major, version_minor;
    uint32_t endian;
    uint64_t file_size;
    uint32_t section_count;
    uint32_t header_size; /* sizeof(tmc_file_header) */
    uint8_t checksum[16]; /* XXH3-128, canonical order, over the file with these 16 bytes as zero */
    uint8_t sha256[32];   /* over the file with checksum and sha256 as zero, and without a SIGN section's bytes */
    uint32_t revision;    /* rollback counter of the publisher */
    uint32_t flags;       /* 0 */
    uint8_t reserved[40]; /* 0 */
} tmc_file_header;

/* Follows the header; sections lie in this order, each at the next multiple of 64 after the one before, padding zero,
 * and the file ends with the last section. */
typedef struct tmc_file_section {
    uint32_t id;
    uint32_t flags;
    uint64_t offset, size;
    uint32_t count;       /* of records; 0 for blobs */
    uint32_t record_size; /* 0 for blobs */
} tmc_file_section;

#define TMC_SECTION_MANDATORY 1u /* a reader that does not know the id must refuse the file */

#define TMC_FOURCC(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define TMC_SECTION_STRS TMC_FOURCC('S', 'T', 'R', 'S') /* blob: "\0", then strings, sorted, each once */
#define TMC_SECTION_GRPH TMC_FOURCC('G', 'R', 'P', 'H') /* one tmc_file_graph */
#define TMC_SECTION_TENS TMC_FOURCC('T', 'E', 'N', 'S') /* tmc_file_tensor */
#define TMC_SECTION_NODE TMC_FOURCC('N', 'O', 'D', 'E') /* tmc_file_node, in an order that can be run */
#define TMC_SECTION_INDX TMC_FOURCC('I', 'N', 'D', 'X') /* uint32_t: tensor indices of nodes and of the graph */
#define TMC_SECTION_PARM TMC_FOURCC('P', 'A', 'R', 'M') /* 32-bit words: parameters of nodes */
#define TMC_SECTION_META TMC_FOURCC('M', 'E', 'T', 'A') /* tmc_file_metadata */
#define TMC_SECTION_WGHT TMC_FOURCC('W', 'G', 'H', 'T') /* blob: constants in tensor order, 64-aligned */
#define TMC_SECTION_TEST TMC_FOURCC('T', 'E', 'S', 'T') /* tmc_file_test */
#define TMC_SECTION_QUAN TMC_FOURCC('Q', 'U', 'A', 'N') /* tmc_file_quantization, in the order of the tensors */
#define TMC_SECTION_QSCL TMC_FOURCC('Q', 'S', 'C', 'L') /* float: scales of channels */
/* Reserved: SIGN (signature), SPRS (sparse), CRYP (encryption), VARI (variants), PREP (images). */

typedef struct tmc_file_graph {
    uint32_t name;        /* STRS offset */
    uint32_t input_first; /* INDX position of the inputs, then the outputs follow */
    uint32_t input_count, output_count;
    uint32_t reserved[4]; /* 0 */
} tmc_file_graph;

enum { TMC_ROLE_ACTIVATION = 0, TMC_ROLE_INPUT = 1, TMC_ROLE_CONSTANT = 2 };

/* How a constant's bytes lie; see src/format/packing.h. */
typedef enum tmc_packing {
    TMC_PACK_NONE = 0,             /* dense, row-major */
    TMC_PACK_F32_PANELS = 1,       /* panels of 16 (8, 4) output channels, bias row first */
    TMC_PACK_F32_WINOGRAD_2X2 = 2, /* the same panels of a 3x3 kernel: the convolution is computed so */
    TMC_PACK_F32_WINOGRAD_4X4 = 3,
    TMC_PACK_I8_PANELS = 4,    /* panels of int8 weights with bias and multiplier: src/format/packing_i8.h */
    TMC_PACK_I8_DEPTHWISE = 5, /* the same of a depthwise convolution */
    TMC_PACK_END
} tmc_packing;

typedef struct tmc_file_tensor {
    uint32_t name; /* STRS offset; inputs and outputs: not empty, unique */
    uint8_t dtype, rank, role, layout;
    int32_t dims[6];     /* unused: 0 */
    int32_t dims_max[6]; /* inputs: largest value of a dim that a plan may choose; equal to dims where fixed; else 0 */
    uint64_t data_offset, data_bytes; /* constants: in WGHT; else 0 */
    uint32_t packing;
    uint32_t quantization; /* index into QUAN, or TMC_FILE_NONE */
    uint32_t reserved[4];  /* 0 */
} tmc_file_tensor;

/* One scale and zero point, or scale_count scales in QSCL, one for each output channel of the weights. */
typedef struct tmc_file_quantization {
    float scale; /* 0 where scale_count > 0 */
    int32_t zero_point;
    uint32_t scale_first, scale_count;
} tmc_file_quantization;

typedef struct tmc_file_node {
    uint32_t name;
    uint16_t op;    /* tmc_op_code */
    uint16_t flags; /* 0 */
    uint16_t input_count, output_count;
    uint32_t
        index_first; /* INDX position of the inputs, then the outputs follow; absent optional input: TMC_FILE_NONE */
    uint32_t param_first, param_count; /* words in PARM */
    uint32_t reserved[2];              /* 0 */
} tmc_file_node;

typedef struct tmc_file_metadata {
    uint32_t key, value; /* STRS offsets */
} tmc_file_metadata;

/* A self-test: every input filled by tmc_selftest_fill(seed + input index), the digest of every output compared. */
typedef struct tmc_file_test {
    uint32_t seed;
    uint32_t output;    /* index of the output */
    uint8_t digest[16]; /* XXH3-128 of the dense bytes, canonical order */
} tmc_file_test;

_Static_assert(sizeof(tmc_file_header) == 128, "header");
_Static_assert(sizeof(tmc_file_section) == 32, "section");
_Static_assert(sizeof(tmc_file_graph) == 32, "graph");
_Static_assert(sizeof(tmc_file_tensor) == 96, "tensor");
_Static_assert(sizeof(tmc_file_quantization) == 16, "quantization");
_Static_assert(sizeof(tmc_file_node) == 32, "node");
_Static_assert(sizeof(tmc_file_test) == 24, "test");

#endif
