//! What the published specifications give as examples, taken from c2sp.org on 27 November 2026. They publish no keys for
//! their example checkpoint, so that its form is all that can be checked of it.

use std::fmt::Write as _;

use ledger::log::{
    AddCheckpoint, Log, LogError, LogHash, NoteKey, SignedCheckpoint, TilePath, WitnessPolicy,
    leaf_hash,
};
use signed_note::{Note, Verifier, VerifierList};

use crate::{Kept, names, signer};

/// signed-note, "Example".
const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// tlog-cosignature, the checkpoint with a cosignature.
const COSIGNED: &str = "example.com/behind-the-sofa\n20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

/// tlog-witness, `add-checkpoint`, the request's body.
const REQUEST: &str = "old 20852014\n\
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
    jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
    5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
    /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n\
    example.com/behind-the-sofa\n20852163\n\
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    \u{2014} example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";

#[test]
fn the_verifier_key_of_signed_note_verifies_its_note_and_no_changed_one() {
    let key = NoteKey::from_vkey(VKEY).unwrap();
    assert_eq!((key.to_vkey().as_str(), key.is_cosigner()), (VKEY, false));
    let verify = |note: &str| {
        let known = VerifierList::new(vec![Box::new(key.clone()) as Box<dyn Verifier>]);
        Note::from_bytes(note.as_bytes())
            .unwrap()
            .verify(&known)
            .is_ok()
    };
    assert!(verify(NOTE));
    assert!(!verify(&NOTE.replace("example message", "example massage")));
    assert!(!verify(
        &NOTE.replace("UW2Q", "Uw2Q").replace("Okn8", "Okn9")
    ));
    for changed in [
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("example.com/foo", "example.com/fox"),
        VKEY.replace("+Aek", "+Bek"),
        format!("{VKEY}="),
        String::new(),
    ] {
        assert!(NoteKey::from_vkey(&changed).is_err(), "{changed}");
    }
}

#[test]
fn the_example_checkpoint_is_read_as_published() {
    let read = SignedCheckpoint::from_bytes(COSIGNED.as_bytes()).unwrap();
    assert_eq!(read.origin(), "example.com/behind-the-sofa");
    assert_eq!(read.size(), 20_852_163);
    assert_eq!(
        read.root().to_string(),
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    );
    assert_eq!(read.to_bytes(), COSIGNED.as_bytes());
    // Signatures of unknown keys are no error, and no signature.
    assert_eq!(read.signers(&[names(1).0, names(1).1]), Ok(vec![]));
}

/// signed-note, "Format", and tlog-checkpoint, "Note text".
#[test]
fn text_that_is_no_checkpoint_is_refused() {
    let no_size = COSIGNED.replace("20852163", "020852163");
    for changed in [
        no_size,
        COSIGNED.replace("20852163", "-1"),
        COSIGNED.replace("20852163", "+20852163"),
        COSIGNED.replace("20852163\n", ""),
        COSIGNED.replace("CsUY", "CsU"),
        COSIGNED.replace("behind-the-sofa\n20", "behind\u{7}-the-sofa\n20"),
        COSIGNED.replace("example.com/behind-the-sofa\n2", "\n2"),
        COSIGNED.replace('\u{2014}', "-"),
        COSIGNED.replace("w1 j", "w1  j"),
        COSIGNED.trim_end().to_owned(),
        COSIGNED.split_once("\n\n").unwrap().0.to_owned() + "\n\n",
        COSIGNED.replace('\n', "\r\n"),
        String::new(),
    ] {
        let read = SignedCheckpoint::from_bytes(changed.as_bytes());
        assert!(matches!(read, Err(LogError::Malformed(_))), "{changed}");
    }
    let huge = COSIGNED.replace("20852163", "18446744073709551615");
    assert_eq!(
        SignedCheckpoint::from_bytes(huge.as_bytes()),
        Err(LogError::TooLarge(u64::MAX))
    );
    let long = [COSIGNED.as_bytes(), &vec![b'x'; 40_000]].concat();
    assert!(matches!(
        SignedCheckpoint::from_bytes(&long),
        Err(LogError::TooLong { .. })
    ));
}

/// tlog-checkpoint: extension lines are optional and opaque, and cosigned with the rest.
#[test]
fn extension_lines_are_kept_and_cosigned() {
    let extended = COSIGNED.replace("q2I=\n\n", "q2I=\nmore\n\n");
    let read = SignedCheckpoint::from_bytes(extended.as_bytes()).unwrap();
    assert!(read.text().ends_with(b"\nmore\n"));
}

