//! What both binary formats share: four letters, a version, and a table of sections, each with its kind and length.

use super::FormatError;

/// What a format of this family looks like.
pub(super) struct Layout {
    /// First four bytes.
    pub(super) magic: &'static str,
    /// The version read here.
    pub(super) version: u32,
    /// What the sections are called: kind 1 first. Each stands in a file once.
    pub(super) sections: &'static [&'static str],
    /// Whether they stand in the order of their kinds.
    pub(super) in_order: bool,
}

impl Layout {
    /// The content of each section, in the order of kinds.
    ///
    /// # Errors
    /// [`FormatError`] naming the first thing that is wrong with the frame of the file.
    pub(super) fn split<'a>(&self, bytes: &'a [u8]) -> Result<Vec<&'a [u8]>, FormatError> {
        let mut rest = bytes;
        let magic: [u8; 4] = take(&mut rest, "magic")?;
        if magic[..] != *self.magic.as_bytes() {
            return Err(FormatError::Magic(self.magic));
        }
        let found = number(&mut rest, "version")?;
        if found != self.version {
            let known = self.version;
            return Err(FormatError::Version { found, known });
        }
        let found = number(&mut rest, "number of sections")?;
        let known = u32::try_from(self.sections.len()).unwrap_or(u32::MAX);
        if found != known {
            return Err(FormatError::Sections { found, known });
        }
        let mut contents: Vec<Option<&[u8]>> = vec![None; self.sections.len()];
        for at in 1..=known {
            let kind = number(&mut rest, "table of sections")?;
            let position = (kind as usize).wrapping_sub(1);
            let free = contents.get(position).is_some_and(Option::is_none);
            if !free || self.in_order && kind != at {
                return Err(FormatError::Section { at, kind });
            }
            let size = u64::from_le_bytes(take(&mut rest, "table of sections")?);
            let (content, after) = usize::try_from(size)
                .ok()
                .and_then(|size| rest.split_at_checked(size))
                .ok_or(FormatError::CutShort(self.sections[position]))?;
            contents[position] = Some(content);
            rest = after;
        }
        if !rest.is_empty() {
            return Err(FormatError::Trailing(rest.len()));
        }
        // As many sections as kinds, and none twice: each is there.
        Ok(contents.into_iter().flatten().collect())
    }
}

/// The next `N` bytes.
pub(super) fn take<const N: usize>(
    rest: &mut &[u8],
    part: &'static str,
) -> Result<[u8; N], FormatError> {
    let (bytes, after) = rest
        .split_first_chunk::<N>()
        .ok_or(FormatError::CutShort(part))?;
    *rest = after;
    Ok(*bytes)
}

/// The next number of four bytes.
pub(super) fn number(rest: &mut &[u8], part: &'static str) -> Result<u32, FormatError> {
    take(rest, part).map(u32::from_le_bytes)
}
