//! The node's command line.

mod commands;
mod log_recovery;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use commands::{Configured, Keys, Opening};
use federation::Ended;
use node::config::{Config, Limits, Parameters};
use node::logs::{self, LogFormat};
use node::{
    AgreedFiles, Entropy, FileRegister, Listeners, Opened, PageFiles, PageListener, Prepared,
    StartError, Watched, keep_fresh, open_control, retain_every_day, serve, serve_control,
};
use tikv_jemallocator::Jemalloc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use zeroizing_alloc::ZeroAlloc;

/// What is freed is wiped, so that records and keys lie in memory no longer than they are in use. Below it jemalloc, since
/// glibc's heap keeps for each thread what a burst of calls took: after half an hour of load more than half of it was free.
#[global_allocator]
static WIPING: ZeroAlloc<Jemalloc> = ZeroAlloc(Jemalloc);

/// A province's node: residents' records, epochs and passes.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  node keys identity /mnt/token/node.identity         prints age1…
  node keys new node.keys --recipient age1…
  node run --config node.toml
  node backup --config node.toml --to backup.age      beside the running node, or without one
  node restore --config node.toml --from backup.age --identity backup.identity
  node log recover --config node.toml                 after a restore, before the next start
  node fsck --config node.toml --json
  node opening-circuit --key opening.key --sha256 9f86…   prints a file for `openings` of the plan

Exit codes: 0 ended in order, 1 something is wrong, 2 configuration, 3 store, 4 start, 5 door, 6 calls were cut at the end,
7 the log cannot be recovered, 8 too few other nodes answered."
)]
struct Cli {
    /// Form of the log on standard error
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        env = "NODE_LOG_FORMAT"
    )]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

/// A key of openings: one of a ceremony, or test parameters of a seed.
#[derive(clap::Args)]
struct OpeningKey {
    /// Key file of a ceremony
    #[arg(
        long,
        value_name = "FILE",
        requires = "sha256",
        conflicts_with = "test_seed"
    )]
    key: Option<PathBuf>,
    /// SHA-256 of its bytes, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", requires = "key")]
    sha256: Option<String>,
    /// Make test parameters of this seed, 64 hexadecimal digits, or read them from the cache; whoever knows it can forge
    #[arg(
        long,
        value_name = "HEX",
        requires = "cache_dir",
        required_unless_present = "key"
    )]
    test_seed: Option<String>,
    /// Directory of the cache
    #[arg(long, value_name = "DIR", requires = "test_seed")]
    cache_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM, SIGINT or the operator's drain; SIGHUP reads certificates and roots again
    Run {
        /// Configuration file
        #[arg(long)]
        config: PathBuf,
    },
    /// Read and check the configuration and every file that it names, and end
    CheckConfig {
        /// Configuration file
        #[arg(long)]
        config: PathBuf,
    },
    /// Print the circuit of the configured proving key as JSON; test parameters are made if they are not in their cache
    Circuit {
        /// Configuration file
        #[arg(long)]
        config: PathBuf,
    },
    /// Print the circuit of a key of openings as JSON: a file for `openings` of the federation's plan
    OpeningCircuit(OpeningKey),
    /// Write a backup of the store, sealed to `store.backup_recipients`, beside the running node or without one
    Backup {
        #[command(flatten)]
        configured: Configured,
        /// The file; it must not exist
        #[arg(long)]
        to: PathBuf,
    },
    /// Make the store from a backup, in a data directory that holds none
    Restore {
        #[command(flatten)]
        configured: Configured,
        /// The backup
        #[arg(long)]
        from: PathBuf,
        /// age identities that open it
        #[arg(long)]
        identity: PathBuf,
    },
    /// Look after the transparency log
    Log {
        #[command(subcommand)]
        log: LogCommand,
    },
    /// Check that every value opens, every tree recomputes and every head verifies; the node must not run
    Fsck {
        #[command(flatten)]
        configured: Configured,
    },
    /// Give back the room of removed rows, beside the running node; without one, also convert to `store.backend`
    Compact {
        #[command(flatten)]
        configured: Configured,
    },
    /// Make, seal and change the node's key ring
    Keys {
        #[command(subcommand)]
        keys: Keys,
    },
    /// Write a new secret of 32 random bytes to a file that must not exist (mode 0600)
    NewKey {
        /// The file
        file: PathBuf,
    },
    /// Read lines of `identity number,name` from standard input and write the sealed register to standard output
    SealRegister {
        /// The node key file
        #[arg(long)]
        node_key: PathBuf,
        #[command(flatten)]
        opening: Opening,
    },
}

