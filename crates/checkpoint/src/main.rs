//! The checkpoint's program: `verify`, `serve`, `refresh`. It owns the clock and the random number generator.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process;

use checkpoint::{
    Clock, Config, Desk, Error, ExitCode, GateService, Place, Scanned, Taken, ask, read_code,
    serve, serve_page, take,
};
use clap::{Args, Parser, Subcommand};
use federation::{Ended, Limits};
use rand::RngCore as _;
use tikv_jemallocator::Jemalloc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use verifier::{CardNumber, GateNonce};

/// Each pass bound to a card costs 19 MiB of Argon2 for a moment. glibc's heap gives such a block back only while nothing
/// that is kept lies above it; the decoders' fuzzer grew by a block for nearly every input that it kept.
#[global_allocator]
static HEAP: Jemalloc = Jemalloc;

const AFTER_HELP: &str = "\
退出码 Exit codes:
  0  通行 PASS; or the command did what it should
  1  不通过 NO
  2  无法核验 CANNOT CHECK
  3  no verdict: wrong usage, configuration, input or state

示例 Examples:
  checkpoint --config gate.toml refresh
  checkpoint --config gate.toml verify 'VIR1:6BF...'
  checkpoint --config gate.toml verify code.png --json
  scanner | checkpoint --config gate.toml verify -
  checkpoint --config gate.toml verify code.png --card card.txt
  checkpoint --config gate.toml serve

`verify` needs no network. `refresh` asks the public doors of the configured publishers; what they say is believed for
its signatures only, and the last good trust list stays in use until a better one was checked and stored.";

/// 核验端: reads a code and says 通行 PASS, 不通过 NO or 无法核验 CANNOT CHECK.
#[derive(Parser)]
#[command(version, about, after_help = AFTER_HELP)]
struct Cli {
    /// Configuration file.
    #[arg(long, global = true, default_value = "checkpoint.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The verdict on one code.
    Verify(Verify),
    /// The gate's door: verdicts over gRPC on loopback, until the process is told to end.
    Serve,
    /// Fetches the trust list.
    Refresh {
        /// One JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct Verify {
    /// A text that begins with VIR1:, a PNG file, or - for either on standard input.
    #[arg(value_name = "QRTEXT|PNG|-")]
    input: String,
    /// Profile of the trust list, instead of the gate's own rule.
    #[arg(long)]
    profile: Option<String>,
    /// The nonce that was shown to the holder, 32 hexadecimal digits.
    #[arg(long)]
    nonce: Option<String>,
    /// File with the 18 characters of the identity card's number; a file, so that no list of processes shows it.
    #[arg(long)]
    card: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

fn main() -> process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() {
                ExitCode::Failed
            } else {
                ExitCode::Accept // help and version
            };
            let _ = error.print();
            return (code as u8).into();
        }
    };
    let code = run(&cli).unwrap_or_else(|error| {
        eprintln!("checkpoint: {error}");
        ExitCode::Failed
    });
    (code as u8).into()
}

fn run(cli: &Cli) -> Result<ExitCode, Error> {
    let config = Config::read(&cli.config)?;
    let clock = Clock::of(config.clock);
    match &cli.command {
        Command::Verify(args) => verify(config, &clock, args),
        Command::Refresh { json } => runtime()?.block_on(refresh(config, &clock, *json)),
        Command::Serve => runtime()?.block_on(open_gate(config, clock)),
    }
}

fn verify(config: Config, clock: &Clock, args: &Verify) -> Result<ExitCode, Error> {
    let scanned = Scanned {
        text: read_code(&args.input, std::io::stdin())?,
        nonce: args.nonce.as_deref().map(read_nonce).transpose()?,
        card: args.card.as_deref().map(read_card).transpose()?,
    };
    let mut desk = Desk::open(config)?;
    let report = desk.decide(&scanned, args.profile.as_deref(), clock.now())?;
    // Before the answer: a gate that cannot remember a showing must not let it pass.
    desk.store_memory()?;
    if args.json {
        println!("{}", report.to_json());
    } else {
        println!("{}", report.to_text());
    }
    Ok(report.verdict.outcome().into())
}

