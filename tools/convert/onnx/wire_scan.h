/* A check of untrusted protobuf bytes before protobuf-c sees them: protobuf-c recurses once per nested message and
 * allocates as it goes, so depth, lengths and counts are bounded here first, iteratively. */
#ifndef TMC_CONVERT_ONNX_WIRE_SCAN_H
#define TMC_CONVERT_ONNX_WIRE_SCAN_H

#include <protobuf-c/protobuf-c.h>

#include "base/error.h"

#define ONNX_WIRE_MAX_DEPTH 32            /* a plain model needs 7; each nested subgraph 3 more */
#define ONNX_WIRE_MAX_MESSAGES (1u << 22) /* an empty message of 2 bytes unpacks to about 150 */

/* Walks `size` bytes as a message of type `root`: tags and varints are well-formed, lengths lie inside their parent, no
 * groups, strings are UTF-8 without NUL, a singular string, bytes or message field occurs once. Linear, constant stack.
 * Errors: E_FORMAT, E_LIMIT; err says the byte. */
tmc_status onnx_wire_scan(const ProtobufCMessageDescriptor *root, const uint8_t *bytes, size_t size, tmc_error *err);

#endif
