//! Reading and writing of canonical byte layouts: fixed widths, big-endian, nothing left over.

use rules::{Minute, ProvinceCode};

use crate::{Epoch, Fr, Slot, fr_from_bytes};

/// Why bytes follow no canonical layout; whoever supplied them is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// More bytes than the layout admits; checked before anything is read.
    #[error("{len} bytes, at most {limit}")]
    TooLong {
        /// Bytes supplied.
        len: usize,
        /// Most bytes admitted.
        limit: usize,
    },
    /// The bytes end within a field.
    #[error("the bytes end {missing} short of a field")]
    Truncated {
        /// Bytes that the field still needed.
        missing: usize,
    },
    /// Bytes follow the last field.
    #[error("{0} bytes follow the last field")]
    Trailing(usize),
    /// A version that this reader does not know.
    #[error("layout version {0} is not known")]
    UnknownVersion(u8),
    /// A field that holds no value of its type.
    #[error("not a value of its field: {0}")]
    Invalid(&'static str),
    /// A list whose elements do not strictly ascend, and so could be written in several ways.
    #[error("a list does not strictly ascend: {0}")]
    NotAscending(&'static str),
    /// A list longer than its limit.
    #[error("{count} {what}, at most {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
}

/// Reads fields one after the other; never allocates more than its input.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over at most `limit_bytes` bytes.
    ///
    /// # Errors
    /// [`LayoutError::TooLong`] above `limit_bytes`.
    pub fn new(bytes: &'a [u8], limit_bytes: usize) -> Result<Self, LayoutError> {
        if bytes.len() > limit_bytes {
            return Err(LayoutError::TooLong {
                len: bytes.len(),
                limit: limit_bytes,
            });
        }
        Ok(Self { rest: bytes })
    }

    /// Bytes not read yet.
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`LayoutError::Truncated`] if there are fewer.
    pub fn slice(&mut self, len: usize) -> Result<&'a [u8], LayoutError> {
        let Some((head, rest)) = self.rest.split_at_checked(len) else {
            return Err(LayoutError::Truncated {
                missing: len - self.rest.len(),
            });
        };
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`LayoutError::Truncated`] if there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], LayoutError> {
        let mut out = [0; N];
        out.copy_from_slice(self.slice(N)?);
        Ok(out)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`LayoutError::Truncated`] at the end.
    pub fn u8(&mut self) -> Result<u8, LayoutError> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes, big-endian.
    ///
    /// # Errors
    /// [`LayoutError::Truncated`] at the end.
    pub fn u16(&mut self) -> Result<u16, LayoutError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Four bytes, big-endian.
    ///
    /// # Errors
    /// [`LayoutError::Truncated`] at the end.
    pub fn u32(&mut self) -> Result<u32, LayoutError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Eight bytes, big-endian.
    ///
    /// # Errors
    /// [`LayoutError::Truncated`] at the end.
    pub fn u64(&mut self) -> Result<u64, LayoutError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// A version byte that must be `known`.
    ///
    /// # Errors
    /// [`LayoutError::UnknownVersion`] for another, [`LayoutError::Truncated`] at the end.
    pub fn version(&mut self, known: u8) -> Result<(), LayoutError> {
        match self.u8()? {
            version if version == known => Ok(()),
            other => Err(LayoutError::UnknownVersion(other)),
        }
    }

    /// A two-byte count of at most `limit` elements.
    ///
    /// # Errors
    /// [`LayoutError::TooMany`] above the limit, [`LayoutError::Truncated`] at the end.
    pub fn count(&mut self, what: &'static str, limit: usize) -> Result<usize, LayoutError> {
        let count = usize::from(self.u16()?);
        if count > limit {
            return Err(LayoutError::TooMany { what, count, limit });
        }
        Ok(count)
    }

    /// A field element, 32 bytes.
    ///
    /// # Errors
    /// [`LayoutError::Invalid`] at or above the modulus, [`LayoutError::Truncated`] at the end.
    pub fn fr(&mut self) -> Result<Fr, LayoutError> {
        fr_from_bytes(&self.array()?)
            .map_err(|_| LayoutError::Invalid("a field element at or above the modulus"))
    }

    /// A moment, four bytes.
    ///
    /// # Errors
    /// [`LayoutError::Invalid`] beyond 26 bits, [`LayoutError::Truncated`] at the end.
    pub fn minute(&mut self) -> Result<Minute, LayoutError> {
        Minute::new(self.u32()?).map_err(|_| LayoutError::Invalid("a minute beyond 26 bits"))
    }

    /// An epoch, four bytes.
    ///
    /// # Errors
    /// [`LayoutError::Truncated`] at the end.
    pub fn epoch(&mut self) -> Result<Epoch, LayoutError> {
        Ok(Epoch::new(self.u32()?))
    }

    /// A slot, one byte.
    ///
    /// # Errors
    /// [`LayoutError::Invalid`] beyond the registry, [`LayoutError::Truncated`] at the end.
    pub fn slot(&mut self) -> Result<Slot, LayoutError> {
        Slot::new(self.u8()?).ok_or(LayoutError::Invalid("a slot beyond the registry"))
    }

    /// A province or the nation, one byte.
    ///
    /// # Errors
    /// [`LayoutError::Invalid`] for a code that GB/T 2260 does not have, [`LayoutError::Truncated`] at the end.
    pub fn province(&mut self) -> Result<ProvinceCode, LayoutError> {
        ProvinceCode::new(self.u8()?).map_err(|_| LayoutError::Invalid("an unknown province"))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`LayoutError::Trailing`] if bytes are left.
    pub fn finish(self) -> Result<(), LayoutError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(LayoutError::Trailing(left)),
        }
    }
}

/// Appends a two-byte count, as [`Reader::count`] reads it.
///
/// # Panics
/// Above 65,535: writers check their limits when a value is made.
pub fn put_count(out: &mut Vec<u8>, count: usize) {
    let count = u16::try_from(count).expect("a list within its limit");
    out.extend_from_slice(&count.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gives_back_what_was_written_and_refuses_anything_left_over() {
        let mut bytes = vec![1];
        put_count(&mut bytes, 2);
        bytes.extend_from_slice(&7u32.to_be_bytes());
        bytes.push(33);
        let mut reader = Reader::new(&bytes, 8).unwrap();
        reader.version(1).unwrap();
        assert_eq!(reader.count("things", 2).unwrap(), 2);
        assert_eq!(reader.minute().unwrap().get(), 7);
        assert_eq!(reader.remaining(), 1);
        let mut last = Reader::new(reader.rest, 1).unwrap();
        assert_eq!(reader.finish(), Err(LayoutError::Trailing(1)));
        assert_eq!(last.province().unwrap().get(), 33);
        assert_eq!(last.u8(), Err(LayoutError::Truncated { missing: 1 }));
        assert!(last.finish().is_ok());
    }

    #[test]
    fn the_size_limit_comes_before_any_field() {
        assert_eq!(
            Reader::new(&[0; 9], 8).unwrap_err(),
            LayoutError::TooLong { len: 9, limit: 8 }
        );
    }

    #[test]
    fn values_outside_their_type_are_refused() {
        let reader = |bytes: &'static [u8]| Reader::new(bytes, 64).unwrap();
        assert!(reader(&[255; 32]).fr().is_err());
        assert!(reader(&[4, 0, 0, 0]).minute().is_err());
        assert!(reader(&[64]).slot().is_err());
        assert!(reader(&[99]).province().is_err());
        assert_eq!(reader(&[2]).version(1), Err(LayoutError::UnknownVersion(2)));
        assert!(reader(&[0, 3]).count("things", 2).is_err());
    }
}
