//! Generates messages, clients and servers from `proto/`, without protoc.
//!
//! Messages that can carry a resident's data get a `Debug` that prints their name only, so that no log line and no
//! panic message can show what is in them.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost::Message as _;
use prost_types::FileDescriptorSet;

/// Packages whose messages print their name only.
const SILENT: [&str; 5] = [
    "viridian.audit.v1",
    "viridian.console.v1",
    "viridian.resident.v1",
    "viridian.source.v1",
    "viridian.gate.v1",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let files = proto_files(&root)?;
    let descriptors = protox::compile(&files, [&root])?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    let silent = write_silent_debug(&descriptors, &out)?;
    tonic_prost_build::configure()
        .out_dir(&out)
        .skip_debug(silent)
        .compile_fds(descriptors)?;
    Ok(())
}

/// All `.proto` files under `dir`, sorted so that the output does not depend on the file system.
fn proto_files(dir: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    let mut pending = vec![dir.to_path_buf()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|ext| ext == "proto") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// One file per silent package, included beside its generated messages. Returns the messages' full names.
fn write_silent_debug(
    descriptors: &FileDescriptorSet,
    out: &Path,
) -> Result<Vec<String>, Box<dyn Error>> {
    let mut silent = Vec::new();
    for package in SILENT {
        let mut code = String::new();
        let files = descriptors
            .file
            .iter()
            .filter(|file| file.package() == package);
        for message in files.flat_map(|file| &file.message_type) {
            assert!(
                message.nested_type.is_empty(),
                "nested messages would print their fields"
            );
            let name = message.name();
            silent.push(format!(".{package}.{name}"));
            writeln!(
                code,
                "impl ::core::fmt::Debug for {name} {{\n    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> \
                 ::core::fmt::Result {{\n        f.write_str(\"{name}(..)\")\n    }}\n}}"
            )?;
        }
        fs::write(out.join(format!("{package}.debug.rs")), code)?;
    }
    Ok(silent)
}
