//! From what was handed in – a text, a picture, a stream – to the text of a code. Nothing is parsed beyond its limits.

use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::{GrayImage, ImageFormat, ImageReader, Limits};

use crate::Error;
use crate::state::read_file;

/// Longest text that is looked at; the verifier's own limit is tighter.
pub const MAX_INPUT_TEXT_LEN_BYTES: usize = 4_096;
/// Longest picture file.
pub const MAX_IMAGE_FILE_LEN_BYTES: usize = 8 << 20;
/// Widest and highest picture, pixels: a photograph of 4,096 by 4,096 decodes to 64 MB at most.
pub const MAX_IMAGE_SIDE_PX: u32 = 4_096;
const MAX_IMAGE_DECODED_BYTES: u64 = 96 << 20;
/// Codes that are read in one picture.
const MAX_CODES_PER_IMAGE: usize = 8;
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The text of the code in `input`: the text itself if it begins with `VIR1:`, what `stdin` gives for `-` (text or PNG),
/// otherwise the one code in the PNG file of that name.
///
/// # Errors
/// [`Error::Input`] if there is no such file, no code in the picture, or more than one; [`Error::File`].
pub fn read_code(input: &str, stdin: impl Read) -> Result<String, Error> {
    if input.starts_with(verifier::QR_PREFIX) {
        return bounded_text(input.as_bytes());
    }
    if input == "-" {
        let mut bytes = Vec::new();
        stdin
            .take(MAX_IMAGE_FILE_LEN_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::Input(format!("standard input: {error}")))?;
        return if bytes.starts_with(PNG_SIGNATURE) {
            read_image(&bytes)
        } else {
            bounded_text(bytes.trim_ascii())
        };
    }
    let path = Path::new(input);
    if !path.exists() {
        return Err(Error::Input(
            "neither a text that begins with VIR1:, nor a file".to_owned(),
        ));
    }
    read_image(&read_file(path, MAX_IMAGE_FILE_LEN_BYTES as u64)?)
}

