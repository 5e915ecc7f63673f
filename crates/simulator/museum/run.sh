#!/usr/bin/env bash
# Plants each bug of the museum into a copy of the tree, and shows that the simulator finds it. A bug that is not found
# is a hole in the simulator. Takes some twenty minutes on two cores. With names: only those.
set -euo pipefail
cd "$(dirname "$0")/../../.."
museum=$PWD/crates/simulator/museum
seeds=${SEEDS:-5000}
tree=${TREE:-${CARGO_TARGET_DIR:-$PWD/target}/museum}
mkdir -p "$tree"
# The working tree as it stands, as new files: what was planted when it was broken off last must be built again.
git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - | tar -xmf - -C "$tree"
cd "$tree"
export CARGO_TARGET_DIR="$tree/target" CARGO_INCREMENTAL=1

missed=0
for patch in "$museum"/*.patch; do
    name=$(basename "$patch" .patch)
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then
        continue
    fi
    patch --quiet --strip=1 --no-backup-if-mismatch <"$patch"
    cargo build --quiet --profile sim --locked -p upline-simulator 2>"$tree/build.log" || {
        echo "$name: does not build any more"
        cat "$tree/build.log"
        exit 1
    }
    began=$SECONDS
    if "$CARGO_TARGET_DIR/sim/upline-sim" --quick --seeds "0..$seeds" >"$tree/run.log"; then
        echo "$name: NOT FOUND in $seeds seeds"
        missed=$((missed + 1))
    else
        echo "$name: found, $((SECONDS - began)) s, $(tail -n 1 "$tree/run.log" | cut -c 1-160)"
    fi
    patch --quiet --strip=1 --reverse --no-backup-if-mismatch <"$patch"
done
echo "$missed not found"
[ "$missed" = 0 ]
