//! Pictures in which a checkpoint looks for a code.
//!
//! An input that begins as a PNG file is taken as one. Any other is a drawing: the number of modules on a side in one byte,
//! then the modules, one bit each, row by row; so a fuzzer reaches the code without knowing PNG.

use std::io::Cursor;
use std::panic;
use std::sync::Once;

use checkpoint::{MAX_INPUT_TEXT_LEN_BYTES, read_image};
use image::{GrayImage, ImageFormat, Luma};
use qrcode::{Color, EcLevel, QrCode};

use crate::bytes::says;
use crate::codes;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const MODULE_PX: u32 = 3;
/// Modules of light around a code.
const MARGIN: u32 = 4;
/// Most modules on a side: what the widest code has.
const MAX_SIDE: u32 = 177;

/// A checkpoint answers a picture that the library stumbles over; that is no failure, and need not be shown.
static STUMBLES_IN_SILENCE: Once = Once::new();

fn stumble_in_silence() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |what| {
        let in_library = |place: &panic::Location<'_>| place.file().contains("/rqrr-");
        if !what.location().is_some_and(in_library) {
            before(what);
        }
    }));
}

pub(crate) fn check(data: &[u8]) {
    STUMBLES_IN_SILENCE.call_once(stumble_in_silence);
    let drawn;
    let png = if data.starts_with(PNG) {
        data
    } else {
        let Some(picture) = draw(data) else {
            return;
        };
        drawn = picture;
        &drawn
    };
    match read_image(png) {
        Ok(text) => {
            assert!(text.len() <= MAX_INPUT_TEXT_LEN_BYTES);
            codes::qr_text(text.as_bytes());
        }
        Err(error) => says(&error),
    }
}

fn draw(data: &[u8]) -> Option<Vec<u8>> {
    let (side, modules) = data.split_first()?;
    let side = u32::from(*side).min(MAX_SIDE);
    let is_dark = |x: u32, y: u32| {
        let at = (y * side + x) as usize;
        modules
            .get(at / 8)
            .is_some_and(|byte| byte >> (at % 8) & 1 == 1)
    };
    let length = (side + 2 * MARGIN) * MODULE_PX;
    let picture = GrayImage::from_fn(length, length, |x, y| {
        let module = |p: u32| (p / MODULE_PX).checked_sub(MARGIN).filter(|m| *m < side);
        let dark = module(x).zip(module(y)).is_some_and(|(x, y)| is_dark(x, y));
        Luma([if dark { 0 } else { 255 }])
    });
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).ok()?;
    Some(png.into_inner())
}

/// A code as [`draw`] takes it.
fn drawing(text: &[u8]) -> Vec<u8> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).expect("a short text");
    let side = u8::try_from(code.width()).expect("at most 177");
    let mut data = vec![side];
    for bits in code.to_colors().chunks(8) {
        let bit = |(i, c): (usize, &Color)| u8::from(*c == Color::Dark) << i;
        data.push(bits.iter().enumerate().map(bit).sum());
    }
    data
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut drawings: Vec<Vec<u8>> = codes::qr_text_seeds()
        .iter()
        .step_by(3)
        .map(|text| drawing(text))
        .collect();
    drawings.push(drawing(b"0123456789"));
    drawings.push(drawing("王芳 in bytes".as_bytes()));
    let mut seeds = drawings.clone();
    seeds.extend(drawings.iter().filter_map(|data| draw(data)));
    seeds
}
