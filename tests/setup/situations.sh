#!/usr/bin/env bash
# The decisions of ./dev in recorded situations: which package, which libclang, how many compilers, when to stop.
#
# Each situation is a machine of its own: a folder that stands for its root, and stand-ins for the programs that are
# asked. What a situation expects is written beside it. Prints each that fails, and the count.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

passed=0 failed=0

# situation NAME: a fresh machine, with no program but those that scripts need.
situation() {
  name=$1
  root=$scratch/$((passed + failed))
  programs=$root/programs
  mkdir -p "$programs" "$root/proc" "$root/etc/ssl/certs" "$root/home"
  local program
  for program in bash sh awk sed grep sort head tail cut tr wc cat ls mkdir dirname basename mktemp rm find timeout du \
    env printf paste sha256sum cmp cp touch sleep; do
    ln -sf "$(command -v "$program")" "$programs/$program"
  done
  touch "$root/etc/ssl/certs/ca-certificates.crt" "$root/calls"
  echo 'MemAvailable: 16000000 kB' > "$root/proc/meminfo"
  has_program nproc 'echo 4'
  has_program uname 'echo x86_64'
  has_program id 'echo 0'
  has_program df 'printf "Filesystem 1M-blocks Used Available\n/dev/vda 250000 1 90000 1 /\n"'
  has_program cargo ':'
  has_program rustc 'echo "rustc 1.95.0 (59807616e 2026-04-14)"'
  has_program c++ ':'
  has_program pkg-config ':'
  # The compiler makes the probe: a stand-in that believes the libraries which the situation names as usable.
  has_program cc 'case "$1" in
      -print-file-name=include) echo "$MACHINE/usr/lib/gcc/12/include" ;;
      *) cp "$MACHINE/programs/probe" "$2" ;;
    esac'
  has_program probe 'answer=$(grep -F -x -A 1 -- "$*" "$MACHINE/usable" 2> /dev/null) && echo "${answer##*$'"'\n'"'}" && exit 0
    echo "'"'stdbool.h'"' file not found"; exit 1'
  touch "$root/usable"
}

# has_program NAME SCRIPT: what it does; each call is noted.
has_program() {
  printf '#!%s\necho "%s $*" >> "$MACHINE/calls"\n%s\n' "$BASH" "$1" "$2" > "$programs/$1"
  chmod +x "$programs/$1"
}

lacks_program() { rm -f "$programs/$1"; }

# has_library PATH…: files of libclang, relative to the machine's root.
has_library() {
  local path
  for path in "$@"; do
    mkdir -p "$root/$(dirname "$path")"
    touch "$root/$path"
  done
}

# is_usable LIBRARY [ARGUMENT]: the probe parses headers with it.
is_usable() { printf '%s%s\nDebian clang version\n' "$root/$1" "${2:+ $2}" >> "$root/usable"; }

with_compiler_headers() { is_usable "$1" "-I$root/usr/lib/gcc/12/include"; }

# The packages that apt-get installs become files by the situation's own script.
has_apt() { has_program apt-get "case \"\$*\" in *install*) $1 ;; esac"; }

# decide COMMAND…: runs functions of ./dev on the machine, with the variables that the situation gives.
decide() {
  env -i PATH="$programs" HOME="$root/home" MACHINE="$root" "${variables[@]}" bash -c '
    machine=$MACHINE
    . ./dev
    '"$*" > "$root/out" 2>&1 < /dev/null
  status=$?
}

