# The editor of the query page, which comes from npm, pinned. Without it the page is a plain form.
#
# Reads: $cache.

readonly editor=src/serve/query_page

editor_sum() { cat "$editor"/*.js "$editor"/*.css "$editor"/build.mjs "$editor"/package-lock.json | sha256sum; }

# It is built again when its sources change. Fails, after it has said why, where it cannot be built.
build_editor() {
  local sum
  sum=$(editor_sum)
  [ "$(cat "$editor/dist/sum" 2> /dev/null)" != "$sum" ] || return 0
  command -v npm > /dev/null || install_npm || return 1
  say "Building the editor of the query page"
  run_step "download of the editor's packages" npm --prefix "$editor" ci --no-audit --no-fund || return 1
  run_step "build of the editor" npm --prefix "$editor" run build || return 1
  echo "$sum" > "$editor/dist/sum"
}

install_npm() {
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null; then
    warn "npm is missing. To have it, run: $(install_command npm)"
    return 1
  fi
  (install_packages npm)
}