fn read_nonce(text: &str) -> Result<GateNonce, Error> {
    let mut nonce = [0; GateNonce::LEN_BYTES];
    hex::decode_to_slice(text, &mut nonce)
        .map_err(|_| Error::Input("a nonce has 32 hexadecimal digits".to_owned()))?;
    Ok(GateNonce(nonce))
}

fn read_card(path: &Path) -> Result<CardNumber, Error> {
    let fail = |error: std::io::Error| Error::File {
        path: path.to_owned(),
        why: error.to_string(),
    };
    let mut read = Vec::new();
    let file = std::fs::File::open(path).map_err(fail)?;
    file.take(64).read_to_end(&mut read).map_err(fail)?;
    let number = <[u8; 18]>::try_from(read.trim_ascii())
        .map_err(|_| Error::Input("an identity number has 18 characters".to_owned()))?;
    Ok(CardNumber::new(number))
}

async fn refresh(config: Config, clock: &Clock, json: bool) -> Result<ExitCode, Error> {
    let mut desk = Desk::open(config)?;
    let now = clock.now();
    let answers = ask(desk.config(), desk.list(), now).await?;
    let taken = take(&mut desk, answers, now)?;
    let list = desk.list_age(now);
    if json {
        let publishers: Vec<_> = taken
            .iter()
            .map(|(place, taken)| {
                let (answer, why) = words(taken);
                match place {
                    Place::Node(node) => serde_json::json!({
                        "province": node.province.get(),
                        "address": node.address,
                        "answer": answer,
                        "why": why,
                    }),
                    Place::Mirror(mirror) => {
                        serde_json::json!({ "url": mirror.url, "answer": answer, "why": why })
                    }
                }
            })
            .collect();
        let list = list.map(|list| {
            serde_json::json!({
                "age_s": list.age_s,
                "root_sequence": list.root_sequence,
                "online_sequence": list.online_sequence,
            })
        });
        println!(
            "{}",
            serde_json::json!({ "publishers": publishers, "list": list })
        );
    } else {
        for (place, taken) in &taken {
            let (answer, why) = words(taken);
            println!("{place}: {answer} {why}");
        }
        if let Some(list) = list {
            println!(
                "信任列表 trust list: sequence {}/{}, {} s old",
                list.root_sequence, list.online_sequence, list.age_s
            );
        }
    }
    Ok(ExitCode::Accept)
}

fn words(taken: &Taken) -> (&'static str, &str) {
    match taken {
        Taken::Newer => ("newer", ""),
        Taken::Same => ("same", ""),
        Taken::Not(why) => ("none", why),
    }
}

async fn open_gate(config: Config, clock: Clock) -> Result<ExitCode, Error> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .init();
    let listen = config.listen;
    let desk = Desk::open(config)?;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(federation::FederationError::from)?;
    let address = listener
        .local_addr()
        .map_err(federation::FederationError::from)?;
    println!("listening {address}");
    let page = desk.config().page_listen;
    let service = GateService::new(desk, clock, random_bytes);
    let page = match page {
        Some(at) => Some(open_page(at, service.clone()).await?),
        None => None,
    };
    let ended = serve(listener, service, Limits::default(), told_to_end()).await?;
    if let Some(page) = page {
        page.abort();
    }
    if ended == Ended::Cut {
        tracing::warn!("calls under way were cut");
    }
    Ok(ExitCode::Accept)
}

/// The page in a task of its own: the door goes on where it fails.
async fn open_page(at: SocketAddr, service: GateService) -> Result<JoinHandle<()>, Error> {
    let listener = TcpListener::bind(at)
        .await
        .map_err(federation::FederationError::from)?;
    let address = listener
        .local_addr()
        .map_err(federation::FederationError::from)?;
    println!("page http://{address}/");
    Ok(tokio::spawn(async move {
        if let Err(error) = serve_page(listener, service, told_to_end()).await {
            tracing::error!(%error, "the page is not served any more");
        }
    }))
}

/// Completes on an interrupt, or when a service manager asks for the end.
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = interrupt.await;
        }
    }
}

fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| federation::FederationError::from(error).into())
}
