//! Residents who do not exist.

use p256::ecdsa::SigningKey;
use rules::{IdentityNumber, ProvinceCode};

use crate::province;

/// A made-up resident with a device.
#[derive(Clone)]
pub struct Person {
    /// Where the record is kept.
    pub home: ProvinceCode,
    /// Identity number.
    pub number: IdentityNumber,
    /// Name, as the civil register has it.
    pub name: String,
    /// Key of the device.
    pub device: SigningKey,
}

impl Person {
    /// The resident with this number, from 1 to 900, of a province: always the same one.
    ///
    /// # Panics
    /// For a province without residents here, or a number out of range.
    pub fn of(home: u8, number: u16) -> Self {
        assert!((1..=900).contains(&number), "a resident from 1 to 900");
        let county = u32::from(home) * 10_000 + 102;
        let birth = (
            1940 + number % 70,
            1 + (number % 12) as u8,
            1 + (number % 28) as u8,
        );
        Self {
            home: province(home),
            number: IdentityNumber::assemble(county, birth, number).expect("a valid number"),
            name: format!("测试{home}{number}"),
            device: device_key(home, number),
        }
    }

    /// The number as text; for registers, registrations and cards only.
    pub fn number_text(&self) -> String {
        String::from_utf8_lossy(self.number.expose()).into_owned()
    }
}

/// A key of the device of a resident, or of one of the resident's passes: for people who do not exist only.
pub(crate) fn device_key(home: u8, number: u16) -> SigningKey {
    let mut scalar = [0x5a; 32];
    scalar[0] = home;
    scalar[1..3].copy_from_slice(&number.to_be_bytes());
    SigningKey::from_slice(&scalar).expect("a scalar below the order")
}
