# For scripts that use a program as a user does: runs in a folder of its own, which goes away with the script.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
count=0

fail() { echo "FAILED: $*" >&2; exit 1; }
ok() { count=$((count + 1)); }

# expect STATUS WORD COMMAND...: exit status; after a failure one line on stderr that has WORD, else none.
expect() {
    want=$1 word=$2
    shift 2
    set +e
    "$@" > out 2> err
    got=$?
    set -e
    [ "$got" = "$want" ] || fail "$* exits with $got, expected $want: $(cat err)"
    [ "$(wc -l < err)" = "$([ "$want" = 0 ] && echo 0 || echo 1)" ] || fail "$* prints: $(cat err)"
    [ "$want" = 0 ] || grep -q -- "$word" err || fail "$* says '$(cat err)', expected '$word'"
    ok
}
