use std::path::PathBuf;

/// Why there is no verdict at all; a refused pass is a verdict and no error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration is not usable; whoever wrote it is at fault.
    #[error("configuration: {0}")]
    Config(String),
    /// A file cannot be read or written.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system or the limit says.
        why: String,
    },
    /// The input is neither a QR text, nor a readable picture; whoever called is at fault.
    #[error("input: {0}")]
    Input(String),
    /// Another process works with the state directory.
    #[error("{}: another process uses this state directory", .0.display())]
    StateInUse(PathBuf),
    /// What was stored is damaged; the state directory must be made anew.
    #[error("{}: {why}; move it aside and refresh", path.display())]
    StateDamaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The trust list names no such profile; configuration or caller are at fault.
    #[error(transparent)]
    UnknownProfile(#[from] gate::UnknownProfile),
    /// A list that was offered is not acceptable, or nobody offered one; the last good one stays in use.
    #[error("not a trust list to be taken: {0}")]
    NotRefreshed(String),
    /// The gate service failed.
    #[error(transparent)]
    Federation(#[from] federation::FederationError),
}