#[test]
fn the_example_request_of_tlog_witness_is_read_as_published() {
    let read = AddCheckpoint::from_bytes(REQUEST.as_bytes()).unwrap();
    assert_eq!((read.old_size, read.proof.len()), (20_852_014, 4));
    assert_eq!(read.checkpoint.size(), 20_852_163);
    assert_eq!(read.to_bytes(), REQUEST.as_bytes());
    for changed in [
        REQUEST.replace("old 2", "old 02"),
        REQUEST.replace("old ", "older "),
        REQUEST.replace("PlRN", "PlR"),
        REQUEST.replace("j/0=\n\n", "j/0=\n"),
        REQUEST.replace(
            "old 20852014\n",
            &format!("old 1\n{}", PROOF_LINE.repeat(60)),
        ),
    ] {
        let read = AddCheckpoint::from_bytes(changed.as_bytes());
        assert!(matches!(read, Err(LogError::Malformed(_))), "{changed}");
    }
}

const PROOF_LINE: &str = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";

/// tlog-cosignature, "Ed25519 signed message" and "Format".
#[test]
fn a_cosignature_is_the_signature_of_the_published_message_with_its_time_before_it() {
    use base64::Engine as _;
    use ed25519_dalek::Signature;

    let kept = Kept::of(1, 3);
    let checkpoint = kept.checkpoint(1);
    let (log, _) = names(1);
    let (_, witness) = names(2);
    let request = AddCheckpoint {
        old_size: 0,
        proof: vec![],
        checkpoint: checkpoint.clone(),
    };
    let permit = ledger::log::WitnessState::default()
        .consider(&request, &log)
        .unwrap();
    let line = String::from_utf8(permit.sign(&witness, &signer(2), 1_679_315_147)).unwrap();
    let (name, blob) = line.trim_end()["\u{2014} ".len()..]
        .split_once(' ')
        .unwrap();
    assert_eq!(name, witness.name());
    let blob = base64::prelude::BASE64_STANDARD.decode(blob).unwrap();
    assert_eq!(blob.len(), 4 + 8 + 64);
    assert_eq!(blob[4..12], 1_679_315_147_u64.to_be_bytes());
    let root = kept.log.root().unwrap();
    let message = format!("cosignature/v1\ntime 1679315147\ntest/log/33/1\n3\n{root}\n");
    let signature = Signature::from_slice(&blob[12..]).unwrap();
    witness
        .key()
        .verify_strict(message.as_bytes(), &signature)
        .unwrap();
    // The id is of type 4, the log's of type 1.
    let vkey = witness.to_vkey();
    assert!(vkey.contains("+B"), "{vkey}");
    assert_eq!(NoteKey::from_vkey(&vkey), Ok(witness.clone()));
    let cosigned = checkpoint
        .with_cosignature(line.as_bytes(), &witness)
        .unwrap();
    assert_eq!(cosigned.signers(&[log, witness]), Ok(vec![0, 1]));
}

/// tlog-tiles, "Merkle Tree".
#[test]
fn paths_and_partial_tiles_are_as_published() {
    let path = TilePath {
        level: Some(3),
        index: 1_234_067,
        width: 256,
    };
    assert_eq!(path.to_string(), "tile/3/x001/x234/067");
    assert_eq!(TilePath::parse("tile/3/x001/x234/067"), Ok(path));
    // "a tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile of width 112, one full
    // level 1 tile, one partial level 1 tile of width 17, and one partial level 2 tile of width 1"
    let has = |path: &str, size| TilePath::parse(path).unwrap().is_in(size);
    for path in [
        "tile/0/272",
        "tile/0/273.p/112",
        "tile/entries/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ] {
        assert!(has(path, 70_000), "{path}");
    }
    for path in [
        "tile/0/273",
        "tile/0/273.p/113",
        "tile/entries/274.p/1",
        "tile/1/001.p/18",
        "tile/2/000.p/2",
        "tile/3/000.p/1",
        "tile/63/000.p/1",
        "tile/0/x018/x446/x744/x073/x709/x551/615.p/1",
    ] {
        assert!(!has(path, 70_000), "{path}");
    }
    // "a tree of size 256 will be represented by a full level 0 tile and a partial level 1 tile of width 1"
    assert!(has("tile/0/000", 256) && has("tile/1/000.p/1", 256));
    assert!(!has("tile/0/001.p/1", 256) && !has("tile/1/000.p/2", 256));
    for path in [
        "tile/64/000",
        "tile/00/000",
        "tile/+1/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/8/0/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/1000",
        "tile/0/001/234",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/1.p/1",
        "tile/0/000.p/",
        "tile/0/",
        "tile/0",
        "tile/0/x018/x446/x744/x073/x709/x551/616.p/1",
        "/tile/0/000",
        "",
    ] {
        assert!(TilePath::parse(path).is_err(), "{path}");
    }
}

