//! Commands that look after a node's store and keys.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use node::config::Config;
use node::store::{DiskOptions, DiskStore, KeyRing};
use node::{
    BackupFile, Entropy, KeyToken, Opener, Prepared, Sealing, StartError, control_channel, fsck,
    is_older_than_signed, mark_older, new_identity, read_ring, restore_from, write_private,
    write_ring,
};
use wire::maintenance::v1 as proto;

/// Where the configuration is.
#[derive(Args)]
pub(crate) struct Configured {
    /// Configuration file
    #[arg(long)]
    config: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is done with a key ring.
#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Make a key ring in a file that must not exist; sealed if recipients are given
    New {
        /// The key file
        file: PathBuf,
        /// age recipient that can open it; may be repeated
        #[arg(long)]
        recipient: Vec<String>,
        #[command(flatten)]
        token: OptionalToken,
    },
    /// Make an age identity in a file that must not exist, and print its recipient
    Identity {
        /// The identity file; keep it on another disk than the store
        file: PathBuf,
    },
    /// Make an AES-256 key in a PKCS#11 token, which cannot be taken out of it
    TokenKey(OptionalToken),
    /// List the numbers of a ring's keys
    Show(Ring),
    /// Seal a key file anew, to these recipients
    Seal(Ring),
    /// Add a key, which is used from the next `renew` or start on
    Rotate(Ring),
    /// Remove an older key: what was erased before the last `renew`, and backups from before it, open no more
    Retire {
        /// The key's number
        number: u32,
        #[command(flatten)]
        ring: Ring,
    },
    /// Have the node read its key file again and wrap every data key under the newest key
    Renew(Configured),
}

/// A key file and how it is opened and sealed.
#[derive(Args)]
pub(crate) struct Ring {
    /// The key file
    file: PathBuf,
    #[command(flatten)]
    opening: Opening,
    /// age recipient that it is sealed to when it is written; without one to the token, and without that not at all
    #[arg(long)]
    recipient: Vec<String>,
}

/// What opens a sealed key file.
#[derive(Args)]
pub(crate) struct Opening {
    /// age identities that open the key file, if it is sealed
    #[arg(long)]
    identity: Option<PathBuf>,
    #[command(flatten)]
    token: OptionalToken,
}

impl Opening {
    pub(crate) fn read(&self, file: &Path) -> Result<KeyRing, StartError> {
        let token = self.token.token();
        let opener = Opener {
            identity_file: self.identity.as_deref(),
            token: token.as_ref(),
        };
        Ok(read_ring(file, opener)?)
    }
}

/// A key in a PKCS#11 token, if it is named.
#[derive(Args)]
pub(crate) struct OptionalToken {
    /// Library of a PKCS#11 token that opens, or seals, the key file
    #[arg(long, requires_all = ["token_label", "key_label", "pin_file"])]
    module: Option<PathBuf>,
    /// Label of the token
    #[arg(long, requires = "module")]
    token_label: Option<String>,
    /// Label of the AES-256 key in the token
    #[arg(long, requires = "module")]
    key_label: Option<String>,
    /// File with the PIN, mode 0600
    #[arg(long, requires = "module")]
    pin_file: Option<PathBuf>,
}

impl OptionalToken {
    fn token(&self) -> Option<KeyToken> {
        Some(KeyToken {
            module: self.module.clone()?,
            token_label: self.token_label.clone()?,
            key_label: self.key_label.clone()?,
            pin_file: self.pin_file.clone()?,
        })
    }
}

/// What a key file is sealed to: recipients first, then a token.
fn sealing<'a>(
    recipients: &'a [String],
    token: Option<&'a KeyToken>,
    entropy: &'a Entropy,
) -> Sealing<'a> {
    match token {
        _ if !recipients.is_empty() => Sealing::Age(recipients),
        Some(token) => Sealing::Token(token, entropy),
        None => Sealing::Plain,
    }
}

pub(crate) type Done = Result<ExitCode, StartError>;

pub(crate) fn config_error(error: impl std::fmt::Display) -> StartError {
    StartError::Config(error.to_string())
}

pub(crate) fn print(json: bool, value: &serde_json::Value, text: &str) -> Done {
    let mut out = std::io::stdout();
    let line = if json {
        value.to_string()
    } else {
        text.to_owned()
    };
    writeln!(out, "{line}").map_err(config_error)?;
    Ok(ExitCode::SUCCESS)
}

/// A bar that counts on standard error, where that is a terminal.
pub(crate) fn counter(what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} {msg} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner()
        .with_style(style)
        .with_message(what);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// The configured node with everything read, and a runtime for its channels.
