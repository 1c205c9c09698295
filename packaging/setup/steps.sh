# How a step of the set-up is run and told: never in silence, and never without the reason of its failure.
#
# Reads: $cache.

say() { printf '\n== %s\n' "$*"; }

warn() { printf 'warning: %s\n' "$*" >&2; }

# Ends the set-up: what happened, then what to do, one line each.
fail() {
  printf '\nerror: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

log_file() { printf '%s/logs/%s.log' "$cache" "$(printf '%s' "$1" | tr -cs '[:alnum:]\n' '-')"; }

# run_step WHAT COMMAND…: runs a command with its output in a log. Where it fails, shows the end of the log and its place.
run_step() {
  local what=$1 log status=0
  shift
  log=$(log_file "$what")
  mkdir -p "$(dirname "$log")"
  "$@" > "$log" 2>&1 < /dev/null || status=$?
  [ "$status" -eq 0 ] || show_failure "$what" "$status" "$log" "$*"
  return "$status"
}

# show_failure WHAT STATUS LOG COMMAND
show_failure() {
  {
    printf '\n%s failed with status %s. It ran: %s\n' "$1" "$2" "$4"
    echo 'The last lines of its output:'
    tail -n 15 "$3" | tr '\r' '\n' | sed 's/^/  | /'
    printf 'The whole output: %s\n' "$3"
  } >&2
}
