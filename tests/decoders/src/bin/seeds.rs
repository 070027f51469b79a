//! Names the targets, and writes the seeds of each to a folder of its name: `seeds list`, `seeds write DIR`.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use decoders::TARGETS;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["list"] => {
            for target in &TARGETS {
                println!("{} {}", target.name, target.max_len_bytes);
            }
            ExitCode::SUCCESS
        }
        ["write", dir] => match write(Path::new(dir)) {
            Ok(count) => {
                println!("{count} seeds of {} targets", TARGETS.len());
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{dir}: {error}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("usage: seeds list | seeds write DIR");
            ExitCode::from(2)
        }
    }
}

fn write(dir: &Path) -> io::Result<usize> {
    let mut count = 0;
    for target in &TARGETS {
        let folder = dir.join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in target.seeds().into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:03}")), seed)?;
            count += 1;
        }
    }
    Ok(count)
}
