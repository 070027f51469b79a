//! `federation`: the off-line desk of a federation. It owns the clock and the random number generator.

mod commands;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use commands::{Invited, Issued, Joined, Rotated, RotatedKey};
use rules::SourceKind;

/// Who belongs to a federation: provinces ask, holders of root keys agree.
#[derive(Parser)]
#[command(
    name = "federation",
    version,
    after_help = "A holder of a root key:
  federation new-key root-a.key                             prints the public key for plan.toml
  federation invite --key root-a.key --plan folder/plan.toml --province 33 --slot 1 > 33.invitation.pem
  federation propose folder                                 plan and requests become next.bin
  federation approve folder --key root-a.key                shows what changes, and signs it
  federation publish folder                                 when enough have signed

A province:
  federation join --invitation 33.invitation.pem --dir node-33 --peers-address node.zj.example:7440
  federation rotate --dir node-33 --key head --root folder/root.bin      announced, and in force in three days
  federation rotate --dir node-33 --key head --root folder/root.bin --at 29930400        in force from a minute on
  federation rotate --dir node-33 --key head --root folder/root.bin --compromised        in the old one's place at once
  federation rotate --dir node-33 --key tls                              a new certificate of the node
  federation rotate --dir node-33 --key log                              new keys of its log, announced by the node
  federation leave --dir node-33 --root folder/root.bin
  federation issue --dir node-33 --role source --kind laboratory --number 1

Where a head key is lost, or known to others and they may sign too, ask for an invitation into the same slot and join again.
Requests go into the folder's requests/. Every command takes --dry-run, which writes nothing, and --json.

Exit codes: 0 done, 1 refused, 2 wrong usage."
)]
struct Cli {
    /// Say what would be done, and write nothing
    #[arg(long, global = true)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a root key in a file that must not exist (mode 0600), and print its public half
    NewKey {
        /// The file
        file: PathBuf,
    },
    /// Invite a province into a slot; prints the invitation
    Invite {
        /// A root key
        #[arg(long)]
        key: PathBuf,
        /// The federation's plan
        #[arg(long)]
        plan: PathBuf,
        /// The province's code
        #[arg(long)]
        province: u8,
        /// The slot, 0 to 63; one that the province holds, to give it a new head key without the old one
        #[arg(long)]
        slot: u8,
        /// Days for which the invitation holds
        #[arg(long, default_value_t = 14)]
        days: u32,
    },
    /// Follow an invitation: keys, certificates, a configuration and the request, in a directory that must not exist
    Join {
        /// The invitation
        #[arg(long)]
        invitation: PathBuf,
        /// The directory
        #[arg(long)]
        dir: PathBuf,
        /// Where other nodes are to reach this one, `host:port`
        #[arg(long)]
        peers_address: String,
    },
    /// Derive the next root document from the folder's plan, root document and requests
    Propose {
        /// The federation's folder
        folder: PathBuf,
    },
    /// Show what the draft changes, after deriving it again, and all head keys with their dates; without a draft those in force
    Show {
        /// The federation's folder
        folder: PathBuf,
    },
    /// Show what the draft changes, and sign it with a root key
    Approve {
        /// The federation's folder
        folder: PathBuf,
        /// A root key
        #[arg(long)]
        key: PathBuf,
    },
    /// Put a draft that enough have signed in force
    Publish {
        /// The federation's folder
        folder: PathBuf,
    },
    /// Renew a key of a province
    Rotate {
        /// The province's directory
        #[arg(long)]
        dir: PathBuf,
        /// Which key
        #[arg(long, value_enum)]
        key: RotatedKey,
        /// The root document in force, for the head key
        #[arg(long, required_if_eq("key", "head"))]
        root: Option<PathBuf>,
        /// The minute since 1970 UTC from which the new head key signs, 24 hours to 90 days from now; three days from now
        /// without it
        #[arg(long, value_name = "MINUTE")]
        at: Option<u32>,
        /// Others know the head key: the new one replaces it at once, and nothing of it is believed any more
        #[arg(long, conflicts_with = "at")]
        compromised: bool,
    },
    /// Ask to leave the federation; prints the request
    Leave {
        /// The province's directory
        #[arg(long)]
        dir: PathBuf,
        /// The root document in force
        #[arg(long)]
        root: PathBuf,
    },
    /// Issue a certificate of the province: for a source, a checkpoint, an operator or an auditor
    Issue {
        /// The province's directory, with its authority
        #[arg(long)]
        dir: PathBuf,
        /// For whom
        #[arg(long, value_enum)]
        role: commands::IssuedRole,
        /// Kind of the source
        #[arg(long, value_parser = source_kind, required_if_eq("role", "source"))]
        kind: Option<SourceKind>,
        /// Number of the source or auditor
        #[arg(long, default_value_t = 0)]
        number: u32,
    },
}

fn source_kind(word: &str) -> Result<SourceKind, String> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|_| "a kind such as laboratory, cdc, border-post, hospital".to_owned())
}

fn main() -> ExitCode {
    let Cli {
        dry_run,
        json,
        command,
    } = Cli::parse();
    let desk = commands::Desk { dry_run, json };
    let done = match command {
        Command::NewKey { file } => desk.new_key(&file),
        Command::Invite {
            key,
            plan,
            province,
            slot,
            days,
        } => desk.invite(&Invited {
            key,
            plan,
            province,
            slot,
            days,
        }),
        Command::Join {
            invitation,
            dir,
            peers_address,
        } => desk.join(Joined {
            invitation,
            dir,
            peers_address,
        }),
        Command::Propose { folder } => desk.propose(&folder),
        Command::Show { folder } => desk.show(&folder),
        Command::Approve { folder, key } => desk.approve(&folder, &key),
        Command::Publish { folder } => desk.publish(&folder),
        Command::Rotate {
            dir,
            key,
            root,
            at,
            compromised,
        } => desk.rotate(&Rotated {
            dir,
            key,
            root,
            at,
            is_compromised: compromised,
        }),
        Command::Leave { dir, root } => desk.leave(&dir, &root),
        Command::Issue {
            dir,
            role,
            kind,
            number,
        } => desk.issue(&Issued {
            dir,
            role,
            kind,
            number,
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("federation: {error:#}");
            ExitCode::FAILURE
        }
    }
}
