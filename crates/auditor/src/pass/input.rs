//! From a text, a file or a stream to the text of a code. Nothing is parsed beyond its limits.

use std::io::{Cursor, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use image::{ImageFormat, ImageReader, Limits};
use verifier::QR_PREFIX;

use crate::files;

/// Longest text that is looked at; the verifier's own limit is tighter.
const MAX_TEXT_LEN_BYTES: usize = 4_096;
/// Longest picture file.
const MAX_PICTURE_LEN_BYTES: usize = 8 << 20;
/// Widest and highest picture, pixels.
const MAX_SIDE_PX: u32 = 4_096;
/// A picture of the widest and highest kind in four channels, and some room.
const MAX_DECODED_BYTES: u64 = 96 << 20;
/// Codes that are read in one picture.
const MAX_CODES: usize = 8;
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

pub(super) fn text(input: &str) -> Result<String> {
    if input.starts_with(QR_PREFIX) {
        return bounded(input.as_bytes());
    }
    let bytes = if input == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .take(MAX_PICTURE_LEN_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .context("cannot read standard input")?;
        if bytes.len() > MAX_PICTURE_LEN_BYTES {
            bail!("standard input has more than {MAX_PICTURE_LEN_BYTES} bytes");
        }
        bytes
    } else {
        let path = Path::new(input);
        if !path.exists() {
            bail!("neither a text that begins with {QR_PREFIX}, nor a file");
        }
        files::read(path, MAX_PICTURE_LEN_BYTES)?
    };
    if bytes.starts_with(PNG_SIGNATURE) {
        picture(&bytes)
    } else {
        bounded(bytes.trim_ascii())
    }
}

fn bounded(bytes: &[u8]) -> Result<String> {
    if bytes.len() > MAX_TEXT_LEN_BYTES {
        bail!(
            "a text of {} bytes, at most {MAX_TEXT_LEN_BYTES}",
            bytes.len()
        );
    }
    String::from_utf8(bytes.to_vec()).context("the text is not UTF-8")
}

/// The text of the one code in a PNG picture.
fn picture(png: &[u8]) -> Result<String> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    reader.limits(limits);
    let decoded = reader.decode().context("not a readable PNG")?;
    let mut prepared = rqrr::PreparedImage::prepare(decoded.to_luma8());
    let mut texts: Vec<String> = prepared
        .detect_grids()
        .into_iter()
        .take(MAX_CODES)
        .filter_map(|grid| grid.decode().ok())
        .map(|(_, text)| text)
        .collect();
    texts.sort_unstable();
    texts.dedup();
    match &texts[..] {
        [text] => bounded(text.as_bytes()),
        [] => bail!("no readable code in the picture"),
        several => bail!("{} different codes in one picture", several.len()),
    }
}
