# Finds a libclang that can read C headers, as bindgen must for RocksDB's bindings, before anything is compiled.
#
# A libclang reads only the headers of its own version, and those are another package. So the headers are the
# compiler's own where libclang has none, and a library is believed only after it has parsed some of them.
#
# Sets: libclang_library, libclang_arguments, libclang_attempts. Reads: $cache, $machine.

# Prints the libraries to try, one a line: what LIBCLANG_PATH names, then the system's, newest first.
# `libclang-cpp.so` is another library, which bindgen cannot use.
libclang_candidates() {
  {
    if [ -f "${LIBCLANG_PATH:-}" ]; then
      echo "$LIBCLANG_PATH"
    elif [ -n "${LIBCLANG_PATH:-}" ]; then
      libclangs_in "$LIBCLANG_PATH"
    fi
    local folder
    for folder in "${machine:-}"/usr/lib/llvm-*/lib "${machine:-}"/usr/lib/llvm*/lib "${machine:-}"/usr/lib/*-linux-gnu \
      "${machine:-}"/usr/lib64/llvm*/lib "${machine:-}"/usr/lib64 "${machine:-}"/usr/lib "${machine:-}"/usr/local/lib; do
      libclangs_in "$folder"
    done | sort -rV
  } | awk '!seen[$0]++'
}

libclangs_in() {
  compgen -G "$1/libclang.so*" || true
  compgen -G "$1/libclang-[0-9]*.so*" || true
}

build_libclang_probe() {
  libclang_probe=$cache/libclang_probe
  mkdir -p "$cache"
  run_step "build of the libclang probe" cc -o "$libclang_probe" packaging/setup/libclang_probe.c -ldl ||
    fail "The C compiler does not work." "Run: $(install_command build-essential)"
}

# probe_libclang LIBRARY [ARGUMENT]…: prints its version, or why it cannot be used.
probe_libclang() { timeout 30 "$libclang_probe" "$@" 2>&1; }

# The argument with which libclang reads the compiler's own headers.
compiler_headers() { printf -- '-I%s' "$(cc -print-file-name=include)"; }

# Finds the first library that works, by its own headers or by the compiler's.
find_libclang() {
  local library arguments answer
  libclang_attempts=()
  while read -r library; do
    for arguments in '' "$(compiler_headers)"; do
      if answer=$(probe_libclang "$library" ${arguments:+"$arguments"}); then
        libclang_library=$library libclang_arguments=$arguments
        return 0
      fi
      libclang_attempts+=("$library${arguments:+ with $arguments}: $(head -n 1 <<< "$answer")")
    done
  done < <(libclang_candidates)
  return 1
}

# Makes bindgen use a libclang that works; installs one where there is none.
set_up_libclang() {
  local asked=${LIBCLANG_PATH:-}
  build_libclang_probe
  if ! find_libclang; then
    install_packages libclang1
    find_libclang || fail_without_libclang
  fi
  if [ -n "$asked" ] && [[ "$libclang_library" != "$asked"* ]]; then
    warn "LIBCLANG_PATH=$asked has no libclang that works. Using $libclang_library instead."
  fi
  export LIBCLANG_PATH=$libclang_library
  if [ -n "$libclang_arguments" ]; then
    export BINDGEN_EXTRA_CLANG_ARGS="${BINDGEN_EXTRA_CLANG_ARGS:+$BINDGEN_EXTRA_CLANG_ARGS }$libclang_arguments"
  fi
}

fail_without_libclang() {
  fail "No libclang of this machine can read C headers, and RocksDB's bindings need one. Tried:" \
    "${libclang_attempts[@]:-no library was found}" "Run: $(install_command --reinstall libclang1 libc6-dev)"
}
