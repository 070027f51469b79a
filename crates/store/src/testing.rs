//! What several tests of this room begin with.

use std::sync::Arc;

use rules::ProvinceCode;

use crate::{Entropy, StoreIdentity};

/// The store of a province.
pub(crate) fn identity(province: u8) -> StoreIdentity {
    StoreIdentity {
        federation: "test".to_owned(),
        province: ProvinceCode::new(province).unwrap(),
    }
}

/// The same randomness each time.
pub(crate) fn entropy() -> Arc<Entropy> {
    Arc::new(Entropy::from_seed([3; 32]))
}
