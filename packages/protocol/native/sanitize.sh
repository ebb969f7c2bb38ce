#!/usr/bin/env bash
# The record layer, and the addon around it, under AddressSanitizer and UndefinedBehaviorSanitizer.
# sanitize.sh [rounds]; SEED=N repeats a run. The first part runs on the system's libcrypto 3, whose headers it does not need.
set -euo pipefail
cd "$(dirname "$0")"
rounds=${1:-200000}
seed=${SEED:-$RANDOM}
echo "SEED=$seed"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

headers=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")/include/node
flags=(-std=c11 -O1 -g -Wall -Wextra -Werror -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all)

cc "${flags[@]}" fuzz.c record.c hash.c -l:libcrypto.so.3 -o "$work/fuzz"
"$work/fuzz" "$rounds" "$seed"

cc "${flags[@]}" -fPIC -shared -I"$headers" addon.c record.c hash.c -o "$work/pawl.node"
# Node.js itself is not built for leaks to be told from what it keeps to its end.
LD_PRELOAD="$(cc -print-file-name=libasan.so) $(cc -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0 \
  node fuzz-addon.mjs "$work/pawl.node" "$rounds" "$seed"
