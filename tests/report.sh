# Rows of docs/reliability.md, for the commands that add some. To be sourced, in the root of the tree.

report=docs/reliability.md

# The revision of these paths; with a plus sign where something is not committed.
revision() {
  local dirty=""
  [[ -z $(git status --porcelain -- "$@") ]] || dirty="+"
  echo "$(git log -1 --format=%h -- "$@")$dirty"
}

machine() {
  echo "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1 | tr -s ' ')"
}

# Puts a row at the end of the table under a heading: `append_row HEADING REVISION CELLS <HEAD`; machine and date follow the
# revision. HEAD, what stands between the heading and the first row, is written if there is no such heading yet.
append_row() {
  local heading=$1 row
  row="| $2 | $(machine) | $(date -u +%F) | $3 |"
  (
    flock 9
    if ! grep -qxF "## $heading" "$report"; then
      { printf '\n## %s\n' "$heading"; cat; } >>"$report"
    fi
    awk -v row="$row" -v heading="## $heading" '
      function gap() { for (i = 0; i < held; i++) print ""; held = 0 }
      /^## / { if (inside && !done) { print row; done = 1; gap() } inside = $0 == heading }
      inside && /^\|/ { seen = 1; print; next }
      inside && seen && !done && /^$/ { held++; next }
      inside && seen && !done { print row; done = 1; gap() }
      { print }
      END { if (!done) print row; gap() }' "$report" >"$report.new"
    mv "$report.new" "$report"
  ) 9<"$(dirname "$report")"
}
