#!/bin/sh
# Checks what the library shows to the outside: symbols, size, headers alone, install tree.
# usage: check_library.sh BUILD CC CXX
set -eu
build=$1 cc=$2 cxx=$3
so=$(ls "$build"/libtmcnn.so.*.*.*)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail() { echo "FAILED: $*" >&2; exit 1; }

# Exported names: the public functions and nothing else; in the archive every global name has the prefix.
nm -D --defined-only "$so" | awk '$2 != "A" {print $3}' | sed 's/@.*//' | sort > "$tmp/exported"
grep -oE '\btmc_[a-z0-9_]+\(' include/tmcnn/tmcnn.h | tr -d '(' | sort -u > "$tmp/declared"
comm -13 "$tmp/declared" "$tmp/exported" > "$tmp/extra"
[ ! -s "$tmp/extra" ] || fail "exported but not in the header: $(tr '\n' ' ' < "$tmp/extra")"
grep '^TMC_API' -A0 include/tmcnn/tmcnn.h | grep -oE 'tmc_[a-z0-9_]+\(' | tr -d '(' | sort -u > "$tmp/api"
comm -23 "$tmp/api" "$tmp/exported" > "$tmp/missing"
[ ! -s "$tmp/missing" ] || fail "in the header but not exported: $(tr '\n' ' ' < "$tmp/missing")"
nm -g --defined-only "$build/libtmcnn.a" 2>/dev/null | awk 'NF == 3 {print $3}' | grep -v '^tmc_' > "$tmp/unprefixed" || true
[ ! -s "$tmp/unprefixed" ] || fail "without the prefix tmc_: $(tr '\n' ' ' < "$tmp/unprefixed")"
echo "symbols: $(wc -l < "$tmp/exported") exported, all declared"

# No state that threads could share, no way out of the process, no output.
# Constant tables with pointers are in .data.rel.ro; .data and .bss hold the linker's own words only.
writable=$(size -A "$so" | awk '$1 == ".data" || $1 == ".bss" {n += $2} END {print n + 0}')
[ "$writable" -le 16 ] || fail "the library has $writable bytes of mutable data: $(nm "$so" | awk '$2 ~ /^[bBC]$/ {print $3}' | tr '\n' ' ')"
nm -D --undefined-only "$so" | awk '{print $2}' | sed 's/@.*//' | grep -E '^(abort|exit|_exit|printf|puts|putchar|fprintf|fputs|fwrite|perror|__assert_fail)$' > "$tmp/forbidden" || true
[ ! -s "$tmp/forbidden" ] || fail "calls: $(tr '\n' ' ' < "$tmp/forbidden")"
echo "state: none; abort, exit, stdio: not called"

# A kernel's object holds no instruction above the level in its name: mnemonics of AVX start with v, registers above 15,
# mask registers and zmm are AVX-512's.
for object in "$build"/kernels/x86/*__sse41.o "$build"/kernels/x86/*__avx2.o; do
    [ -e "$object" ] || continue
    case $object in *__sse41.o) above='\sv[a-z0-9]+ ' ;; *) above='%zmm|%[xy]mm(1[6-9]|[23][0-9])|%k[0-7]' ;; esac
    objdump -d --no-show-raw-insn "$object" | grep -qE "$above" && fail "$object: an instruction above its level"
done
echo "levels: no kernel has an instruction above its level"

cp "$so" "$tmp/stripped.so"
strip "$tmp/stripped.so"
size=$(wc -c < "$tmp/stripped.so")
[ "$size" -le 334000 ] || fail "stripped library has $size bytes, the limit is 334000"
echo "size: $size bytes stripped (limit 334000)"

for header in include/tmcnn/*.h; do
    name=tmcnn/$(basename "$header")
    echo "#include <$name>" > "$tmp/alone.c"
    cp "$tmp/alone.c" "$tmp/alone.cpp"
    "$cc" -std=c11 -Wall -Wextra -Werror -pedantic -Iinclude -c "$tmp/alone.c" -o "$tmp/alone.o"
    "$cxx" -std=c++17 -Wall -Wextra -Werror -pedantic -Iinclude -c "$tmp/alone.cpp" -o "$tmp/alone.o"
done
echo "headers: each compiles alone as C11 and C++17"

# An installed tree builds a program through pkg-config, shared and static.
make -s BUILD="$build" CC="$cc" PREFIX="$tmp/prefix" install > /dev/null
cat > "$tmp/user.c" <<'PROGRAM'
#include <tmcnn/tmcnn.h>
int main(void) {
    tmc_model *model;
    return tmc_model_open_file("/nonexistent.tmc", 0, &model, 0) == TMC_E_IO && !model ? 0 : 1;
}
PROGRAM
export PKG_CONFIG_PATH="$tmp/prefix/lib/pkgconfig"
"$cc" "$tmp/user.c" -o "$tmp/user" $(pkg-config --cflags --libs libtmcnn)
LD_LIBRARY_PATH="$tmp/prefix/lib" "$tmp/user" || fail "a program against the installed shared library"
"$cc" "$tmp/user.c" -o "$tmp/user-static" $(pkg-config --cflags libtmcnn) "$tmp/prefix/lib/libtmcnn.a" \
    $(pkg-config --static --libs libtmcnn | sed 's/-ltmcnn//')
"$tmp/user-static" || fail "a program against the installed static library"
"$tmp/prefix/bin/tmcnn" --version > /dev/null || fail "the installed command line"
echo "install: shared, static and command line work from the installed tree"
