//! Reading bytes from outside: a limit first, decompression under the same limit.

use std::io::Read;

use crate::Error;

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// `bytes` as text, decompressed where they are a Zstandard frame; at most `limit` bytes either way.
pub(crate) fn to_text(bytes: &[u8], what: &'static str, limit: usize) -> Result<String, Error> {
    if bytes.len() > limit {
        return Err(Error::TooLarge { what, limit });
    }
    let plain = if bytes.starts_with(&ZSTD_MAGIC) {
        decompress(bytes, what, limit)?
    } else {
        bytes.to_vec()
    };
    String::from_utf8(plain).map_err(|_| Error::NotText(what))
}

fn decompress(bytes: &[u8], what: &'static str, limit: usize) -> Result<Vec<u8>, Error> {
    let decoder =
        ruzstd::decoding::StreamingDecoder::new(bytes).map_err(|_| Error::Compressed(what))?;
    let mut plain = Vec::new();
    decoder
        .take(limit as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|_| Error::Compressed(what))?;
    if plain.len() > limit {
        return Err(Error::TooLarge { what, limit });
    }
    Ok(plain)
}

/// `text` as a Zstandard frame.
pub fn compress(text: &str) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_unpacks_beyond_the_limit_is_refused() {
        let bomb = compress(&"0".repeat(1 << 20));
        assert!(bomb.len() < 10_000);
        assert!(matches!(
            to_text(&bomb, "table", 100_000),
            Err(Error::TooLarge { limit: 100_000, .. })
        ));
        assert_eq!(to_text(&bomb, "table", 1 << 20).unwrap().len(), 1 << 20);
    }

    #[test]
    fn a_torn_frame_is_refused() {
        let frame = compress("一二三四五六七八九十");
        assert!(to_text(&frame[..frame.len() - 6], "table", 1000).is_err());
    }
}
