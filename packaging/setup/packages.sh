# Installs what is missing, where the system has apt and we are root; else says which command does.
#
# No version is chosen here: `libclang1` stands for the release's own default, whatever newer versions the package lists
# name, and however the lists change between two questions.

# Prints the packages that the build needs and the machine lacks, one a line. Arguments: PROGRAM=PACKAGE…, and
# `venv=PACKAGE` for the environments of Python, which are no program.
missing_packages() {
  local pair
  { command -v cc && command -v c++; } > /dev/null || echo build-essential
  has_certificates || echo ca-certificates
  for pair in "$@"; do
    case "$pair" in
      venv=*) python3 -c 'import ensurepip, venv' 2> /dev/null || printf '%s\n' python3 "${pair#*=}" ;;
      *) command -v "${pair%%=*}" > /dev/null || echo "${pair#*=}" ;;
    esac
  done | sort -u
}

has_certificates() {
  [ -n "${SSL_CERT_FILE:-}" ] || [ -r "${machine:-}/etc/ssl/certs/ca-certificates.crt" ] ||
    [ -r "${machine:-}/etc/pki/tls/certs/ca-bundle.crt" ] || [ -r "${machine:-}/etc/ssl/cert.pem" ]
}

# The command that installs packages of these Debian names on this system, to be shown or run.
install_command() {
  local sudo='' proxy=''
  [ "$(id -u)" -eq 0 ] || sudo='sudo '
  # sudo drops the environment, and with it the proxy.
  [ -z "$sudo" ] || [ -z "${http_proxy:-}" ] || proxy=" -o Acquire::http::Proxy=$http_proxy"
  if command -v apt-get > /dev/null; then
    echo "${sudo}apt-get$proxy update && ${sudo}apt-get$proxy install -y --no-install-recommends $*"
  elif command -v dnf > /dev/null; then
    echo "${sudo}dnf install -y $(system_names dnf "$@")"
  elif command -v apk > /dev/null; then
    echo "${sudo}apk add $(system_names apk "$@")"
  elif command -v pacman > /dev/null; then
    echo "${sudo}pacman -S --needed $(system_names pacman "$@")"
  else
    echo "install with your system's packages: $*"
  fi
}

# system_names TOOL DEBIAN_NAME…: the names that these packages have elsewhere.
system_names() {
  local tool=$1 name names=()
  shift
  for name in "$@"; do
    case "$tool:$name" in
      *:--reinstall) ;;
      dnf:build-essential) names+=(gcc gcc-c++) ;;
      dnf:libclang1) names+=(clang-libs) ;;
      apk:build-essential) names+=(build-base) ;;
      apk:libclang1) names+=(clang-libclang) ;;
      pacman:build-essential) names+=(base-devel) ;;
      pacman:libclang1) names+=(clang) ;;
      *) names+=("$name") ;;
    esac
  done
  echo "${names[*]}"
}

# install_packages PACKAGE…: fails with the command to run where it may not or cannot install.
install_packages() {
  [ $# -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null; then
    fail "These packages are missing, and installing them needs root: $*" \
      "Run: $(install_command "$@")" "Then run this command again."
  fi
  say "Installing $*"
  # Lists that are old name files that are gone. Where they cannot be updated, what is there may do.
  run_step "update of the package lists" apt-get update -qq || warn "The package lists could not be updated."
  DEBIAN_FRONTEND=noninteractive run_step "installation of $*" \
    apt-get install -y -qq --no-install-recommends "$@" ||
    fail "The packages could not be installed: $*" \
      "If the network is reached through a proxy, set http_proxy and https_proxy." "Then run: $(install_command "$@")"
}
