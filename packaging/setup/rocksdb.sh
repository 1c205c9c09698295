# Compiles RocksDB in a few large units instead of 336 small ones, which takes a fifth of the processor time.
#
# Most of the time of each small unit goes into the same headers. RocksDB's own Makefile has such a build too
# (`make unity.a`). The sources are those of the crate that Cargo.lock names, with the definitions of its build script,
# and the crate finds the library by pkg-config: the feature `system-rocksdb` of Cargo.toml. Without the feature the
# crate compiles RocksDB itself.
#
# Sets: features, for each call of cargo. Reads: $cache.

readonly rocksdb_units=12
features=()

locked_version() { sed -n "/^name = \"$1\"/{n;s/^version = \"\(.*\)\"/\1/p}" Cargo.lock; }

# The folder of a crate's sources, after cargo has fetched them.
crate_sources() { find "${CARGO_HOME:-$HOME/.cargo}"/registry/src -maxdepth 2 -name "$1-$(locked_version "$1")" | head -n 1; }

rocksdb_flags() {
  echo -O3 -std=c++20 -fPIC -w -ffunction-sections -fdata-sections -DNDEBUG -DLZ4=1 -DOS_LINUX \
    -DROCKSDB_PLATFORM_POSIX -DROCKSDB_LIB_IO_POSIX -DROCKSDB_SUPPORT_THREAD_LOCAL
  case "$(uname -m)" in x86_64 | aarch64) echo -DHAVE_UINT128_EXTENSION=1 ;; esac
}

# Uses the library of the cache, after it has made it. Where that fails, the crate compiles RocksDB: slower, as good.
set_up_rocksdb() {
  local folder key
  if [ "${MOISSON_ROCKSDB:-}" = system ]; then
    features=(--features system-rocksdb)
    return
  fi
  run_step "download of the crates" cargo fetch --locked || {
    ! grep -q 'because --locked was passed' "$(log_file "download of the crates")" ||
      fail "Cargo.lock is older than Cargo.toml." "Run: cargo fetch"
    fail "The crates could not be downloaded." "If the network is reached through a proxy, set https_proxy, then run this again."
  }
  key=$( (locked_version oxrocksdb-sys; rocksdb_flags; c++ --version) | sha256sum | cut -c 1-16)
  folder=$cache/rocksdb/$key
  if [ ! -f "$folder/rocksdb.pc" ] && ! make_rocksdb "$folder"; then
    warn "RocksDB could not be compiled in large units. Its crate compiles it: the build takes some 20 minutes longer."
    return
  fi
  export PKG_CONFIG_PATH=$folder ROCKSDB_STATIC=1
  features=(--features system-rocksdb)
}

# make_rocksdb FOLDER: librocksdb.a, with LZ4 in it, and rocksdb.pc, which is written last.
make_rocksdb() {
  local folder=$1 sources
  sources=$(crate_sources oxrocksdb-sys)
  rm -rf "$folder"
  mkdir -p "$folder/units"
  write_units "$sources/rocksdb/src.mk" "$folder/units"
  say "Compiling RocksDB $(rocksdb_version "$sources") (some minutes, once)"
  compile_units "$sources" "$folder/units" || return 1
  ar rcs "$folder/librocksdb.a" "$folder"/units/*.o
  rm -rf "$folder/units"
  cat > "$folder/rocksdb.pc" << END
Name: rocksdb
Description: RocksDB of oxrocksdb-sys $(locked_version oxrocksdb-sys)
Version: $(rocksdb_version "$sources")
Libs: -L$folder -lrocksdb
Cflags: -I$sources/rocksdb/include
END
}

rocksdb_version() {
  sed -n 's/^#define ROCKSDB_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\)$/\2/p' "$1/rocksdb/include/rocksdb/version.h" | paste -sd .
}

# write_units LIST FOLDER: shares the files of RocksDB's own list among the units, neighbours together.
write_units() {
  local files
  files=$(sed -n '/^LIB_SOURCES =/,/^ifeq/p' "$1" | grep -oE '[A-Za-z0-9_/]+\.cc' | grep -vx 'util/build_version.cc')
  awk -v folder="$2" -v units="$rocksdb_units" -v files="$(wc -l <<< "$files")" \
    '{ printf "#include \"%s\"\n", $0 > sprintf("%s/unit%02d.cc", folder, int((NR - 1) * units / files)) }' <<< "$files"
  echo '#include "build_version.cc"' > "$2/version.cc"
}

# compile_units SOURCES FOLDER: as many at a time as compilers fit into memory, and says how far it is.
compile_units() {
  local sources=$1 folder=$2 log flags unit
  log=$(log_file "build of RocksDB")
  mkdir -p "$(dirname "$log")"
  flags="$(rocksdb_flags | tr '\n' ' ')-I$sources/rocksdb -I$sources/rocksdb/include -I$sources/api -I$sources/lz4/lib"
  for unit in "$sources"/lz4/lib/{lz4,lz4frame,lz4hc,xxhash}.c; do
    cc -O3 -fPIC -c "$unit" -o "$folder/$(basename "$unit").o" || return 1
  done
  # shellcheck disable=SC2016
  printf '%s\n' "$folder"/*.cc | xargs -P "$CARGO_BUILD_JOBS" -I{} \
    sh -c 'c++ $2 -c "$1" -o "$1.o" && echo "  $(ls "$(dirname "$1")"/*.cc.o | wc -l) of $3 units of RocksDB"' \
    unit {} "$flags" $((rocksdb_units + 1)) 2> "$log" || {
    show_failure "build of RocksDB" 1 "$log" "c++ $flags"
    return 1
  }
}
