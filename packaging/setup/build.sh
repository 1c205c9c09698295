# Builds with cargo, and says how far it is: RocksDB alone would be silent for minutes.
#
# Reads: $cache, $CARGO_TARGET_DIR.

readonly seconds_between_lines=20

# build WHAT CARGO_ARGUMENT…
build() {
  local what=$1 log status=0 started=$SECONDS
  shift
  log=$(log_file "$what")
  mkdir -p "$(dirname "$log")"
  CARGO_TERM_PROGRESS_WHEN=always CARGO_TERM_PROGRESS_WIDTH=100 CARGO_TERM_COLOR=never cargo "$@" > "$log" 2>&1 < /dev/null &
  local compiler=$!
  trap 'kill "$compiler" 2> /dev/null; exit 130' INT TERM
  show_progress "$compiler" "$log" "$started"
  wait "$compiler" || status=$?
  trap - INT TERM
  if [ "$status" -ne 0 ]; then
    show_failure "$what" "$status" "$log" "cargo $*"
    explain_failure "$log"
    exit "$status"
  fi
}

# show_progress PID LOG STARTED: a line now and then, or one that changes where this is a terminal.
show_progress() {
  local next=$seconds_between_lines line
  while kill -0 "$1" 2> /dev/null; do
    sleep 1
    line=$(progress_line "$2" $((SECONDS - $3)))
    if [ -t 1 ]; then
      printf '\r\033[K%s' "$line"
    elif [ $((SECONDS - $3)) -ge "$next" ]; then
      next=$((SECONDS - $3 + seconds_between_lines))
      echo "$line"
    fi
  done
  [ ! -t 1 ] || printf '\r\033[K'
}

# progress_line LOG SECONDS: "  123 of 520 crates after 2 min: oxrocksdb-sys (RocksDB: 40 of 300 files)"
progress_line() {
  local bar compiled
  bar=$(tr '\r' '\n' < "$1" | sed -n 's/.* \([0-9]*\)\/\([0-9]*\): \(.*\)/\1 of \2 crates#\3/p' | tail -n 1)
  compiled=$(rocksdb_progress "$bar")
  printf '  %s after %s min: %s%s' "${bar%%#*}" "$(($2 / 60))" "$(cut -c 1-60 <<< "${bar#*#}")" "$compiled"
}

# Of RocksDB, one crate of a third of the time, the files that are compiled are counted.
rocksdb_progress() {
  [[ "$1" == *rocksdb* ]] || return 0
  local objects
  objects=$(find "$CARGO_TARGET_DIR" -path '*oxrocksdb-sys-*/out/*.o' -newer "$cache/logs" 2> /dev/null | wc -l)
  printf ' (%s files of RocksDB are compiled)' "$objects"
}

# explain_failure LOG: what usually mends the failures that people meet.
explain_failure() {
  if grep -qE 'signal: 9|SIGKILL|out of memory|cannot allocate memory' "$1"; then
    echo "A compiler was ended for want of memory. Try: CARGO_BUILD_JOBS=1 ./dev …" >&2
  elif grep -qE 'No space left on device' "$1"; then
    echo "The disk is full. Name a larger one: MOISSON_CACHE=/a/larger/disk ./dev …" >&2
  elif grep -qE 'failed to download|Could not resolve|SSL certificate|timed out' "$1"; then
    echo "The crates could not be downloaded. If the network is reached through a proxy, set https_proxy; then run this again." >&2
  else
    echo "Run this again with the whole output: ./dev cargo build" >&2
  fi
}
