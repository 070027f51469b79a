//! The console's command line.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use federation::Ended;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use store::Entropy;
use tracing_subscriber::EnvFilter;
use viridian_console::{
    Clock as _, Config, Program, Role, StaffId, StaffList, StartError, SystemClock, check, new_key,
};
use zeroizing_alloc::ZeroAlloc;

/// What is freed is wiped: keys, and whom proposals are about, lie in memory no longer than they are in use.
#[global_allocator]
static WIPING: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

/// An institution's console: its staff propose and agree, and it signs and hands in.
#[derive(Parser)]
#[command(
    name = "viridian-console",
    version,
    after_help = "Examples:
  viridian-console new-key store.keys
  viridian-console invite --config console.toml --name 王敏 --role clerk --role approver
  viridian-console invite --config console.toml --again 5f3a9c0d1e2b4876     whose device is lost
  viridian-console run --config console.toml
  viridian-console check --config console.toml        the console must not run

Who may do what stands in staff.toml; to take somebody out of it signs them out within seconds. Certificates and
signing keys are read again within a minute as their files change.

Exit codes: 0 ended in order, 1 the chain of acts is broken, 2 configuration, 3 store, 4 start, 5 door, 6 calls were cut at
the end."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT; prints `page http…` once it does
    Run {
        /// Configuration file
        #[arg(long)]
        config: PathBuf,
    },
    /// Put somebody on the list of staff, and print a code by which they bind a passkey, once
    Invite(Invite),
    /// Walk the chain of acts and print its end; keep that elsewhere, and compare it
    Check {
        /// Configuration file
        #[arg(long)]
        config: PathBuf,
    },
    /// Write a new key ring for a store to a file that must not exist (mode 0600)
    NewKey {
        /// The file
        file: PathBuf,
    },
}

#[derive(Args)]
struct Invite {
    /// Configuration file
    #[arg(long)]
    config: PathBuf,
    /// Their name, as their colleagues read it: 1 to 48 bytes
    #[arg(long, required_unless_present = "again")]
    name: Option<String>,
    /// What they may do; once for each
    #[arg(long = "role", value_enum, required_unless_present = "again")]
    roles: Vec<Role>,
    /// Somebody who is on the list, by the id there: the passkey that they bind takes the place of theirs
    #[arg(long, value_name = "ID", conflicts_with_all = ["name", "roles"])]
    again: Option<String>,
    /// How long the code is good, hours: a day at most
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=24))]
    hours: u64,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // No core file of this process, and no other process of the same user reads its memory: keys lie in it.
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        eprintln!("the system does not keep this process's memory to itself: {error}");
        return ExitCode::FAILURE;
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let done = match &cli.command {
        Command::Run { config } => run(config),
        Command::Invite(args) => invite(args),
        Command::Check { config } => walked(config),
        Command::NewKey { file } => {
            entropy().and_then(|entropy| new_key(file, &entropy).map(|()| ExitCode::SUCCESS))
        }
    };
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "the console ends");
        ExitCode::from(error.exit_code())
    })
}

fn run(config: &Path) -> Result<ExitCode, StartError> {
    let config = Config::read(config)?;
    let clock = Arc::new(SystemClock::of(config.clock));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(federation::FederationError::from)?;
    // Channels to the node are made, though not used, before the door opens, and want a runtime.
    let _within = runtime.enter();
    let program = Program::open(config, entropy()?, clock)?;
    let served = program.serve(|page| print(&format!("page {page}\n")), told_to_end());
    Ok(match runtime.block_on(served)? {
        Ended::Drained => ExitCode::SUCCESS,
        Ended::Cut => ExitCode::from(6),
    })
}

fn invite(args: &Invite) -> Result<ExitCode, StartError> {
    let config = Config::read(&args.config)?;
    let mut list = if config.staff_file.exists() {
        StaffList::read(&config.staff_file)?
    } else {
        StaffList::default()
    };
    let now_s = SystemClock::of(config.clock).now_s();
    let until_s = now_s.saturating_add(args.hours * 3_600);
    let entropy = entropy()?;
    let (id, code) = match (&args.again, &args.name) {
        (Some(id), _) => {
            let id = StaffId::parse(id).ok_or("--again: 16 hexadecimal digits".to_owned())?;
            (id, list.invite_again(id, until_s, &entropy)?)
        }
        (None, name) => {
            let name = name.as_deref().unwrap_or_default();
            let roles = args.roles.iter().copied().collect();
            list.invite(name, roles, until_s, &entropy)?
        }
    };
    list.write(&config.staff_file)?;
    let page = &config.page;
    let name = page.hosts(page.listen.port()).swap_remove(0);
    let link = format!("{}://{name}/#invite={code}", page.scheme());
    let text = format!(
        "id    {id}\ncode  {code}\nlink  {link}\ngood for {} hours, once\n",
        args.hours
    );
    print(&text).map_err(federation::FederationError::from)?;
    Ok(ExitCode::SUCCESS)
}

fn walked(config: &Path) -> Result<ExitCode, StartError> {
    let config = Config::read(config)?;
    let head = check(&config, entropy()?)?;
    let digest = hex::encode(head.digest);
    print(&format!("{} acts, the newest {digest}\n", head.number))
        .map_err(federation::FederationError::from)?;
    Ok(ExitCode::SUCCESS)
}

fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Completes when the process is asked to end; that it can be from now on.
fn told_to_end() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            tracing::error!("signals cannot be received; nothing but force ends this process");
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
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
