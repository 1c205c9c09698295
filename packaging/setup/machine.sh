# What the machine must have before a build is worth starting: Rust, disk, memory.
#
# Reads: $cache, $CARGO_TARGET_DIR, $machine (a prefix of /proc and /sys, for tests).

# Measured with the profiles of Cargo.toml on x86-64, and rounded up (CONTRIBUTING.md has the figures).
readonly demo_disk_mb=4000
readonly test_disk_mb=6000
# The largest compilers of a build hold this much at once: those of this crate and of RocksDB's larger files.
readonly compiler_memory_mb=2000

required_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml; }

installed_rust() { rustc --version 2> /dev/null | sed -n 's/^rustc \([0-9.]*\).*/\1/p'; }

# is_at_least VERSION NEEDED
is_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

check_rust() {
  local needed installed
  needed=$(required_rust)
  command -v cargo > /dev/null && command -v rustc > /dev/null ||
    fail "Rust is missing. Moisson needs Rust $needed or later." "Install it from https://rustup.rs, then run this command again."
  installed=$(installed_rust)
  is_at_least "$installed" "$needed" ||
    fail "Rust $installed is too old. Moisson needs Rust $needed or later." "Run: rustup update stable"
}

free_disk_mb() { df -Pm "$1" | awk 'NR == 2 { print $4 }'; }

# check_disk NEEDED_MB: a first build that would fill the disk is not started. What is built already is not counted again.
check_disk() {
  local needed=$1 free used=0
  mkdir -p "$CARGO_TARGET_DIR"
  free=$(free_disk_mb "$CARGO_TARGET_DIR")
  [ ! -d "$CARGO_TARGET_DIR/debug" ] || used=$(du -sm "$CARGO_TARGET_DIR/debug" | cut -f 1)
  needed=$((needed - used))
  [ "$free" -ge "$needed" ] ||
    fail "The disk has $free MB free in $CARGO_TARGET_DIR. The build needs $needed MB." \
      "Free some space, or name another folder: MOISSON_CACHE=/a/larger/disk ./dev …"
}

# The memory that is free for compilers, in MB: that of the machine or of the container, whichever is less.
free_memory_mb() {
  local free limit used
  free=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' "${machine:-}/proc/meminfo")
  limit=$(cat "${machine:-}/sys/fs/cgroup/memory.max" 2> /dev/null || echo max)
  used=$(cat "${machine:-}/sys/fs/cgroup/memory.current" 2> /dev/null || echo 0)
  if [ "$limit" != max ] && [ $(((limit - used) / 1048576)) -lt "$free" ]; then
    free=$(((limit - used) / 1048576))
  fi
  echo "$free"
}

# The number of compilers that fit into processors and memory: one at least.
compile_jobs() {
  local processors memory
  processors=$(nproc)
  memory=$(($(free_memory_mb) / compiler_memory_mb))
  [ "$memory" -ge 1 ] || memory=1
  [ "$memory" -lt "$processors" ] && echo "$memory" || echo "$processors"
}

set_compile_jobs() {
  [ -z "${CARGO_BUILD_JOBS:-}" ] || return 0
  CARGO_BUILD_JOBS=$(compile_jobs)
  export CARGO_BUILD_JOBS
  [ "$CARGO_BUILD_JOBS" -ge "$(nproc)" ] ||
    warn "Only $(free_memory_mb) MB of memory are free: $CARGO_BUILD_JOBS compiler(s) at a time, so the build takes longer."
}

# Programs that bring certificates of their own trust what the system trusts, as behind a company's proxy.
trust_system_certificates() {
  local bundle=/etc/ssl/certs/ca-certificates.crt
  [ -n "${NODE_EXTRA_CA_CERTS:-}" ] || [ ! -r "$bundle" ] || export NODE_EXTRA_CA_CERTS=$bundle
}
