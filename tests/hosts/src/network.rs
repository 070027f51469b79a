//! The network between the hosts: a namespace for each where that is permitted, an address of the loopback for each where not.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::cable::{Cables, Pace};
use crate::host::{Host, Place};

/// What names of namespaces begin with; the number of the process that made them follows.
const PREFIX: &str = "viridian-hosts-";

/// Which network is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Wanted {
    /// Namespaces where they are permitted, or else the loopback
    Auto,
    /// A network namespace for each host; it is an error if that is not permitted
    Namespaces,
    /// A loopback address for each host
    Loopback,
}

/// What hosts stand on.
enum Ground {
    /// A namespace for each, joined by bridges in one more.
    Namespaces(Spaces),
    Loopback,
}

/// The network, with its hosts.
pub struct Network {
    ground: Ground,
    cables: Cables,
    hosts: BTreeMap<Place, Host>,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.ground {
            Ground::Namespaces(_) => "network namespaces",
            Ground::Loopback => "loopback addresses",
        })
    }
}

impl Network {
    /// A network with these hosts, each reaching all others.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn with_hosts(places: &[Place], wanted: Wanted) -> Result<Self> {
        if wanted != Wanted::Loopback {
            match Spaces::make(places) {
                Ok(spaces) => return Self::in_spaces(spaces, places),
                Err(error) if wanted == Wanted::Namespaces => return Err(error),
                Err(_) => {}
            }
        }
        // Two runs at once have other addresses.
        let third = u8::try_from(std::process::id() % 250).unwrap_or_default() + 1;
        let mut hosts = BTreeMap::new();
        for place in places {
            let address = IpAddr::V4(Ipv4Addr::new(127, 83, third, place.octet()));
            hosts.insert(*place, Host::open(address, address, None)?);
        }
        Ok(Self {
            ground: Ground::Loopback,
            cables: Cables::default(),
            hosts,
        })
    }

    fn in_spaces(spaces: Spaces, places: &[Place]) -> Result<Self> {
        let mut hosts = BTreeMap::new();
        for place in places {
            let path = PathBuf::from("/run/netns").join(spaces.of(*place));
            let own = IpAddr::V4(Ipv4Addr::LOCALHOST);
            hosts.insert(*place, Host::open(address_of(*place), own, Some(path))?);
        }
        Ok(Self {
            ground: Ground::Namespaces(spaces),
            cables: Cables::default(),
            hosts,
        })
    }

    /// A host.
    ///
    /// # Panics
    /// For a place that the network was not made with.
    pub fn host(&self, place: Place) -> &Host {
        &self.hosts[&place]
    }

    /// Lays a cable from a port of one host to a door of another.
    ///
    /// # Errors
    /// If the port is taken.
    pub(crate) async fn lay(
        &mut self,
        from: Place,
        port: u16,
        (to, door): (Place, u16),
    ) -> Result<()> {
        let door = SocketAddr::new(self.host(to).address, door);
        let host = self.hosts.get(&from).context("a host")?;
        self.cables.lay((from, host), port, (to, door)).await
    }

    /// Takes the plug of a host out.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn unplug(&self, place: Place) -> Result<()> {
        match &self.ground {
            Ground::Namespaces(spaces) => spaces.at_switch(&["set", &port_of(place), "down"]),
            Ground::Loopback => {
                self.cables.cut(&[place]);
                Ok(())
            }
        }
    }

    /// Cuts these off from all others; among themselves they reach each other.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn split(&self, group: &[Place]) -> Result<()> {
        match &self.ground {
            Ground::Namespaces(spaces) => group.iter().try_for_each(|place| {
                spaces.at_switch(&["set", &port_of(*place), "master", "bridge1"])
            }),
            Ground::Loopback => {
                self.cables.cut(group);
                Ok(())
            }
        }
    }

    /// Makes every line of a host slow.
    pub fn slow(&self, place: Place, pace: Pace) {
        self.cables.slow(place, pace);
    }

    /// All is as it was at first.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn mend(&self) -> Result<()> {
        self.cables.mend();
        if let Ground::Namespaces(spaces) = &self.ground {
            for place in self.hosts.keys() {
                spaces.at_switch(&["set", &port_of(*place), "master", "bridge0"])?;
                spaces.at_switch(&["set", &port_of(*place), "up"])?;
            }
        }
        Ok(())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Threads and processes leave their namespaces first.
        self.hosts.clear();
    }
}

fn address_of(place: Place) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 83, 0, place.octet()))
}

/// The switch's end of a host's cable.
fn port_of(place: Place) -> String {
    format!("port{}", place.octet())
}

/// Namespaces, which are taken away with it.
struct Spaces {
    prefix: String,
    names: Vec<String>,
}

impl Spaces {
    fn make(places: &[Place]) -> Result<Self> {
        remove_left_over();
        let mut spaces = Self {
            prefix: format!("{PREFIX}{}", std::process::id()),
            names: Vec::new(),
        };
        spaces.add(spaces.switch())?;
        for bridge in ["bridge0", "bridge1"] {
            spaces.at_switch(&["add", bridge, "type", "bridge"])?;
            spaces.at_switch(&["set", bridge, "up"])?;
        }
        for place in places {
            let name = spaces.of(*place);
            spaces.add(name.clone())?;
            let port = port_of(*place);
            let pair = ["add", &port, "type", "veth", "peer", "name", "eth0"];
            spaces.at_switch(&[&pair[..], &["netns", &name]].concat())?;
            spaces.at_switch(&["set", &port, "master", "bridge0"])?;
            spaces.at_switch(&["set", &port, "up"])?;
            let address = format!("{}/24", address_of(*place));
            ip(&["-n", &name, "address", "add", &address, "dev", "eth0"])?;
            ip(&["-n", &name, "link", "set", "lo", "up"])?;
            ip(&["-n", &name, "link", "set", "eth0", "up"])?;
        }
        Ok(spaces)
    }

    fn add(&mut self, name: String) -> Result<()> {
        ip(&["netns", "add", &name])?;
        self.names.push(name);
        Ok(())
    }

    fn switch(&self) -> String {
        format!("{}-switch", self.prefix)
    }

    fn of(&self, place: Place) -> String {
        format!("{}-{place}", self.prefix)
    }

    fn at_switch(&self, link: &[&str]) -> Result<()> {
        ip(&[&["-n", &self.switch(), "link"], link].concat())
    }
}

impl Drop for Spaces {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = ip(&["netns", "delete", name]);
        }
    }
}

/// What a run that was killed has left.
fn remove_left_over() {
    let Ok(spaces) = std::fs::read_dir("/run/netns") else {
        return;
    };
    for space in spaces.flatten() {
        let name = space.file_name().to_string_lossy().into_owned();
        let maker = name.strip_prefix(PREFIX).and_then(|n| n.split('-').next());
        if maker.is_some_and(|id| !PathBuf::from("/proc").join(id).exists()) {
            let _ = ip(&["netns", "delete", &name]);
        }
    }
}

fn ip(words: &[&str]) -> Result<()> {
    let output = Command::new("ip").args(words).output().context("ip")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "ip {}: {said}", words.join(" "));
    Ok(())
}
