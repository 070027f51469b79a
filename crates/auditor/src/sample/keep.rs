//! The file in which an auditor keeps what was opened: written as it comes, so that nothing that is in somebody's trail is lost.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use commitment::Fr;
use wire::{MAX_KEPT_SAMPLE_BYTES, OpenedSample, ShownSample};

use crate::files;

/// A sample that is kept while it is opened. Until all of it is there it lies beside its name, with the ending `.part`.
pub(super) struct Keeping {
    whole: PathBuf,
    part: PathBuf,
}

impl Keeping {
    /// Keeps in the file `path`, which must not exist.
    pub(super) fn new(path: &Path) -> Result<Self> {
        files::check_folder_of(path)?;
        if path.exists() {
            bail!("{} exists: --read judges it", path.display());
        }
        let name = path.file_name();
        let mut part = name
            .with_context(|| format!("{} names no file", path.display()))?
            .to_owned();
        part.push(".part");
        Ok(Self {
            whole: path.to_owned(),
            part: path.with_file_name(part),
        })
    }

    /// What was opened before this program was interrupted, if it was.
    pub(super) fn begun(&self) -> Result<Option<ShownSample>> {
        if !self.part.exists() {
            return Ok(None);
        }
        let begun = read(&self.part);
        let hint = || format!("move {} away to begin anew", self.part.display());
        begun.map(Some).with_context(hint)
    }

    /// Keeps what has been opened so far, whole or not at all.
    pub(super) fn keep(&self, shown: &ShownSample) -> Result<()> {
        files::replace_private(&self.part, &shown.to_bytes())
    }

    /// Puts it under its name: nothing more is to come.
    pub(super) fn finish(&self) -> Result<()> {
        files::move_new(&self.part, &self.whole)
    }
}

/// A kept sample.
pub(super) fn read(path: &Path) -> Result<ShownSample> {
    let bytes = files::read(path, MAX_KEPT_SAMPLE_BYTES)?;
    let shown = ShownSample::from_bytes(&bytes);
    shown.with_context(|| format!("{} is no kept sample", path.display()))
}

/// The drawn places that have a leaf, in their order.
pub(super) fn leaves_drawn(sample: &OpenedSample) -> impl Iterator<Item = u32> {
    let drawn = sample.ways.drawn.iter();
    let occupied = drawn.filter(|way| way.levels[0][(way.index % 8) as usize] != Fr::default());
    occupied.map(|way| way.index)
}

/// Drawn leaves that are not opened yet, and how many are drawn: of what was not asked for it cannot be said that it was not shown.
pub(super) fn missing(shown: &ShownSample) -> (usize, usize) {
    let missing = leaves_drawn(&shown.sample).filter(|place| !shown.leaves.contains_key(place));
    (missing.count(), leaves_drawn(&shown.sample).count())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::tests::an_honest_sample;
    use super::*;

    #[test]
    fn what_is_opened_is_kept_as_it_comes_and_has_its_name_once_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let whole = dir.path().join("sample.bin");
        let shown = an_honest_sample();
        let mut begun = shown.clone();
        begun.leaves.clear();
        assert_eq!(missing(&shown), (0, shown.leaves.len()));
        assert_eq!(missing(&begun).0, shown.leaves.len());
        let keeping = Keeping::new(&whole).unwrap();
        assert!(keeping.begun().unwrap().is_none());
        keeping.keep(&begun).unwrap();
        assert!(!whole.exists());
        // As the program would find it when it is started again.
        let again = Keeping::new(&whole).unwrap();
        assert!(again.begun().unwrap().is_some_and(|kept| kept == begun));
        again.keep(&shown).unwrap();
        assert!(again.begun().unwrap().is_some_and(|kept| kept == shown));
        let part = dir.path().join("sample.bin.part");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&part), 0o600);
        again.finish().unwrap();
        assert!(read(&whole).unwrap() == shown && mode(&whole) == 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        // It is not written over, and what is damaged is not gone on from.
        assert!(Keeping::new(&whole).is_err());
        let other = Keeping::new(&dir.path().join("other.bin")).unwrap();
        std::fs::write(dir.path().join("other.bin.part"), b"no sample").unwrap();
        assert!(other.begun().is_err());
    }
}
