//! The page is put into the program as it is built: where it was built since, the program is to be, too.

fn main() {
    println!("cargo:rerun-if-changed=web/dist");
    println!("cargo:rerun-if-changed=web/package.json");
}
