//! The JSON form of public inputs and witnesses: every field by name, elements as 64 hex digits, times in minutes.

use commitment::pseudonym::{Period, Pseudonym, PseudonymInputs, Scope};
use commitment::record::RECORD_ELEMENTS;
use commitment::{Blinding, Fr, IdentityCommitment, Minute};
use serde::{Deserialize, Serialize};

use crate::pseudonym::Witness;
use crate::vector::Fault;
use crate::vector::form::{Hex, PathForm, element, hex_of};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicForm {
    registry_root: Hex,
    as_of: Minute,
    scope: Hex,
    period: u32,
    pseudonym: Hex,
    binder: Hex,
}

impl From<&PseudonymInputs> for PublicForm {
    fn from(public: &PseudonymInputs) -> Self {
        Self {
            registry_root: hex_of(public.registry_root),
            as_of: public.as_of,
            scope: hex_of(public.scope.element()),
            period: public.period.0,
            pseudonym: hex_of(public.pseudonym.element()),
            binder: hex_of(public.binder),
        }
    }
}

impl TryFrom<PublicForm> for PseudonymInputs {
    type Error = Fault;
    fn try_from(form: PublicForm) -> Result<Self, Fault> {
        Ok(Self {
            registry_root: element(&form.registry_root)?,
            as_of: form.as_of,
            scope: Scope::from_element(element(&form.scope)?),
            period: Period(form.period),
            pseudonym: Pseudonym::from_element(element(&form.pseudonym)?),
            binder: element(&form.binder)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessForm {
    elements: [Hex; RECORD_ELEMENTS],
    identity: Hex,
    blinding: Hex,
    leaf: Hex,
    state_path: PathForm,
    state_root: Hex,
    head_time: u32,
    registry_path: PathForm,
}

impl From<&Witness> for WitnessForm {
    fn from(w: &Witness) -> Self {
        Self {
            elements: w.elements.map(hex_of),
            identity: hex_of(w.identity.element()),
            blinding: hex_of(w.blinding.0),
            leaf: hex_of(w.leaf),
            state_path: (&w.state_path).into(),
            state_root: hex_of(w.state_root),
            head_time: w.head_time,
            registry_path: (&w.registry_path).into(),
        }
    }
}

impl TryFrom<WitnessForm> for Witness {
    type Error = Fault;
    fn try_from(form: WitnessForm) -> Result<Self, Fault> {
        let mut elements = [Fr::from(0u64); RECORD_ELEMENTS];
        for (place, text) in elements.iter_mut().zip(&form.elements) {
            *place = element(text)?;
        }
        Ok(Self {
            elements,
            identity: IdentityCommitment::from_element(element(&form.identity)?),
            blinding: Blinding(element(&form.blinding)?),
            leaf: element(&form.leaf)?,
            state_path: form.state_path.try_into()?,
            state_root: element(&form.state_root)?,
            head_time: form.head_time,
            registry_path: form.registry_path.try_into()?,
        })
    }
}
