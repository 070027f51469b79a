//! The configuration file. It is read, completed and checked as a whole before a port opens or a file is touched.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use federation::FederationId;
use gate::{Setting, TemperatureLimit};
use rules::{Claim, Minute, ProvinceCode, TestAge, WorstColour};
use serde::Deserialize;
use verifier::trust::RootKeys;
use verifier::{
    AcceptanceRule, BinderKind, BinderKinds, CARD_PASS_AGE_LIMIT_MIN, GateId, PASS_AGE_LIMIT_MIN,
    Specimens,
};

use crate::Error;
use crate::refresh::check_url;
use crate::state::read_file;

/// Longest configuration file.
const MAX_CONFIG_LEN_BYTES: u64 = 64 * 1024;
/// Shortest time between two refreshes, seconds: publishers are not to be asked more often.
const LEAST_REFRESH_S: u32 = 10;

/// The configuration file of a checkpoint. Paths are relative to the file's own directory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whether this gate lets people pass: then specimens, a simulated clock and an own acceptance rule are refused.
    pub production: bool,
    /// The province that it stands in.
    pub province: ProvinceCode,
    /// Its name in challenges: 16 hexadecimal digits.
    pub gate_id: String,
    /// Where trust list, last time seen and accepted showings are kept.
    pub state_dir: PathBuf,
    /// Profile of the trust list that says what is asked for.
    #[serde(default)]
    pub profile: Option<String>,
    /// What is asked for, instead of a profile; outside production only.
    #[serde(default)]
    pub acceptance: Option<AcceptanceFile>,
    /// Whether passes under test circuits count; outside production only.
    #[serde(default)]
    pub admit_specimens: bool,
    /// Half minutes by which a showing may lie before or behind the gate's clock, at most 10.
    #[serde(default = "Config::default_slot_skew")]
    pub slot_skew_half_min: u8,
    /// The highest body temperature that the gate's page lets pass, tenths of a degree Celsius from 350 to 420; none asks for none.
    #[serde(default)]
    pub temperature_limit_tenth_c: Option<u16>,
    /// Whom to believe.
    pub trust: Trust,
    /// Whom to ask for the trust list.
    #[serde(default, rename = "publisher")]
    pub publishers: Vec<Publisher>,
    /// Where the same is to be had by plain HTTP.
    #[serde(default, rename = "mirror")]
    pub mirrors: Vec<Mirror>,
    /// Address of the gate's door, on loopback.
    #[serde(default = "Config::default_listen")]
    pub listen: SocketAddr,
    /// Address of the gate's page, on loopback; none serves no page.
    #[serde(default)]
    pub page_listen: Option<SocketAddr>,
    /// A clock that is not the world's; outside production only.
    #[serde(default)]
    pub clock: Option<SimulatedTime>,
}

/// The offline keys that are believed from the start, and how the trust list is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// Ed25519 public keys of the offline roots, 64 hexadecimal digits each.
    pub root_keys: Vec<String>,
    /// How many of them must have signed.
    pub root_threshold: u8,
    /// Name of the federation; needed with publishers.
    #[serde(default)]
    pub federation: Option<String>,
    /// Roots of the federation's certificates, PEM; needed with publishers.
    #[serde(default)]
    pub certificate_roots_file: Option<PathBuf>,
    /// Time between two refreshes of a serving gate, seconds, at least 10.
    #[serde(default = "Trust::default_refresh_every_s")]
    pub refresh_every_s: u32,
}

/// A node whose public door gives the trust list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publisher {
    /// Its province.
    pub province: ProvinceCode,
    /// `host:port` of its public door.
    pub address: String,
}

/// Where the trust list is to be had by plain HTTP: a node's listener of its log, or a copy or cache of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mirror {
    /// `http://host[:port][/path]`; `/trust/v1/list` and the like follow.
    pub url: String,
}

/// Who gives a trust list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A node.
    Node(Publisher),
    /// A mirror.
    Mirror(Mirror),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Node(node) => write!(f, "{} {}", node.province.get(), node.address),
            Self::Mirror(mirror) => f.write_str(&mirror.url),
        }
    }
}

/// An acceptance rule of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptanceFile {
    /// The worst colour admitted: `green` or `yellow`.
    pub worst: WorstColour,
    /// Oldest negative test in hours: 0 (not asked), 24, 48 or 72.
    #[serde(default)]
    pub test_age_hours: u32,
    /// Oldest pass of a device, minutes.
    pub pass_age_max_min: u32,
    /// Oldest pass of a card alone, minutes; 0 refuses them.
    #[serde(default)]
    pub card_pass_age_max_min: u32,
}

/// A simulated clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedTime {
    /// Where it starts, minutes since the Unix epoch.
    pub start_minute: Minute,
    /// How fast it goes, minutes each second; zero stands still.
    pub rate_min_per_s: u32,
}

impl Trust {
    const fn default_refresh_every_s() -> u32 {
        600
    }

