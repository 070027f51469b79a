//! The files of an institution's console.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use federation::{PeerId, Role};
use rules::{SourceId, SourceKind};

use crate::world::{role_of, source_id, source_key};
use crate::{World, province};

/// What the console of a province signs for: its CDC, its laboratory, its office for appeals and a community office.
const OFFICES: [SourceKind; 4] = [
    SourceKind::Cdc,
    SourceKind::Laboratory,
    SourceKind::AppealsOffice,
    SourceKind::CommunityOffice,
];

/// Configures a console of a province at its node, by the world's clock, on a port that is free, in `console/` of the world;
/// the key ring and the list of staff are the program's to make. Gives the configuration's path.
///
/// # Panics
/// If the test's directory is not writable.
pub fn write_console(world: &World, code: u8) -> PathBuf {
    let dir = world.dir().join("console");
    fs::create_dir_all(&dir).expect("a directory");
    let keys = world.pinned();
    let keys: Vec<String> = keys
        .keys()
        .iter()
        .map(|key| hex::encode(key.as_bytes()))
        .collect();
    let mut text = format!(
        "federation = {:?}\nprovince = {code}\ndata_dir = \"data\"\nstore_key_file = \"store.keys\"\n\
         staff_file = \"staff.toml\"\n[page]\nlisten = \"127.0.0.1:0\"\n\
         [node]\naddress = \"127.0.0.1:{}\"\nroots_file = \"../federation.pem\"\n\
         [trust]\nroot_keys = {keys:?}\nroot_threshold = 2\n\
         [operator]\ncertificate_file = \"operator.pem\"\nkey_file = \"operator-key.pem\"\n",
        world.federation.as_str(),
        world.port(code),
    );
    let identity = |role| PeerId {
        federation: world.federation.clone(),
        province: province(code),
        role,
    };
    write_identity(world, &dir, "operator", &identity(Role::Operator));
    for source in OFFICES.map(|kind| source_id(code, kind)) {
        let _ = write!(text, "{}", office(&dir, source));
        let name = source.to_string();
        write_identity(world, &dir, &name, &identity(role_of(source)));
    }
    let path = dir.join("console.toml");
    fs::write(&path, text).expect("the test's directory is writable");
    path
}

/// The table of an office, whose signing key is written beside it.
fn office(dir: &Path, source: SourceId) -> String {
    let key = dir.join(format!("{source}-signing.key"));
    fs::write(&key, hex::encode(source_key(source).to_bytes()))
        .expect("the test's directory is writable");
    own(&key);
    format!(
        "[[office]]\nsource = \"{source}\"\ncertificate_file = \"{source}.pem\"\nkey_file = \"{source}-key.pem\"\n\
         signing_key_file = \"{source}-signing.key\"\n"
    )
}

fn write_identity(world: &World, dir: &Path, name: &str, identity: &PeerId) {
    world.write_identity(&format!("console/{name}"), identity);
    own(&dir.join(format!("{name}-key.pem")));
}

/// Has only its owner read a file.
fn own(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("an own file");
}