/// The trees of certificate-transparency's reference implementation, `merkletree/merkle_tree_test.cc`.
#[test]
fn roots_are_those_of_the_reference_implementation() {
    let leaves = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut log = Log::default();
    assert_eq!(log.root(), Ok(LogHash::EMPTY));
    for (leaf, root) in leaves.into_iter().zip(roots) {
        log.append(&hex::decode(leaf).unwrap()).unwrap();
        assert_eq!(hex::encode(log.root().unwrap().0), root);
    }
    // RFC 6962, section 2.1: the hash of a leaf is SHA-256 of a zero byte and the leaf.
    assert_eq!(hex::encode(leaf_hash(b"").0), roots[0]);
}

/// The example of tlog-policy, with keys in place of those left out there.
fn policy() -> String {
    let (log, _) = names(1);
    let mut text = format!("# the example\nlog {}\n\n", log.to_vkey());
    for (name, number) in [("X1", 11), ("X2", 12), ("X3", 13)] {
        writeln!(text, "witness {name} {}", names(number).1.to_vkey()).unwrap();
    }
    text += "group X-witnesses 2 X1 X2 X3\n\n";
    for (name, number) in [("Y1", 21), ("Y2", 22), ("Y3", 23)] {
        let vkey = names(number).1.to_vkey();
        writeln!(text, "\twitness  {name} {vkey} https://{name}.example/").unwrap();
    }
    text + "group Y-witnesses any Y1 Y2 Y3\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
}

#[test]
fn the_example_policy_asks_for_two_of_one_group_and_one_of_the_other() {
    let policy_text = policy();
    let policy = WitnessPolicy::from_bytes(policy_text.as_bytes()).unwrap();
    let (log, _) = names(1);
    assert_eq!(policy.logs(), std::slice::from_ref(&log));
    let kept = Kept::of(1, 5);
    let cosigned = |numbers: &[u8]| {
        numbers.iter().fold(kept.checkpoint(1), |checkpoint, &n| {
            let request = AddCheckpoint {
                old_size: 0,
                proof: vec![],
                checkpoint: kept.checkpoint(1),
            };
            let permit = ledger::log::WitnessState::default().consider(&request, &log);
            let line = permit.unwrap().sign(&names(n).1, &signer(n), 5);
            checkpoint.with_cosignature(&line, &names(n).1).unwrap()
        })
    };
    for (numbers, suffice) in [
        (&[11, 12, 21][..], true),
        (&[11, 13, 23], true),
        (&[11, 12, 13, 21, 22, 23], true),
        (&[11, 12, 13], false),
        (&[11, 21, 22, 23], false),
        (&[11, 11, 21], false),
        (&[31, 32, 33], false),
        (&[], false),
    ] {
        let checked = policy.check(&cosigned(numbers));
        let expected = if suffice {
            Ok(())
        } else {
            Err(LogError::NoQuorum)
        };
        assert_eq!(checked, expected, "{numbers:?}");
    }
    let other = kept.checkpoint(2);
    assert_eq!(
        policy.check(&other),
        Err(LogError::UnknownOrigin("test/log/33/2".to_owned()))
    );
    let log = log.to_vkey();
    let none = WitnessPolicy::from_bytes(format!("log {log}\nquorum none\n").as_bytes());
    assert_eq!(none.unwrap().check(&kept.checkpoint(1)), Ok(()));
}

#[test]
fn a_policy_that_breaks_a_rule_of_the_specification_is_refused_with_its_line() {
    let good = policy();
    let log = names(1).0.to_vkey();
    let x1 = names(11).1.to_vkey();
    for (changed, line) in [
        (good.replace("quorum X-and-Y\n", ""), 0),
        (good.clone() + "quorum none\n", 15),
        (good.clone() + &format!("log {log}\n"), 15),
        (good.clone() + &format!("witness X9 {x1}\n"), 15),
        (good.clone() + "group Z any X1\n", 15),
        (good.clone() + "group X1 any X-and-Y\n", 15),
        (good.clone() + "group none any X-and-Y\n", 15),
        (good.clone() + "group Z any\n", 15),
        (good.clone() + "quorums X1\n", 15),
        (good.clone() + "# \u{7}\n", 15),
        (
            good.replace("group X-witnesses 2", "group X-witnesses 0"),
            7,
        ),
        (
            good.replace("group X-witnesses 2", "group X-witnesses 4"),
            7,
        ),
        (
            good.replace("group X-witnesses 2", "group X-witnesses +2"),
            7,
        ),
        (good.replace("2 X1 X2 X3", "2 X1 X2 X2"), 7),
        (good.replace("2 X1 X2 X3", "2 X1 X2 Y1"), 7),
        (good.replace("quorum X-and-Y", "quorum Z"), 14),
        (good.replace("log test", "log  best"), 2),
        (good.replace(&format!("log {log}"), &format!("log {x1}")), 2),
        (good.trim_end().to_owned(), 0),
    ] {
        match WitnessPolicy::from_bytes(changed.as_bytes()) {
            Err(LogError::Policy { line: found, .. }) => assert_eq!(found, line, "{changed}"),
            other => panic!("{other:?}: {changed}"),
        }
    }
}