    /// The pinned keys.
    ///
    /// # Errors
    /// [`Error::Config`] for keys that are none, or a threshold that does not go with them.
    pub fn pinned(&self) -> Result<RootKeys, Error> {
        RootKeys::from_digits(&self.root_keys, self.root_threshold)
            .map_err(|error| Error::Config(format!("trust.root_keys: {error}")))
    }
}

impl AcceptanceFile {
    fn rule(&self) -> Result<AcceptanceRule, Error> {
        let test_age = TestAge::MENU
            .into_iter()
            .find(|age| age.hours() == self.test_age_hours)
            .ok_or_else(|| bad("acceptance.test_age_hours is 0, 24, 48 or 72"))?;
        if self.pass_age_max_min > PASS_AGE_LIMIT_MIN
            || self.card_pass_age_max_min > CARD_PASS_AGE_LIMIT_MIN
        {
            return Err(bad("acceptance: a pass age is at most 20160 minutes"));
        }
        let mut binders = vec![BinderKind::Device, BinderKind::DeviceAndCard];
        if self.card_pass_age_max_min > 0 {
            binders.push(BinderKind::Card);
        }
        Ok(AcceptanceRule {
            asked: Claim {
                worst: self.worst,
                test_age,
            },
            pass_age_max_min: self.pass_age_max_min,
            card_pass_age_max_min: self.card_pass_age_max_min,
            binders: BinderKinds::of(&binders),
        })
    }
}

impl Config {
    const fn default_slot_skew() -> u8 {
        1
    }

