//! A text as the modules of a QR code, for whoever draws it.
//!
//! Knows no text's meaning, no page and no picture format.

use qrcode::types::Color;
pub use qrcode::types::QrError;
use qrcode::{EcLevel, QrCode};

/// Its width, and its modules row by row, 1 for dark; level M, as codes on paper have it.
///
/// # Errors
/// For a text that fits no code, or one that is wider than 255 modules, which there is not.
pub fn of(text: &str) -> Result<Vec<u8>, QrError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
    let width = u8::try_from(code.width()).map_err(|_| QrError::DataTooLong)?;
    let modules = code.to_colors().into_iter();
    let modules = modules.map(|module| u8::from(module == Color::Dark));
    Ok(std::iter::once(width).chain(modules).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_its_width_and_so_many_modules_squared_with_finders_in_three_corners() {
        let picture = of("VIR1:ABC").unwrap();
        let width = usize::from(picture[0]);
        assert_eq!(width, 21);
        let modules = &picture[1..];
        assert_eq!(modules.len(), width * width);
        let at = |x: usize, y: usize| modules[y * width + x];
        for (x, y) in [(0, 0), (width - 7, 0), (0, width - 7)] {
            let row: Vec<u8> = (0..7).map(|i| at(x + i, y + 1)).collect();
            assert_eq!(row, [1, 0, 0, 0, 0, 0, 1]);
        }
    }

    #[test]
    fn a_text_that_fits_no_code_is_refused() {
        assert!(of(&"A".repeat(5_000)).is_err());
    }
}
