//! Puts the editor of the query page where the program is compiled with it. `./dev` builds it by npm; without it the
//! page is a plain form.

use std::path::{Path, PathBuf};
use std::{env, fs};

const FILES: [&str; 3] = ["editor.js", "editor.css", "licences.txt"];

fn main() {
    let built = Path::new("src/serve/query_page/dist");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    println!("cargo:rerun-if-changed={}", built.display());
    let is_whole = FILES.iter().all(|name| built.join(name).exists());
    for name in FILES {
        let target = out.join(name);
        println!("cargo:rerun-if-changed={}", built.join(name).display());
        if is_whole {
            fs::copy(built.join(name), target).expect("a file of ours can be copied");
        } else {
            fs::write(target, "").expect("cargo's own folder can be written");
        }
    }
}
