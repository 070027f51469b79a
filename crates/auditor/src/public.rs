//! `auditor page`: what anybody may see of a federation, verified, as a page.

mod config;
mod time;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use pages::Hosts;
use published::{Public, Texts, Watch, Watched};
use rules::RuleSet;
use rust_embed::RustEmbed;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::service::Routes;

use crate::{Outcome, explain, files};
use config::Config;
use time::Clock;

/// What `npm run pages` has left.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

/// Serve a page for anybody: rule sets, circuits, provinces and counts, verified, and what each byte of a pass says.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor page --config page.toml
  auditor page --config page.toml --listen 127.0.0.1:8090 --rules zj-2022-09.toml

The configuration names the keys to believe and where nodes serve their logs:
  federation = \"demo\"
  [trust]
  root_keys = [\"d62f…\", \"34b4…\", \"12a4…\"]     Ed25519, 64 hexadecimal digits
  root_threshold = 2
  [[node]]
  slot = 1
  url = \"http://node.example:7445\"

Prints `page http://…` once, and serves until it is told to end. Everything is fetched by plain HTTP, verified under the root
keys, and looked at again every few minutes. Nothing is shown as true that was not verified; what could not be stands there with
the reason. A pass that is pasted into the page does not leave the browser. Loopback addresses only; a server that others reach
stands before it. Exit code 3 if the configuration is refused or the address is taken.")]
pub(crate) struct Args {
    /// What to believe and whom to ask
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Address to serve on, instead of the configuration's
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<std::net::SocketAddr>,
    /// The text of a rule set, besides those that are built in and those that the configuration names
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let mut config = Config::read(&args.config)?;
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    if !config.listen.ip().is_loopback() {
        bail!(
            "{} is not loopback: let a server that others reach stand before it",
            config.listen
        );
    }
    let rule_files = config.looking.rule_files.iter().chain(&args.rules);
    let texts = Texts::with(
        rule_files
            .map(|file| rule_set(file))
            .collect::<Result<Vec<_>>>()?,
    )?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime for the network")?;
    runtime.block_on(serve(config, texts))?;
    Ok(Outcome::Agrees)
}

fn rule_set(file: &Path) -> Result<RuleSet> {
    let name = file.to_str().context("a file's name that is not UTF-8")?;
    explain::rule_set(name)
}

async fn serve(config: Config, texts: Texts) -> Result<()> {
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let every = config.looking.refresh_every;
    let watched = Watched {
        federation: config.federation,
        root_keys: config.root_keys,
        nodes: config.looking.nodes,
    };
    let watch = Arc::new(Watch::new(watched, Arc::new(Clock::of(config.clock))));
    let service = Public::new(Arc::clone(&watch), texts);
    let routes = Routes::new(wire::server::public(service.clone()))
        .add_service(wire::server::trust(service));
    let router = pages::router::<Files>(routes, Hosts::address(address));
    files::print(&format!("page http://{address}/\n"))?;
    let looking = tokio::spawn(async move { watch.keep_looking(every).await });
    let served = pages::serve(listener, router, told_to_end());
    both(served, looking).await
}

/// Serves until that ends by itself. A page that looks no more goes on telling what was so once: it ends with an error.
async fn both(
    served: impl Future<Output = std::io::Result<()>>,
    mut looking: JoinHandle<Infallible>,
) -> Result<()> {
    tokio::select! {
        served = served => {
            looking.abort();
            served.context("the page can no longer be served")
        }
        ended = &mut looking => {
            let Err(error) = ended;
            Err(error).context("nodes are no longer looked at")
        }
    }
}

/// Completes when the operating system asks this program to end.
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(interrupt.await),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "d62f016a1efd1e4fdf793eb42cd84471e1ba9f0cf04d1287b5cc71f616287cb8";

    #[test]
    fn an_address_that_others_reach_and_a_text_that_is_none_are_refused_before_a_port_opens() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page.toml");
        let text = format!(
            "federation = \"demo\"\n[trust]\nroot_keys = [\"{KEY}\"]\nroot_threshold = 1\n"
        );
        std::fs::write(&path, &text).unwrap();
        let refused = |listen: Option<&str>, rules: Vec<PathBuf>| {
            let args = Args {
                config: path.clone(),
                listen: listen.map(|address| address.parse().unwrap()),
                rules,
            };
            let refused = run(&args).err();
            format!("{:#}", refused.unwrap())
        };
        assert!(refused(Some("0.0.0.0:0"), Vec::new()).contains("is not loopback"));
        assert!(refused(None, vec![path.clone()]).contains("is refused"));
    }

    #[tokio::test]
    async fn a_page_ends_with_an_error_where_nodes_are_no_longer_looked_at() {
        let dies = tokio::spawn(async { panic!("as a fault would") });
        let ended = both(std::future::pending(), dies);
        let ended = tokio::time::timeout(std::time::Duration::from_secs(20), ended).await;
        let error = ended.expect("it goes on serving").unwrap_err();
        assert_eq!(error.to_string(), "nodes are no longer looked at");
        // And in order where it is told to end.
        let looks = tokio::spawn(std::future::pending());
        let served = both(std::future::ready(Ok(())), looks);
        assert!(served.await.is_ok());
    }
}