#[derive(Subcommand)]
enum LogCommand {
    /// After a restore: take the entries that the store lacks from the mirrors of the other nodes, and what must not be done twice
    #[command(after_help = "Examples:
  node log recover --config node.toml
  node log recover --config node.toml --from http://node.fj.example:7450/mirror/3
  node log recover --config node.toml --answers 1       two of the other nodes are gone for good

The node must not run. Nothing is changed unless all entries that it signed are there. Who was not used, and why, is said at
the end. Exit codes: 7 no mirror has all of it, or it is not one history; 8 too few other nodes answered, try again.")]
    Recover {
        #[command(flatten)]
        configured: Configured,
        /// A mirror of this node's log by plain HTTP, besides the peers; may be repeated
        #[arg(long)]
        from: Vec<String>,
        /// So many other provinces need answer, and no more; without it enough for every checkpoint with a quorum of witnesses
        #[arg(long)]
        answers: Option<usize>,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = node::harden() {
        eprintln!("the system does not keep this process's memory to itself: {error}");
        return ExitCode::FAILURE;
    }
    let format = cli.log_format;
    match cli.command {
        Command::Run { config } => run(&config, format),
        Command::CheckConfig { config } => logged(format, || check(&config)),
        Command::Circuit { config } => logged(format, || circuit(&config)),
        Command::OpeningCircuit(key) => logged(format, || opening_circuit(key)),
        Command::NewKey { file } => logged(format, || new_key(&file)),
        Command::Backup { configured, to } => {
            logged(format, || commands::backup(&configured, &to, entropy()?))
        }
        Command::Restore {
            configured,
            from,
            identity,
        } => logged(format, || {
            commands::restore(&configured, &from, &identity, entropy()?)
        }),
        Command::Log {
            log:
                LogCommand::Recover {
                    configured,
                    from,
                    answers,
                },
        } => logged(format, || {
            log_recovery::recover(&configured, &from, answers, entropy()?)
        }),
        Command::Fsck { configured } => logged(format, || commands::check(&configured, entropy()?)),
        Command::Compact { configured } => logged(format, || commands::compact(&configured)),
        Command::Keys { keys } => logged(format, || commands::keys(&keys, entropy()?)),
        Command::SealRegister { node_key, opening } => {
            logged(format, || seal_register(&node_key, &opening))
        }
    }
}

fn logged(format: LogFormat, work: impl FnOnce() -> Result<ExitCode, StartError>) -> ExitCode {
    let _logs = logs::begin(format, None).expect("there is no endpoint that could be wrong");
    ended(work())
}

fn ended(done: Result<ExitCode, StartError>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(error) => {
            tracing::error!(%error, "the node ends");
            ExitCode::from(error.exit_code())
        }
    }
}

/// Serves. The logs begin when the configuration has said where traces go.
fn run(config_file: &Path, format: LogFormat) -> ExitCode {
    let prepared = Config::read(config_file)
        .map_err(StartError::from)
        .and_then(|config| Ok((runtime(&config.limits)?, config)));
    let (runtime, config) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return logged(format, || Err(error)),
    };
    // Channels to peers and to a collector are made, though not used, before the doors open, and want a runtime.
    let _within = runtime.enter();
    let _logs = match logs::begin(format, Some(&config.observe)) {
        Ok(logs) => logs,
        Err(error) => return logged(format, || Err(error.into())),
    };
    ended(serve_until_told(config_file, config, &runtime))
}

fn serve_until_told(
    config_file: &Path,
    config: Config,
    runtime: &tokio::runtime::Runtime,
) -> Result<ExitCode, StartError> {
    let prepared = Prepared::read(config)?;
    let peers = Arc::new(prepared.peers()?);
    log_recovery::check_before_start(&prepared, &peers, runtime, entropy()?)?;
    let files = Arc::clone(&prepared.credentials);
    let credentials = files.swappable();
    let doors = prepared.config().doors.clone();
    let page = prepared.config().page.clone();
    let page_files = match &page {
        Some(page) => PageFiles::read(page)?.map(Arc::new),
        None => None,
    };
    let limits = prepared.config().limits;
    let Opened { node, upkeep } = prepared.open(entropy()?)?;
    let listener = open_control(&upkeep)?;
    let ended = runtime.block_on(async {
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let control = tokio::spawn(serve_control(upkeep, listener, async {
            let _ = ended.await;
        }));
        let bind = async |address| {
            TcpListener::bind(address)
                .await
                .map_err(federation::FederationError::from)
        };
        let listeners = Listeners {
            peers: bind(doors.peers_listen).await?,
            public: bind(doors.public_listen).await?,
            metrics: match doors.metrics_listen {
                Some(address) => Some(bind(address).await?),
                None => None,
            },
            log: match doors.log_listen {
                Some(address) => Some(bind(address).await?),
                None => None,
            },
            page: match page {
                Some(page) => Some(PageListener {
                    listener: bind(page.listen).await?,
                    names: page.names,
                    certificate: page_files.as_ref().map(|files| files.certificate()),
                }),
                None => None,
            },
        };
        let every = Duration::from_secs(doors.reload_poll_s);
        let agreed = AgreedFiles::new(config_file, Arc::clone(&node), Arc::clone(&peers));
        let mut watched: Vec<Arc<dyn Watched>> = vec![files, Arc::new(agreed)];
        watched.extend(page_files.map(|files| files as _));
        tokio::spawn(keep_fresh(watched, every, hangups()));
        // Whoever reads that it is ready may ask it to end at once.
        let told_to_end = signalled();
        announce(&listeners)?;
        let retaining = tokio::spawn(retain_every_day(std::sync::Arc::clone(&node)));
        let served = Box::pin(serve(
            node,
            peers,
            listeners,
            credentials,
            &limits,
            told_to_end,
        ))
        .await;
        retaining.abort();
        let _ = end.send(());
        if let Ok(controlled) = control.await {
            controlled?;
        } else {
            tracing::error!("the control socket died");
        }
        served
    })?;
    Ok(match ended {
        Ended::Drained => ExitCode::SUCCESS,
        Ended::Cut => ExitCode::from(6),
    })
}

