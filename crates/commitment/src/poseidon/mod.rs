//! Poseidon over BN254's scalar field with circomlib's constants, fixed arities, and a domain tag per use in the
//! capacity lane (circomlib `PoseidonEx`); the permutation itself is light-poseidon's.

use std::cell::RefCell;
use std::collections::HashMap;

use ark_bn254::Fr;
use light_poseidon::{Poseidon, PoseidonHasher, PoseidonParameters};

use crate::{fr_from_bytes, fr_to_bytes};

/// What a hash is for; no two uses share a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Domain {
    /// First eight elements of a record.
    RecordFirst = 1,
    /// The rest of a record, giving its state leaf.
    RecordRest = 2,
    /// A link of the rule table's chain.
    RuleTable = 3,
    /// A pair of risk intervals.
    RiskPair = 4,
    /// An inner node of the risk map's tree.
    RiskNode = 5,
    /// An inner node of a province's state tree.
    StateNode = 6,
    /// A province's leaf in the registry.
    RegistryLeaf = 7,
    /// An inner node of the registry.
    RegistryNode = 8,
    /// What binds a pass to its holder.
    Binder = 9,
    /// A resident's identity within a record.
    Identity = 10,
    /// What a resident is called by one who asks.
    Pseudonym = 11,
}

impl Domain {
    /// The tag in the capacity lane: ASCII `VIR1` followed by the use's number.
    pub fn tag(self) -> Fr {
        Fr::from(u64::from(u32::from_be_bytes(*b"VIR1")) << 8 | self as u64)
    }
}

thread_local! {
    static HASHERS: RefCell<HashMap<(usize, Domain), Poseidon<Fr>>> = RefCell::new(HashMap::new());
}

fn hash(domain: Domain, inputs: &[Fr], constants: &[u8]) -> Fr {
    HASHERS.with_borrow_mut(|hashers| {
        hashers
            .entry((inputs.len(), domain))
            .or_insert_with(|| {
                let mut parameters = stored(inputs.len(), constants);
                // The capacity lane begins with the tag, and the first constant is what is added to it first.
                parameters.ark[0] += domain.tag();
                Poseidon::new(parameters)
            })
            .hash(inputs)
            .expect("the hasher was made for this arity")
    })
}

/// Hash of three elements.
pub fn hash3(domain: Domain, inputs: &[Fr; 3]) -> Fr {
    hash(domain, inputs, include_bytes!("arity-3.bin"))
}

/// Hash of four elements.
pub fn hash4(domain: Domain, inputs: &[Fr; 4]) -> Fr {
    hash(domain, inputs, include_bytes!("arity-4.bin"))
}

/// Hash of eight elements.
pub fn hash8(domain: Domain, inputs: &[Fr; 8]) -> Fr {
    hash(domain, inputs, include_bytes!("arity-8.bin"))
}

/// Full rounds, of every arity.
const FULL_ROUNDS: usize = 8;
/// The exponent of the S-box.
const ALPHA: u64 = 5;

/// The parameters in a file that [`to_stored`] wrote. The library has those of all arities as code, 1.6 MB of it in a page; as
/// data a program is linked with those alone that it hashes with.
fn stored(arity: usize, constants: &[u8]) -> PoseidonParameters<Fr> {
    let width = arity + 1;
    let (elements, _) = constants.as_chunks::<32>();
    let all: Vec<Fr> = elements
        .iter()
        .map(|element| fr_from_bytes(element).expect("a test holds the files against the library"))
        .collect();
    let (ark, mds) = all.split_at(all.len() - width * width);
    PoseidonParameters::new(
        ark.to_vec(),
        mds.chunks_exact(width).map(<[Fr]>::to_vec).collect(),
        FULL_ROUNDS,
        ark.len() / width - FULL_ROUNDS,
        width,
        ALPHA,
    )
}

/// The file of an arity: round constants, then the matrix by rows, each element in 32 bytes, big-endian. `cargo run -p commitment
/// --example poseidon-constants` writes it from the library's.
pub fn to_stored(arity: usize) -> Vec<u8> {
    let parameters = parameters(arity);
    let elements = parameters.ark.iter().chain(parameters.mds.iter().flatten());
    elements.flat_map(|e| fr_to_bytes(*e)).collect()
}

/// Round constants, matrix and round numbers for `arity` inputs, for whoever restates the permutation as constraints.
///
/// # Panics
/// For an arity other than 1 to 15, which have no parameters.
pub fn parameters(arity: usize) -> PoseidonParameters<Fr> {
    let width = u8::try_from(arity + 1).expect("arity up to 15");
    light_poseidon::parameters::bn254_x5::get_poseidon_parameters(width).expect("arity 1 to 15")
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[test]
    fn the_permutation_agrees_with_circomlibs_published_vectors() {
        // circomlib test/poseidoncircuit.js: poseidon([1, 2]) and poseidon([1, 2, 3, 4]).
        let two = Poseidon::<Fr>::new_circom(2)
            .unwrap()
            .hash(&[Fr::from(1), Fr::from(2)])
            .unwrap();
        let expected =
            "7853200120776062878684798364095072458815029376092732009249414926327459813530";
        assert_eq!(two, Fr::from_str(expected).unwrap());
        let inputs: Vec<Fr> = (1..=4).map(Fr::from).collect();
        let four = Poseidon::<Fr>::new_circom(4)
            .unwrap()
            .hash(&inputs)
            .unwrap();
        let expected =
            "18821383157269793795438455681495246036402687001665670618754263018637548127333";
        assert_eq!(four, Fr::from_str(expected).unwrap());
    }

    #[test]
    fn what_is_stored_are_the_librarys_parameters_and_the_tag_stands_in_the_capacity_lane() {
        let inputs: Vec<Fr> = (1..=8).map(Fr::from).collect();
        let files: [(usize, &[u8]); 3] = [
            (3, include_bytes!("arity-3.bin")),
            (4, include_bytes!("arity-4.bin")),
            (8, include_bytes!("arity-8.bin")),
        ];
        for (arity, file) in files {
            assert_eq!(file, to_stored(arity), "arity {arity}");
            let (ours, theirs) = (stored(arity, file), parameters(arity));
            assert_eq!(ours.ark, theirs.ark);
            assert_eq!(ours.mds, theirs.mds);
            assert_eq!(ours.full_rounds, theirs.full_rounds);
            assert_eq!(ours.partial_rounds, theirs.partial_rounds);
            assert_eq!((ours.width, ours.alpha), (theirs.width, theirs.alpha));
            let domain = Domain::Identity;
            let tagged = Poseidon::<Fr>::with_domain_tag_circom(arity, domain.tag())
                .unwrap()
                .hash(&inputs[..arity])
                .unwrap();
            assert_eq!(hash(domain, &inputs[..arity], file), tagged);
        }
    }

    #[test]
    fn uses_and_arities_do_not_collide_on_equal_inputs() {
        let zero = Fr::from(0);
        let all = [
            hash3(Domain::RegistryLeaf, &[zero; 3]),
            hash3(Domain::Identity, &[zero; 3]),
            hash3(Domain::Pseudonym, &[zero; 3]),
            hash4(Domain::RiskPair, &[zero; 4]),
            hash4(Domain::Binder, &[zero; 4]),
            hash8(Domain::StateNode, &[zero; 8]),
            hash8(Domain::RiskNode, &[zero; 8]),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
    }
}
