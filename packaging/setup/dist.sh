# Makes what people install into dist/: the wheel, the Debian package, the image, checksums and a bill of materials.
#
# Reads: $cache, $CARGO_TARGET_DIR, $features.

# make_distribution [PROFILE]: `dev` packs the development build, to try the packaging without half an hour of optimisation.
make_distribution() {
  profile=${1:-release}
  dist=$PWD/dist
  version=$(sed -n '/^\[package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)
  if [ "$profile" = release ]; then
    export MOISSON_BUILD_COMMIT=${MOISSON_BUILD_COMMIT:-$(git rev-parse --short=12 HEAD 2> /dev/null || echo "unknown commit")}
  fi
  rm -rf "$dist"
  mkdir -p "$dist"
  say "Packing Moisson $version (profile $profile) into dist/"
  make_program
  make_wheel
  make_debian_package
  if [ "$profile" = release ]; then
    make_image
    make_bill_of_materials
  fi
  (cd "$dist" && find . -maxdepth 1 -type f ! -name SHA256SUMS -printf '%P\n' | sort | xargs sha256sum > SHA256SUMS)
  say "Trying what was packed"
  packaging/try "$dist"
}

make_program() {
  build "build of Moisson ($profile)" build --locked --profile "$profile" "${features[@]}"
  local program=$CARGO_TARGET_DIR/$profile/moisson
  [ "$profile" = release ] || program=$CARGO_TARGET_DIR/debug/moisson
  "$program" manual "$dist/manual"
  mkdir -p "$dist/completions"
  "$program" completions bash > "$dist/completions/moisson.bash"
  "$program" completions zsh > "$dist/completions/_moisson"
  "$program" completions fish > "$dist/completions/moisson.fish"
  install -D "$program" "$dist/image/out/moisson"
  strip "$dist/image/out/moisson"
}

# The wheel says the oldest glibc that it runs with, which maturin reads from the symbols of the program.
make_wheel() {
  install_checks
  run_step "wheel" maturin build --profile "$profile" --locked "${features[@]}" --out "$dist" || exit 1
}

make_debian_package() {
  install_tool cargo-deb "$deb_version"
  run_step "Debian package" cargo deb --no-build --profile "$profile" --output "$dist/" || exit 1
}

make_image() {
  local tool
  if tool=$(container_tool); then
    run_step "image" "$tool" build -f packaging/Dockerfile -t "moisson:$version" . || exit 1
  elif command -v buildah > /dev/null && [ "$(id -u)" -eq 0 ]; then
    packaging/image "$version" "$dist/image"
  else
    warn "There is no docker, podman or buildah that works: the image was not built."
  fi
}

# A client without its daemon does not work.
container_tool() {
  local tool
  for tool in docker podman; do
    if command -v "$tool" > /dev/null && timeout 20 "$tool" info > /dev/null 2>&1; then
      echo "$tool"
      return
    fi
  done
  return 1
}

# What the program is made of: the crates, and the packages of the query page's editor.
make_bill_of_materials() {
  install_tool cargo-cyclonedx "$cyclonedx_version"
  run_step "bill of materials of the crates" cargo cyclonedx --format json --override-filename moisson-crates --target all || exit 1
  mv moisson-crates.json "$dist/moisson-$version-crates.cdx.json"
  # Vendored sources get one beside them.
  rm -f vendor/oxigraph/moisson-crates.json
  if command -v npm > /dev/null; then
    (cd src/serve/query_page && npm sbom --sbom-format cyclonedx --package-lock-only) > "$dist/moisson-$version-editor.cdx.json"
  fi
}
