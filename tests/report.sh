#!/usr/bin/env bash
# Puts a row at the end of the table under a heading of a Markdown file.
#
#   tests/table_row FILE HEADING ROW <HEAD
#
# HEAD – what stands between the heading and the first row – is written if the file has no such heading yet.
set -euo pipefail
file=$1 heading=$2 row=$3
exec 9<"$(dirname "$file")"
flock 9
if ! grep -qxF "## $heading" "$file"; then
  { printf '\n## %s\n' "$heading"; cat; } >>"$file"
fi
awk -v row="$row" -v heading="## $heading" '
  function gap() { for (i = 0; i < held; i++) print ""; held = 0 }
  /^## / { if (inside && !done) { print row; done = 1; gap() } inside = $0 == heading }
  inside && /^\|/ { seen = 1; print; next }
  inside && seen && !done && /^$/ { held++; next }
  inside && seen && !done { print row; done = 1; gap() }
  { print }
  END { if (!done) print row; gap() }' "$file" >"$file.new"
mv "$file.new" "$file"