fn bounded_text(bytes: &[u8]) -> Result<String, Error> {
    if bytes.len() > MAX_INPUT_TEXT_LEN_BYTES {
        return Err(Error::Input(format!(
            "a text of {} bytes, at most {MAX_INPUT_TEXT_LEN_BYTES}",
            bytes.len()
        )));
    }
    // A text that is not UTF-8 is no pass; the verifier says so of the replaced characters.
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// The text of the one code in a PNG picture.
///
/// # Errors
/// [`Error::Input`] for a file that is too long, no PNG, too large, or without exactly one code.
pub fn read_image(png: &[u8]) -> Result<String, Error> {
    if png.len() > MAX_IMAGE_FILE_LEN_BYTES {
        return Err(Error::Input(format!(
            "a picture of more than {MAX_IMAGE_FILE_LEN_BYTES} bytes"
        )));
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_IMAGE_SIDE_PX);
    limits.max_image_height = Some(MAX_IMAGE_SIDE_PX);
    limits.max_alloc = Some(MAX_IMAGE_DECODED_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    reader.limits(limits);
    let picture = reader
        .decode()
        .map_err(|error| Error::Input(format!("not a readable PNG: {error}")))?;
    let texts = search(picture.to_luma8())?;
    match <[String; 1]>::try_from(texts) {
        Ok([text]) => bounded_text(text.as_bytes()),
        Err(texts) if texts.is_empty() => {
            Err(Error::Input("no readable code in the picture".to_owned()))
        }
        Err(texts) => Err(Error::Input(format!(
            "{} different codes in one picture",
            texts.len()
        ))),
    }
}

/// The different texts of all codes in a picture, ascending.
fn search(picture: GrayImage) -> Result<Vec<String>, Error> {
    // The library's geometry ends in assertions for some pictures in which nothing is square; it keeps no state between
    // pictures, so nothing is left half-done.
    let found = catch_unwind(AssertUnwindSafe(|| {
        let mut prepared = rqrr::PreparedImage::prepare(picture);
        let grids = prepared.detect_grids().into_iter();
        let decoded = grids
            .take(MAX_CODES_PER_IMAGE)
            .filter_map(|grid| grid.decode().ok());
        decoded.map(|(_, text)| text).collect::<Vec<String>>()
    }));
    let mut texts = found.map_err(|_| {
        Error::Input("no code can be looked for in this picture: take it again".to_owned())
    })?;
    texts.sort_unstable();
    texts.dedup();
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Luma;
    use qrcode::{EcLevel, QrCode};

    fn picture(text: &str) -> GrayImage {
        QrCode::with_error_correction_level(text, EcLevel::M)
            .unwrap()
            .render::<Luma<u8>>()
            .quiet_zone(true)
            .module_dimensions(4, 4)
            .build()
    }

    fn png(picture: &GrayImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        picture
            .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
            .unwrap();
        bytes
    }

    #[test]
    fn a_code_is_read_from_text_file_and_stream_alike() {
        let text = format!("VIR1:{}", "6BF".repeat(130));
        let bytes = png(&picture(&text));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("code.png");
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(read_code(&text, std::io::empty()).unwrap(), text);
        assert_eq!(read_code("-", &bytes[..]).unwrap(), text);
        assert_eq!(
            read_code("-", format!("{text}\n").as_bytes()).unwrap(),
            text
        );
        assert_eq!(
            read_code(path.to_str().unwrap(), std::io::empty()).unwrap(),
            text
        );
    }

    #[test]
    fn a_missing_file_and_a_picture_without_a_code_are_no_input() {
        assert!(read_code("no/such.png", std::io::empty()).is_err());
        let blank = png(&GrayImage::from_pixel(64, 64, Luma([255])));
        assert!(read_image(&blank).is_err());
        assert!(read_image(b"").is_err());
        assert!(read_image(&blank[..40]).is_err());
    }

    #[test]
    fn two_different_codes_in_one_picture_are_refused() {
        let (one, two) = (picture("VIR1:AAA"), picture("VIR1:BBB"));
        let mut both =
            GrayImage::from_pixel(one.width() + two.width() + 40, one.height(), Luma([255]));
        image::imageops::replace(&mut both, &one, 0, 0);
        image::imageops::replace(&mut both, &two, i64::from(one.width()) + 40, 0);
        let error = read_image(&png(&both)).unwrap_err().to_string();
        assert!(error.contains("2 different codes"), "{error}");
    }

    #[test]
    fn a_picture_that_would_decode_to_too_much_is_refused_by_its_head() {
        let wide = png(&GrayImage::from_pixel(MAX_IMAGE_SIDE_PX + 1, 1, Luma([0])));
        let error = read_image(&wide).unwrap_err().to_string();
        assert!(error.contains("PNG"), "{error}");
        assert!(read_image(&vec![0; MAX_IMAGE_FILE_LEN_BYTES + 1]).is_err());
    }

    #[test]
    fn a_picture_whose_corners_span_no_square_is_refused() {
        // The corners of a code over noise, 21 modules a side, a bit for each.
        let modules = hex::decode(
            "7fd83fa80a7619dd2ea6db557583ace05ff507c000550ac9b10871493ccf238426151d5ad19f3a08c2fd5defb08b18755dc42061f33775",
        )
        .unwrap();
        let picture = GrayImage::from_fn(29 * 3, 29 * 3, |x, y| {
            let inside = |p: u32| (p / 3).checked_sub(4).filter(|m| *m < 21);
            let dark = inside(x).zip(inside(y)).is_some_and(|(x, y)| {
                let at = usize::try_from(y * 21 + x).unwrap();
                modules
                    .get(at / 8)
                    .is_some_and(|byte| byte >> (at % 8) & 1 == 1)
            });
            Luma([if dark { 0 } else { 255 }])
        });
        let error = read_image(&png(&picture)).unwrap_err().to_string();
        assert!(error.contains("take it again"), "{error}");
    }

    #[test]
    fn a_text_beyond_its_limit_is_refused() {
        let long = format!("VIR1:{}", "0".repeat(MAX_INPUT_TEXT_LEN_BYTES));
        assert!(read_code(&long, std::io::empty()).is_err());
        assert!(read_code("-", long.as_bytes()).is_err());
    }
}
