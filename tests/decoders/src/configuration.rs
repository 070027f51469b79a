//! The files that an operator writes: configurations of node, checkpoint and console, sources, the civil register, a console's staff.

use std::path::Path;

use node::FileRegister;
use node::SourceBook;
use node::config::Config;
use node::store::KeyRing;
use viridian_console::StaffList;

use crate::bytes::says_within;

/// Where the files are said to lie.
const DIR: &str = "/etc/viridian";
const KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

/// An error may show the line that it speaks of, with its neighbours.
fn refused(message: &str, text: &str) {
    says_within(&message, 2_048 + 4 * text.len());
}

pub(crate) fn node(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let config = match Config::parse(text, Path::new(DIR)) {
        Ok(config) => config,
        Err(message) => return refused(&message, text),
    };
    let again = Config::parse(text, Path::new(DIR)).expect("what was read is read again");
    assert_eq!(again, config);
    assert!(config.data_dir.starts_with(DIR) || text.contains('/'));
    if config.production {
        let openings = config.openings.iter().map(|o| &o.parameters);
        let mut keys = std::iter::once(&config.proving.parameters).chain(openings);
        let test = keys.any(|key| matches!(key, node::config::Parameters::Test { .. }));
        assert!(!test && config.clock.is_none(), "a test for production");
    }
    assert!(config.limits.deadline_s > 0 && config.proving.threads > 0);
    assert!(config.trust.soft_stale_s <= config.trust.hard_stale_s);
}

pub(crate) fn node_seeds() -> Vec<Vec<u8>> {
    let samples = [
        include_str!("../../../deploy/node/basic.toml"),
        include_str!("../../../deploy/node/advanced.toml"),
    ];
    samples.map(|text| text.as_bytes().to_vec()).to_vec()
}

pub(crate) fn checkpoint(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let config = match checkpoint::Config::parse(text, Path::new(DIR)) {
        Ok(config) => config,
        Err(error) => return refused(&error.to_string(), text),
    };
    assert!(config.listen.ip().is_loopback());
    let demonstration =
        config.admit_specimens || config.clock.is_some() || config.acceptance.is_some();
    assert!(!config.production || !demonstration);
    let setting = config.setting().expect("a setting that was checked");
    assert_eq!(setting.place, config.province);
    assert_eq!(setting.own_rule.is_none(), config.profile.is_some());
    assert!(config.page_listen.is_none_or(|at| at.ip().is_loopback()));
    if !config.publishers.is_empty() {
        config.federation().expect("a name that was checked");
    }
}

pub(crate) fn checkpoint_seeds() -> Vec<Vec<u8>> {
    let basic = include_str!("../../../deploy/checkpoint/basic.toml");
    let advanced = include_str!("../../../deploy/checkpoint/advanced.toml");
    let profile = "profile = \"not-red\"";
    assert!(basic.contains(profile), "the sample has a profile");
    let own = basic
        .replace("production = true", "production = false")
        .replace(
            profile,
            "acceptance = { worst = \"yellow\", test_age_hours = 48, pass_age_max_min = 60 }",
        );
    [basic, advanced, &own]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}

pub(crate) fn console(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let config = match viridian_console::Config::parse(text, Path::new(DIR)) {
        Ok(config) => config,
        Err(message) => return refused(&message, text),
    };
    let page = &config.page;
    assert!(page.certificate_file.is_some() || page.listen.ip().is_loopback());
    assert!(
        page.hosts(1)
            .iter()
            .all(|name| name.starts_with(page.host()))
    );
    let ours =
        |office: &viridian_console::config::Office| office.source.province == config.province;
    assert!(config.offices.iter().all(ours), "an office of elsewhere");
}

pub(crate) fn console_seeds() -> Vec<Vec<u8>> {
    let sample = include_str!("../../../deploy/console/console.toml");
    let own = sample
        .replace("0.0.0.0:443", "127.0.0.1:0")
        .replace("certificate_file = \"page.pem\"", "")
        .replace("key_file = \"page.key\"", "");
    let simulated = format!("{own}[clock]\nstart_minute = 27_000_000\nrate_min_per_s = 1\n");
    [sample, &own, &simulated]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}

pub(crate) fn staff(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match StaffList::parse(text) {
        Ok(list) => {
            assert!(list.iter().count() <= 256);
            let mut people = list.iter().map(|(person, _)| person);
            assert!(people.all(|person| person.roles.iter().next().is_some()));
        }
        Err(message) => refused(&message, text),
    }
}

pub(crate) fn staff_seeds() -> Vec<Vec<u8>> {
    let person = |digit: u8, name: &str, rest: &str| {
        format!(
            "[[person]]\nid = \"000000000000000{digit}\"\nname = \"{name}\"\nroles = [\"clerk\", \"approver\"]\n{rest}"
        )
    };
    let invited = format!("invitation = \"{KEY}\"\ninvited_until = 1_662_000_000\n");
    let both = person(1, "王敏", "") + &person(2, "Li Lei", &invited);
    [person(1, "王敏", ""), both]
        .map(String::into_bytes)
        .to_vec()
}

pub(crate) fn sources(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match SourceBook::parse(text) {
        Ok(book) => {
            // A source has a name and a key.
            assert!(book.len().saturating_mul(64) <= text.len());
        }
        Err(message) => refused(&message, text),
    }
}

pub(crate) fn sources_seeds() -> Vec<Vec<u8>> {
    let entry = |kind: &str, number: u32, rest: &str| {
        format!(
            "[[source]]\nprovince = 33\nkind = \"{kind}\"\nnumber = {number}\nname = \"Hangzhou\"\npublic_key = \"{KEY}\"\n{rest}"
        )
    };
    let grant = "since_minute = 27_000_000\nuntil_minute = 28_000_000\n";
    let both = entry("cdc", 1, "") + &entry("laboratory", 2, grant);
    [entry("cdc", 1, ""), both, entry("resident", 1, "")]
        .map(String::into_bytes)
        .to_vec()
}

pub(crate) fn register(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let ring = KeyRing::from_secret([1; 32]);
    match FileRegister::parse(text, &ring) {
        Ok(register) => assert!(register.len().saturating_mul(129) <= text.len()),
        Err(message) => refused(&message, ""),
    }
    match FileRegister::seal(text, &ring) {
        Ok(sealed) => {
            let people = text.lines().count();
            match FileRegister::parse(&sealed, &ring) {
                Ok(register) => assert_eq!(register.len(), people),
                Err(message) => assert!(message.contains("repeats"), "{message}"),
            }
        }
        Err(message) => refused(&message, ""),
    }
}

pub(crate) fn register_seeds() -> Vec<Vec<u8>> {
    let list = "11010519491231002X,王芳\n330102199001010012,李雷\n".to_owned();
    let one = "11010519491231002X,王芳\n";
    let sealed = FileRegister::seal(one, &KeyRing::from_secret([1; 32]));
    [list, one.to_owned(), sealed.expect("one person")]
        .map(String::into_bytes)
        .to_vec()
}