pub(crate) fn prepare(
    configured: &Configured,
) -> Result<(Prepared, tokio::runtime::Runtime), StartError> {
    let config = Config::read(&configured.config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(config_error)?;
    let within = runtime.enter();
    let prepared = Prepared::read(config)?;
    drop(within);
    Ok((prepared, runtime))
}

/// A client of the running node's control socket; none if no node runs.
async fn running(
    prepared: &Prepared,
) -> Result<
    Option<proto::maintenance_service_client::MaintenanceServiceClient<tonic::transport::Channel>>,
    StartError,
> {
    let channel = control_channel(&prepared.config().data_dir).await?;
    Ok(channel.map(wire::client::maintenance))
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn refused(status: tonic::Status) -> StartError {
    StartError::Config(status.message().to_owned())
}

pub(crate) fn backup(configured: &Configured, to: &Path, entropy: Entropy) -> Done {
    let (prepared, runtime) = prepare(configured)?;
    let recipients = &prepared.config().store.backup_recipients;
    if recipients.is_empty() {
        return Err(config_error(
            "store.backup_recipients names nobody who could read a backup",
        ));
    }
    let mut file = BackupFile::create(to)?;
    let began = std::time::Instant::now();
    let bar = counter("rows or chunks");
    let taken = runtime.block_on(async {
        let Some(mut node) = running(&prepared).await? else {
            return Ok(false);
        };
        let answer = node
            .backup(proto::BackupRequest {})
            .await
            .map_err(refused)?;
        let mut chunks = answer.into_inner();
        while let Some(chunk) = chunks.message().await.map_err(refused)? {
            file.write_all(&chunk.chunk).map_err(config_error)?;
            bar.inc(1);
        }
        Ok::<_, StartError>(true)
    })?;
    if !taken {
        let (disk, _) = prepared.open_store(&Arc::new(entropy))?;
        (file, _) = file.write_store(&*disk, recipients, &mut |rows| bar.set_position(rows))?;
    }
    let (len_bytes, sha256) = file.finish()?;
    bar.finish_and_clear();
    let took_s = began.elapsed().as_secs_f64();
    let value = serde_json::json!({
        "file": to, "bytes": len_bytes, "sha256": sha256, "took_s": took_s, "while_running": taken,
    });
    let text = format!(
        "{}: {len_bytes} bytes in {took_s:.1} s, sha256 {sha256}",
        to.display()
    );
    print(configured.json, &value, &text)
}

pub(crate) fn restore(
    configured: &Configured,
    from: &Path,
    identity: &Path,
    entropy: Entropy,
) -> Done {
    let (prepared, _runtime) = prepare(configured)?;
    let began = std::time::Instant::now();
    let bar = counter("rows");
    let store = restore_from(
        from,
        identity,
        &prepared.disk_options(),
        &prepared.store_identity(),
        prepared.ring(),
        &mut |rows| bar.set_position(rows),
    )?;
    bar.finish_and_clear();
    let (usage, took_s) = (store.usage()?, began.elapsed().as_secs_f64());
    drop(store);
    // It does not start before what it signed since is known again.
    let (_, vault) = prepared.open_store(&Arc::new(entropy))?;
    mark_older(&vault)?;
    let value = serde_json::json!({
        "rows": usage.rows, "commits": usage.commits, "bytes": usage.size_bytes, "took_s": took_s,
    });
    let text = format!(
        "{} rows restored in {took_s:.1} s; before the node starts: node log recover",
        usage.rows
    );
    print(configured.json, &value, &text)
}

pub(crate) fn check(configured: &Configured, entropy: Entropy) -> Done {
    let (prepared, _runtime) = prepare(configured)?;
    if !DiskStore::exists(&prepared.config().data_dir)? {
        return Err(config_error("data_dir holds no store"));
    }
    let against = prepared.fsck_against()?;
    let bar = counter("rows");
    let (disk, vault) = prepared.open_store(&Arc::new(entropy))?;
    let checked = fsck(&vault, &against, &mut |rows| bar.set_position(rows))?;
    bar.finish_and_clear();
    let usage = disk.usage()?;
    let is_older = is_older_than_signed(&vault)?;
    let findings: Vec<_> = checked
        .findings
        .iter()
        .map(|f| serde_json::json!({ "table": f.table.name(), "what": f.what }))
        .collect();
    let value = serde_json::json!({
        "rows": usage.rows, "commits": usage.commits, "bytes": usage.size_bytes,
        "wrong": checked.wrong, "findings": findings, "older_than_signed": is_older,
    });
    let mut text = format!("{} rows, {} wrong", usage.rows, checked.wrong);
    for finding in &checked.findings {
        let _ = write!(text, "\n{}: {}", finding.table.name(), finding.what);
    }
    if is_older {
        text.push_str("\nits store is older than what it signed: node log recover");
    }
    print(configured.json, &value, &text)?;
    Ok(ExitCode::from(u8::from(checked.wrong > 0)))
}

pub(crate) fn compact(configured: &Configured) -> Done {
    let (prepared, runtime) = prepare(configured)?;
    let done = runtime.block_on(async {
        let Some(mut node) = running(&prepared).await? else {
            return Ok(None);
        };
        let answer = node
            .compact(proto::CompactRequest {})
            .await
            .map_err(refused)?;
        Ok::<_, StartError>(Some(answer.into_inner()))
    })?;
    let done = match done {
        Some(done) => done,
        None => compact_at_rest(&prepared.disk_options())?,
    };
    let value = serde_json::json!({
        "rows": done.rows, "before_bytes": done.before_bytes, "after_bytes": done.after_bytes,
    });
    let text = format!(
        "{} rows, {} bytes before, {} bytes after",
        done.rows, done.before_bytes, done.after_bytes
    );
    print(configured.json, &value, &text)
}

/// Compacts, and converts to the configured database.
fn compact_at_rest(options: &DiskOptions) -> Result<proto::CompactResponse, StartError> {
    let found =
        DiskStore::backend_of(&options.dir)?.ok_or(config_error("data_dir holds no store"))?;
    let as_found = DiskOptions {
        backend: found,
        ..options.clone()
    };
    let store = DiskStore::open(&as_found)?;
    let before = store.usage()?;
    let bar = counter("rows");
    store.compact(options.backend, &mut |rows| bar.set_position(rows))?;
    bar.finish_and_clear();
    let after = store.usage()?;
    Ok(proto::CompactResponse {
        rows: after.rows,
        before_bytes: before.size_bytes,
        after_bytes: after.size_bytes,
    })
}

pub(crate) fn keys(keys: &Keys, entropy: Entropy) -> Done {
    match keys {
        Keys::New {
            file,
            recipient,
            token,
        } => {
            if file.exists() {
                return Err(config_error(format!("{} is there already", file.display())));
            }
            let token = token.token();
            let sealing = sealing(recipient, token.as_ref(), &entropy);
            write_ring(file, &KeyRing::generate(&entropy), sealing)?;
            Ok(ExitCode::SUCCESS)
        }
        Keys::Identity { file } => {
            let (identity, recipient) = new_identity();
            write_private(file, identity.as_bytes())?;
            println!("{recipient}");
            Ok(ExitCode::SUCCESS)
        }
        Keys::TokenKey(token) => {
            let token = token.token();
            let token =
                token.ok_or_else(|| config_error("--module and the token's labels are needed"))?;
            token.make_key()?;
            Ok(ExitCode::SUCCESS)
        }
        Keys::Show(ring) => {
            let numbers = ring.read()?.numbers();
            println!("{}", serde_json::json!({ "keys": numbers }));
            Ok(ExitCode::SUCCESS)
        }
        Keys::Seal(ring) => ring.change(&entropy, |_| Ok(())),
        Keys::Rotate(ring) => ring.change(&entropy, |keys| keys.rotate(&entropy).map(drop)),
        Keys::Retire { number, ring } => ring.change(&entropy, |keys| keys.retire(*number)),
        Keys::Renew(configured) => renew(configured, entropy),
    }
}

impl Ring {
    fn read(&self) -> Result<KeyRing, StartError> {
        self.opening.read(&self.file)
    }

    fn change(
        &self,
        entropy: &Entropy,
        change: impl FnOnce(&mut KeyRing) -> Result<(), String>,
    ) -> Done {
        if self.opening.identity.is_some() && self.recipient.is_empty() {
            return Err(config_error(
                "the key file is sealed: say with --recipient to whom it is to be sealed again",
            ));
        }
        let mut ring = self.read()?;
        change(&mut ring)?;
        let token = self.opening.token.token();
        let sealing = sealing(&self.recipient, token.as_ref(), entropy);
        write_ring(&self.file, &ring, sealing)?;
        println!("{}", serde_json::json!({ "keys": ring.numbers() }));
        Ok(ExitCode::SUCCESS)
    }
}

fn renew(configured: &Configured, entropy: Entropy) -> Done {
    let (prepared, runtime) = prepare(configured)?;
    let done = runtime.block_on(async {
        let Some(mut node) = running(&prepared).await? else {
            return Ok(None);
        };
        let answer = node
            .renew_keys(proto::RenewKeysRequest {})
            .await
            .map_err(refused)?;
        Ok::<_, StartError>(Some(answer.into_inner()))
    })?;
    let done = if let Some(done) = done {
        done
    } else {
        let (_, vault) = prepared.open_store(&Arc::new(entropy))?;
        let bar = counter("data keys");
        let rewrapped = vault.rewrap(&mut |seen| bar.set_position(seen))?;
        bar.finish_and_clear();
        proto::RenewKeysResponse {
            rewrapped,
            newest: prepared.ring().newest(),
        }
    };
    let value = serde_json::json!({ "rewrapped": done.rewrapped, "newest": done.newest });
    let text = format!(
        "{} data keys wrapped anew; all are under key {}",
        done.rewrapped, done.newest
    );
    print(configured.json, &value, &text)
}
