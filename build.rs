//! Puts the editor of the query page where the program is compiled with it, and notes what the program is made of.
//! `./dev` builds the editor by npm; without it the page is a plain form.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const EDITOR: [&str; 3] = ["editor.js", "editor.css", "licences.txt"];

fn main() {
    copy_editor();
    println!("cargo:rustc-env=MOISSON_COMMIT={}", commit());
    println!("cargo:rustc-env=MOISSON_OXIGRAPH={}", locked_version("oxigraph").unwrap_or_default());
    println!("cargo:rustc-env=MOISSON_ROCKSDB={}", rocksdb_version());
}

fn copy_editor() {
    let built = Path::new("src/serve/query_page/dist");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    println!("cargo:rerun-if-changed={}", built.display());
    let is_whole = EDITOR.iter().all(|name| built.join(name).exists());
    for name in EDITOR {
        let target = out.join(name);
        println!("cargo:rerun-if-changed={}", built.join(name).display());
        if is_whole {
            fs::copy(built.join(name), target).expect("a file of ours can be copied");
        } else {
            fs::write(target, "").expect("cargo's own folder can be written");
        }
    }
}

/// The commit of a release build: `MOISSON_BUILD_COMMIT`, for sources without their history, else what git says.
/// A development build names none, since each commit would compile it anew.
fn commit() -> String {
    println!("cargo:rerun-if-env-changed=MOISSON_BUILD_COMMIT");
    if let Ok(commit) = env::var("MOISSON_BUILD_COMMIT") {
        return commit;
    }
    if env::var("PROFILE").as_deref() != Ok("release") {
        return "development build".to_owned();
    }
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-changed=.git/refs/heads");
    output(Command::new("git").args(["rev-parse", "--short=12", "HEAD"]))
        .unwrap_or_else(|| "unknown commit".to_owned())
}

fn locked_version(name: &str) -> Option<String> {
    println!("cargo:rerun-if-changed=Cargo.lock");
    let lock = fs::read_to_string("Cargo.lock").ok()?;
    let (_, package) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    Some(package.split_once('"')?.0.to_owned())
}

/// The version of the RocksDB that is linked: pkg-config's, or that of the sources of its crate.
fn rocksdb_version() -> String {
    if env::var_os("CARGO_FEATURE_SYSTEM_ROCKSDB").is_some() {
        return output(Command::new("pkg-config").args(["--modversion", "rocksdb"])).unwrap_or_default();
    }
    let version = locked_version("oxrocksdb-sys").unwrap_or_default();
    bundled_rocksdb(&version).unwrap_or_else(|| format!("of oxrocksdb-sys {version}"))
}

fn bundled_rocksdb(crate_version: &str) -> Option<String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))?;
    let header = fs::read_dir(home.join("registry/src")).ok()?.find_map(|registry| {
        let sources = registry.ok()?.path().join(format!("oxrocksdb-sys-{crate_version}"));
        fs::read_to_string(sources.join("rocksdb/include/rocksdb/version.h")).ok()
    })?;
    let number = |part: &str| {
        let (_, rest) = header.split_once(&format!("#define ROCKSDB_{part} "))?;
        rest.lines().next().map(str::trim)
    };
    Some(format!("{}.{}.{}", number("MAJOR")?, number("MINOR")?, number("PATCH")?))
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