fn runtime(limits: &Limits) -> Result<tokio::runtime::Runtime, StartError> {
    let at_once = limits.store_calls_at_once + limits.intake_calls_at_once;
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(at_once + 20)
        .build()
        .map_err(federation::FederationError::from)?)
}

/// Tells whoever started the process where its doors are: one line on standard output.
fn announce(listeners: &Listeners) -> Result<(), federation::FederationError> {
    let peers = listeners.peers.local_addr()?;
    let public = listeners.public.local_addr()?;
    let mut out = std::io::stdout();
    write!(out, "ready peers={peers} public={public}")?;
    if let Some(metrics) = &listeners.metrics {
        write!(out, " metrics={}", metrics.local_addr()?)?;
    }
    if let Some(log) = &listeners.log {
        write!(out, " log={}", log.local_addr()?)?;
    }
    if let Some(page) = &listeners.page {
        write!(out, " page={}", page.listener.local_addr()?)?;
    }
    writeln!(out)?;
    Ok(out.flush()?)
}

/// A message for each SIGHUP, by which an operator asks for certificates and roots to be read again.
fn hangups() -> mpsc::Receiver<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (ask, asked) = mpsc::channel(1);
    let Ok(mut hangup) = signal(SignalKind::hangup()) else {
        tracing::error!("SIGHUP cannot be received; files are read by the clock only");
        return asked;
    };
    tokio::spawn(
        async move { while hangup.recv().await.is_some() && ask.send(()).await.is_ok() {} },
    );
    asked
}

/// Completes when the process is asked to end; that it can be from now on.
fn signalled() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    async move {
        let (Ok(mut term), Ok(mut int)) = signals else {
            tracing::error!(
                "signals cannot be received; only the operator's drain ends this process"
            );
            return std::future::pending().await;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    }
}

fn check(config: &Path) -> Result<ExitCode, StartError> {
    let config = Config::read(config)?;
    let runtime = runtime(&config.limits)?;
    let _within = runtime.enter();
    let prepared = Prepared::read(config)?;
    let production = prepared.config().production;
    println!("the configuration is right (production = {production})");
    Ok(ExitCode::SUCCESS)
}

fn circuit(config: &Path) -> Result<ExitCode, StartError> {
    println!("{}", node::describe_circuit(&Config::read(config)?)?);
    Ok(ExitCode::SUCCESS)
}

fn opening_circuit(key: OpeningKey) -> Result<ExitCode, StartError> {
    let parameters = match (key.key, key.sha256, key.test_seed, key.cache_dir) {
        (Some(file), Some(sha256), None, None) => Parameters::Pinned { file, sha256 },
        (None, None, Some(seed), Some(cache_dir)) => Parameters::Test { seed, cache_dir },
        _ => {
            let what = "--key with --sha256, or --test-seed with --cache-dir";
            return Err(StartError::Config(what.to_owned()));
        }
    };
    println!("{}", node::describe_opening_circuit(&parameters)?);
    Ok(ExitCode::SUCCESS)
}

fn new_key(file: &Path) -> Result<ExitCode, StartError> {
    node::write_new_secret(file, &entropy()?)?;
    Ok(ExitCode::SUCCESS)
}

fn seal_register(node_key: &Path, opening: &Opening) -> Result<ExitCode, StartError> {
    let key = opening.read(node_key)?;
    let fail = |error: std::io::Error| StartError::Config(error.to_string());
    let mut list = String::new();
    std::io::stdin().read_to_string(&mut list).map_err(fail)?;
    let text = FileRegister::seal(&list, &key)?;
    std::io::stdout().write_all(text.as_bytes()).map_err(fail)?;
    Ok(ExitCode::SUCCESS)
}

/// The process's one generator, seeded by the system.
fn entropy() -> Result<Entropy, StartError> {
    use rand::TryRngCore as _;
    let mut seed = [0; 32];
    rand::rngs::OsRng
        .try_fill_bytes(&mut seed)
        .map_err(|error| StartError::Config(format!("no randomness from the system: {error}")))?;
    Ok(Entropy::from_seed(seed))
}
