//! Writes the files of Poseidon's parameters beside the code that reads them; a test holds them against the library's.
//!
//!     cargo run -p commitment --example poseidon-constants

fn main() -> std::io::Result<()> {
    for arity in [3, 4, 8] {
        let path = format!(
            "{}/src/poseidon/arity-{arity}.bin",
            env!("CARGO_MANIFEST_DIR")
        );
        std::fs::write(&path, commitment::poseidon::to_stored(arity))?;
        println!("{path}");
    }
    Ok(())
}