    fn default_listen() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 7460))
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Config`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = read_file(path, MAX_CONFIG_LEN_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| bad("the file is not UTF-8"))?;
        Self::parse(&text, path.parent().unwrap_or(Path::new(".")))
    }

    /// Parses and checks the text of such a file that lies in `dir`.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn parse(text: &str, dir: &Path) -> Result<Self, Error> {
        let mut config: Self =
            toml::from_str(text).map_err(|error| Error::Config(error.to_string()))?;
        config.check()?;
        config.state_dir = dir.join(&config.state_dir);
        if let Some(file) = &mut config.trust.certificate_roots_file {
            *file = dir.join(&*file);
        }
        Ok(config)
    }

    /// The gate's name in challenges.
    ///
    /// # Errors
    /// [`Error::Config`] unless it has 16 hexadecimal digits.
    pub fn gate(&self) -> Result<GateId, Error> {
        let mut id = [0; GateId::LEN_BYTES];
        hex::decode_to_slice(&self.gate_id, &mut id)
            .map_err(|_| bad("gate_id has 16 hexadecimal digits"))?;
        Ok(GateId(id))
    }

    /// The name of the federation.
    ///
    /// # Errors
    /// [`Error::Config`] if there is none, or it is not of its form.
    pub fn federation(&self) -> Result<FederationId, Error> {
        let name = self.trust.federation.as_deref();
        let name = name.ok_or_else(|| bad("trust.federation is needed with publishers"))?;
        FederationId::new(name).map_err(|error| Error::Config(format!("trust: {error}")))
    }

    /// The own acceptance rule, if one is configured instead of a profile.
    ///
    /// # Errors
    /// [`Error::Config`] for one out of range.
    pub fn own_rule(&self) -> Result<Option<AcceptanceRule>, Error> {
        self.acceptance
            .as_ref()
            .map(AcceptanceFile::rule)
            .transpose()
    }

    /// The highest body temperature that is let pass, if one is asked for.
    ///
    /// # Errors
    /// [`Error::Config`] for one out of range.
    pub fn temperature_limit(&self) -> Result<Option<TemperatureLimit>, Error> {
        let limit = self.temperature_limit_tenth_c;
        let read = |limit| {
            TemperatureLimit::new(limit)
                .ok_or_else(|| bad("temperature_limit_tenth_c is from 350 to 420"))
        };
        limit.map(read).transpose()
    }

    /// What the desk of this gate is set to.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn setting(&self) -> Result<Setting, Error> {
        Ok(Setting {
            place: self.province,
            gate_id: self.gate()?,
            pinned: self.trust.pinned()?,
            profile: self.profile.clone(),
            own_rule: self.own_rule()?,
            specimens: if self.admit_specimens {
                Specimens::Admitted
            } else {
                Specimens::Refused
            },
            slot_skew: self.slot_skew_half_min,
        })
    }

    fn check(&self) -> Result<(), Error> {
        if self.production {
            let wrong = [
                (
                    self.clock.is_some(),
                    "production: a simulated clock is configured",
                ),
                (self.admit_specimens, "production: specimens are admitted"),
                (
                    self.acceptance.is_some(),
                    "production: a gate takes a profile of the trust list, not a rule of its own",
                ),
            ];
            if let Some((_, why)) = wrong.into_iter().find(|(is, _)| *is) {
                return Err(bad(why));
            }
        }
        if self.profile.is_some() == self.acceptance.is_some() {
            return Err(bad("either `profile` or `[acceptance]`"));
        }
        if self.province == ProvinceCode::NATION {
            return Err(bad("province: a gate stands in a province"));
        }
        if self.slot_skew_half_min > verifier::Gate::SLOT_SKEW_LIMIT {
            return Err(bad("slot_skew_half_min is at most 10"));
        }
        if !self.listen.ip().is_loopback() {
            return Err(bad("listen: the gate's door opens on loopback only"));
        }
        if self.page_listen.is_some_and(|at| !at.ip().is_loopback()) {
            return Err(bad(
                "page_listen: the gate's page is served on loopback only",
            ));
        }
        if self.page_listen.is_some() && self.profile.is_none() {
            return Err(bad(
                "page_listen: a page verifies under a `profile` of the trust list",
            ));
        }
        if self.temperature_limit()?.is_some() && self.page_listen.is_none() {
            return Err(bad(
                "temperature_limit_tenth_c: the page asks for it, and there is no `page_listen`",
            ));
        }
        if self.trust.refresh_every_s < LEAST_REFRESH_S {
            return Err(bad("trust.refresh_every_s is at least 10"));
        }
        if !self.publishers.is_empty() {
            self.federation()?;
            if self.trust.certificate_roots_file.is_none() {
                return Err(bad(
                    "trust.certificate_roots_file is needed with publishers",
                ));
            }
        }
        for mirror in &self.mirrors {
            check_url(&mirror.url)?;
        }
        self.gate()?;
        self.own_rule()?;
        self.trust.pinned().map(drop)
    }
}

fn bad(why: &str) -> Error {
    Error::Config(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASIC: &str = include_str!("../../../deploy/checkpoint/basic.toml");
    const ADVANCED: &str = include_str!("../../../deploy/checkpoint/advanced.toml");

    fn parse(text: &str) -> Result<Config, Error> {
        Config::parse(text, Path::new("/etc/viridian"))
    }

    #[test]
    fn both_samples_are_valid_and_their_paths_lie_beside_them() {
        let basic = parse(BASIC).unwrap();
        assert!(basic.production);
        assert_eq!(basic.state_dir, Path::new("/etc/viridian/state"));
        let advanced = parse(ADVANCED).unwrap();
        assert_eq!((advanced.publishers.len(), advanced.mirrors.len()), (2, 1));
        assert_eq!(
            advanced.trust.certificate_roots_file.as_deref(),
            Some(Path::new("/etc/viridian/federation.pem"))
        );
    }

    #[test]
    fn production_refuses_what_is_for_demonstrations() {
        for (what, line) in [
            ("specimens", "admit_specimens = true\n"),
            (
                "clock",
                "clock = { start_minute = 1, rate_min_per_s = 0 }\n",
            ),
        ] {
            let text = format!("{line}{BASIC}");
            let why = parse(&text).unwrap_err().to_string();
            assert!(why.contains(what), "{why}");
            parse(&text.replace("production = true", "production = false")).unwrap();
        }
        let own = BASIC.replace(
            "profile = \"not-red\"",
            "acceptance = { worst = \"yellow\", pass_age_max_min = 60 }",
        );
        assert!(parse(&own).unwrap_err().to_string().contains("profile"));
        parse(&own.replace("production = true", "production = false")).unwrap();
    }

    #[test]
    fn each_wrong_value_is_refused() {
        for (good, wrong) in [
            ("province = 36", "province = 0"),
            ("province = 36", "province = 36\ncolour = \"green\""),
            ("profile = \"not-red\"", ""),
            ("gate_id = \"4a58303030303031\"", "gate_id = \"4a58\""),
            ("root_threshold = 2", "root_threshold = 3"),
            (
                "root_threshold = 2",
                "root_threshold = 2\nrefresh_every_s = 9",
            ),
            (
                "production = true",
                "production = true\nslot_skew_half_min = 11",
            ),
            (
                "production = true",
                "production = true\nlisten = \"0.0.0.0:7460\"",
            ),
            (
                "production = true",
                "production = true\npage_listen = \"127.0.0.1:7461\"\ntemperature_limit_tenth_c = 421",
            ),
            // The program's door asks for no temperature.
            (
                "production = true",
                "production = true\ntemperature_limit_tenth_c = 373",
            ),
        ] {
            let text = BASIC.replace(good, wrong);
            assert_ne!(text, BASIC, "{good}");
            assert!(parse(&text).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_page_may_ask_for_a_temperature() {
        let lines = "page_listen = \"127.0.0.1:7461\"\ntemperature_limit_tenth_c = 373\n";
        let config = parse(&format!("{lines}{BASIC}")).unwrap();
        let limit = config.temperature_limit().unwrap().unwrap();
        assert_eq!(limit.tenth_c(), 373);
        assert_eq!(parse(BASIC).unwrap().temperature_limit().unwrap(), None);
    }

    #[test]
    fn an_own_rule_is_held_to_the_menu_of_test_ages() {
        let rule = |test_age_hours| AcceptanceFile {
            worst: WorstColour::Green,
            test_age_hours,
            pass_age_max_min: 60,
            card_pass_age_max_min: 0,
        };
        assert_eq!(rule(48).rule().unwrap().asked.test_age, TestAge::Hours48);
        assert!(!rule(48).rule().unwrap().binders.contains(BinderKind::Card));
        assert!(rule(36).rule().is_err());
    }
}