# expect STATUS TEXT…: the decision ended so, and said each of these texts. A text after ! must not be there.
expect() {
  local wanted=$1 text is_good=yes
  shift
  [ "$status" = "$wanted" ] || is_good=no
  for text in "$@"; do
    if [ "${text#!}" != "$text" ]; then
      ! grep -qF -- "${text#!}" "$root/out" || is_good=no
    else
      grep -qF -- "$text" "$root/out" || is_good=no
    fi
  done
  if [ "$is_good" = yes ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n  expected status %s and: %s\n  status %s, said:\n' "$name" "$wanted" "$*" "$status"
    sed 's/^/    /' "$root/out"
  fi
  variables=()
}

variables=()
chosen='set_up_libclang && echo "library=$LIBCLANG_PATH arguments=${BINDGEN_EXTRA_CLANG_ARGS:-none}"'
needs='missing_packages pkg-config=pkg-config'

# --- which libclang, by system --------------------------------------------------------------------------------------

situation 'Debian 11 with libclang 11 and its headers'
has_library usr/lib/llvm-11/lib/libclang-11.so.1 usr/lib/x86_64-linux-gnu/libclang-11.so.1
is_usable usr/lib/llvm-11/lib/libclang-11.so.1
decide "$chosen"
expect 0 "library=$root/usr/lib/llvm-11/lib/libclang-11.so.1 arguments=none"

situation 'Debian 12 with libclang 14 and no headers of clang: the compiler'"'"'s own are read'
has_library usr/lib/llvm-14/lib/libclang-14.so.1 usr/lib/llvm-14/lib/libclang-cpp.so.14
with_compiler_headers usr/lib/llvm-14/lib/libclang-14.so.1
decide "$chosen"
expect 0 "library=$root/usr/lib/llvm-14/lib/libclang-14.so.1 arguments=-I$root/usr/lib/gcc/12/include" '!libclang-cpp'

situation 'Debian 12 that failed: library 19, headers 22, libclang-cpp 14'
has_library usr/lib/llvm-19/lib/libclang-19.so.19 usr/lib/llvm-22/lib/clang/22/include/stddef.h usr/lib/llvm-14/lib/libclang-cpp.so.14
with_compiler_headers usr/lib/llvm-19/lib/libclang-19.so.19
decide "$chosen"
expect 0 "library=$root/usr/lib/llvm-19/lib/libclang-19.so.19" "arguments=-I$root/usr/lib/gcc/12/include"

for lists in 'before 22 appeared' 'after 22 appeared' 'with lists of before on a day after'; do
  situation "Debian 12 without libclang, $lists: the release's own is installed, whatever the lists name"
  has_apt "mkdir -p $root/usr/lib/llvm-14/lib && touch $root/usr/lib/llvm-14/lib/libclang-14.so.1"
  has_program apt-cache 'echo "libclang1-14 libclang1-19 libclang1-22" | tr " " "\n"'
  with_compiler_headers usr/lib/llvm-14/lib/libclang-14.so.1
  decide "$chosen; cat \$MACHINE/calls"
  expect 0 "library=$root/usr/lib/llvm-14/lib/libclang-14.so.1" 'Installing libclang1' '!apt-cache' \
    'apt-get install -y -qq --no-install-recommends libclang1'
done

situation 'Debian 13 with libclang 19 and its headers'
has_library usr/lib/llvm-19/lib/libclang-19.so.19 usr/lib/x86_64-linux-gnu/libclang-19.so.19
is_usable usr/lib/llvm-19/lib/libclang-19.so.19
decide "$chosen"
expect 0 "library=$root/usr/lib/llvm-19/lib/libclang-19.so.19 arguments=none"

situation 'Ubuntu 22.04 with libclang 14'
has_library usr/lib/llvm-14/lib/libclang-14.so.1 usr/lib/x86_64-linux-gnu/libclang-14.so.13
with_compiler_headers usr/lib/llvm-14/lib/libclang-14.so.1
decide "$chosen"
expect 0 "library=$root/usr/lib/llvm-14/lib/libclang-14.so.1"

situation 'Ubuntu 24.04 with libclang 18 and an unusable 20: the next is tried'
has_library usr/lib/llvm-20/lib/libclang-20.so.20 usr/lib/llvm-18/lib/libclang-18.so.18
is_usable usr/lib/llvm-18/lib/libclang-18.so.18
decide "$chosen"
expect 0 "library=$root/usr/lib/llvm-18/lib/libclang-18.so.18 arguments=none"

situation 'a libclang that nothing mends: what was tried, and the command'
has_library usr/lib/llvm-14/lib/libclang-14.so.1
has_apt ':'
decide "$chosen"
expect 1 'No libclang of this machine can read C headers' "$root/usr/lib/llvm-14/lib/libclang-14.so.1: 'stdbool.h' file not found" \
  'Run: apt-get update && apt-get install -y --no-install-recommends --reinstall libclang1 libc6-dev'

situation 'a LIBCLANG_PATH that is wrong: another library, and a warning'
has_library usr/lib/llvm-14/lib/libclang-14.so.1
with_compiler_headers usr/lib/llvm-14/lib/libclang-14.so.1
variables=(LIBCLANG_PATH=/nowhere/lib)
decide "$chosen"
expect 0 'warning: LIBCLANG_PATH=/nowhere/lib has no libclang that works' "library=$root/usr/lib/llvm-14/lib/libclang-14.so.1"

situation 'a LIBCLANG_PATH that is right comes first'
has_library opt/clang/libclang.so usr/lib/llvm-19/lib/libclang-19.so.19
is_usable opt/clang/libclang.so
is_usable usr/lib/llvm-19/lib/libclang-19.so.19
variables=("LIBCLANG_PATH=$root/opt/clang")
decide "$chosen"
expect 0 "library=$root/opt/clang/libclang.so" '!warning'

situation 'arguments of clang that were set stay'
has_library usr/lib/llvm-14/lib/libclang-14.so.1
with_compiler_headers usr/lib/llvm-14/lib/libclang-14.so.1
variables=(BINDGEN_EXTRA_CLANG_ARGS=-DX)
decide "$chosen"
expect 0 "arguments=-DX -I$root/usr/lib/gcc/12/include"

situation 'a C compiler that does not work'
has_program cc 'echo "cc1: broken"; exit 1'
decide "$chosen"
expect 1 'The C compiler does not work' 'cc1: broken' 'build-essential'

# --- which packages -------------------------------------------------------------------------------------------------

situation 'a machine that has everything'
decide "$needs"
expect 0 '!build-essential' '!pkg-config'

situation 'no compiler, no pkg-config, no certificates'
lacks_program cc
lacks_program pkg-config
rm "$root/etc/ssl/certs/ca-certificates.crt"
decide "$needs"
expect 0 build-essential pkg-config ca-certificates

situation 'a C compiler without C++'
lacks_program c++
decide "$needs"
expect 0 build-essential

situation 'environments of Python without their package, as Debian has it'
has_program python3 'echo "No module named ensurepip"; exit 1'
decide 'missing_packages venv=python3-venv'
expect 0 python3-venv

situation 'no root: the one command'
has_program id 'echo 1000'
has_apt ':'
decide 'install_packages libclang1 pkg-config'
expect 1 'needs root: libclang1 pkg-config' 'Run: sudo apt-get update && sudo apt-get install -y --no-install-recommends libclang1 pkg-config'

situation 'no root behind a proxy: sudo would drop it'
has_program id 'echo 1000'
has_apt ':'
variables=(http_proxy=http://proxy:3128)
decide 'install_packages libclang1'
expect 1 'sudo apt-get -o Acquire::http::Proxy=http://proxy:3128 install'

situation 'no package lists at all: they are fetched once, before the installation'
has_apt "[ -e $root/updated ] || exit 100"
has_program apt-get "case \"\$*\" in *update*) touch $root/updated ;; *install*) [ -e $root/updated ] || exit 100 ;; esac"
decide 'install_packages libclang1; grep -c update $MACHINE/calls'
expect 0 1

situation 'lists that change between two questions: no question is asked'
has_apt ':'
has_program apt-cache 'echo "libclang1-$RANDOM"'
decide 'install_packages libclang1; cat $MACHINE/calls'
expect 0 '!apt-cache' 'install -y -qq --no-install-recommends libclang1'

situation 'no network: the last lines, the log, what to try'
has_program apt-get 'echo "Temporary failure resolving deb.debian.org"; exit 100'
decide 'install_packages libclang1'
expect 1 'The package lists could not be updated' 'Temporary failure resolving' 'The whole output: ' 'set http_proxy and https_proxy'

situation 'lists that cannot be updated, and a package that is there all the same'
has_program apt-get 'case "$*" in *update*) exit 100 ;; esac'
decide 'install_packages libclang1'
expect 0 'could not be updated'

situation 'Fedora: the names of its packages'
has_program dnf ':'
decide 'install_packages build-essential libclang1'
expect 1 'Run: dnf install -y gcc gcc-c++ clang-libs'

# --- Rust, disk, memory ---------------------------------------------------------------------------------------------

situation 'an old Rust: the version that is needed'
has_program rustc 'echo "rustc 1.70.0"'
decide check_rust
expect 1 'Rust 1.70.0 is too old. Moisson needs Rust 1.90 or later.' 'rustup update stable'

situation 'a Rust of just the version that is needed'
has_program rustc 'echo "rustc 1.90.0 (hash date)"'
decide check_rust
expect 0

situation 'no Rust'
lacks_program rustc
decide check_rust
expect 1 'Rust is missing' 'https://rustup.rs'

situation 'little disk: said before anything is compiled'
has_program df 'printf "Filesystem 1M-blocks Used Available\n/dev/vda 250000 1 900 1 /\n"'
decide 'check_disk 3000'
expect 1 'The disk has 900 MB free' 'The build needs 3000 MB' 'MOISSON_CACHE='

situation 'disk for the build and no more'
has_program df 'printf "Filesystem 1M-blocks Used Available\n/dev/vda 250000 1 3000 1 /\n"'
decide 'check_disk 3000'
expect 0

situation 'little memory: fewer compilers'
echo 'MemAvailable: 4200000 kB' > "$root/proc/meminfo"
decide 'set_compile_jobs; echo "jobs=$CARGO_BUILD_JOBS"'
expect 0 'jobs=2' 'warning: Only 4101 MB of memory are free'

situation 'hardly any memory: one compiler'
echo 'MemAvailable: 300000 kB' > "$root/proc/meminfo"
decide 'set_compile_jobs; echo "jobs=$CARGO_BUILD_JOBS"'
expect 0 'jobs=1'

situation 'a container with less memory than the machine'
mkdir -p "$root/sys/fs/cgroup"
echo 5368709120 > "$root/sys/fs/cgroup/memory.max"
echo 1073741824 > "$root/sys/fs/cgroup/memory.current"
decide 'set_compile_jobs; echo "jobs=$CARGO_BUILD_JOBS"'
expect 0 'jobs=2'

situation 'enough memory: as many compilers as processors, and no warning'
decide 'set_compile_jobs; echo "jobs=$CARGO_BUILD_JOBS"'
expect 0 'jobs=4' '!warning'

situation 'a number of jobs that was set stays'
variables=(CARGO_BUILD_JOBS=7)
decide 'set_compile_jobs; echo "jobs=$CARGO_BUILD_JOBS"'
expect 0 'jobs=7'

# --- steps ----------------------------------------------------------------------------------------------------------

situation 'a build that fails: its last lines, its log, what to try'
has_program cargo 'echo "error: linking: No space left on device"; exit 101'
decide 'build "build of Moisson" build'
expect 101 'build of Moisson failed with status 101' 'No space left on device' 'The whole output: ' 'The disk is full'

situation 'a compiler that the kernel ended'
has_program cargo 'echo "process did not exit successfully (signal: 9, SIGKILL: kill)"; exit 101'
decide 'build "build of Moisson" build'
expect 101 'ended for want of memory' 'CARGO_BUILD_JOBS=1'

situation 'npm that cannot reach its registry: the main job goes on'
has_program npm 'echo "npm error code UNABLE_TO_GET_ISSUER_CERT_LOCALLY"; exit 1'
decide 'editor_sum() { echo new; }; build_editor || echo "left out"'
expect 0 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' 'left out'

situation 'no npm and no root: how to have it'
has_program id 'echo 1000'
has_apt ':'
decide 'editor_sum() { echo new; }; build_editor || echo "left out"'
expect 0 'npm is missing' 'sudo apt-get' 'left out'

situation 'RocksDB that does not compile in large units: its crate compiles it'
has_program c++ 'case "$*" in *--version*) echo "c++ 10" ;; *) echo "error: no C++20"; exit 1 ;; esac'
has_program xargs 'exit 1'
mkdir -p "$root/home/.cargo/registry/src/index/oxrocksdb-sys-$(sed -n '/^name = "oxrocksdb-sys"/{n;s/.*"\(.*\)"/\1/p}' Cargo.lock)/rocksdb/include/rocksdb"
decide 'set_compile_jobs; set_up_rocksdb; echo "features=${features[*]:-none}"'
expect 0 'warning: RocksDB could not be compiled in large units' 'features=none'

situation 'a word that is no command'
decide 'main frobnicate'
expect 1 './dev demo' "There is no command 'frobnicate'"

situation 'no word: what there is, in four lines'
decide 'main | wc -l'
expect 0 4

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
