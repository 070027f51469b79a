//! What people hold up at gates, honestly or not, and the verdict that each must get.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use rules::{Claim, TestAge};
use serde::Serialize;
use verifier::{
    CircuitShortId, Epoch, GateChallenge, Holder, HolderKey, Moment, Pass, QrText, Showing,
    ShowingSlot,
};

use crate::acts::{GREEN, Held, Issued, NOT_RED, NOT_SUPPORTED, green_within};
use crate::gate::{Gate, OpenGate, Shown};
use crate::people::Person;
use crate::rule_sets;

/// How often each of the tricks is tried.
const TRIES: usize = 6;

/// What was tried how often, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scenario {
    /// What was tried.
    pub name: String,
    /// The code that it must get.
    pub expected: String,
    /// The code that it got; all of them where they differ.
    pub got: String,
    /// How often.
    pub count: usize,
}

/// Scenarios in the order in which they were first tried.
#[derive(Debug, Default)]
pub struct Tally {
    tried: Vec<(String, String, BTreeMap<String, usize>)>,
}

impl Tally {
    /// Notes one try.
    pub fn add(&mut self, name: &str, expected: &str, got: &str) {
        let known = self
            .tried
            .iter()
            .position(|(n, e, _)| n == name && e == expected);
        let at = known.unwrap_or_else(|| {
            let new = (name.to_owned(), expected.to_owned(), BTreeMap::new());
            self.tried.push(new);
            self.tried.len() - 1
        });
        *self.tried[at].2.entry(got.to_owned()).or_default() += 1;
    }

    /// All of them.
    pub fn scenarios(&self) -> Vec<Scenario> {
        let scenario = |(name, expected, got): &(String, String, BTreeMap<String, usize>)| {
            let words: Vec<String> = match got.len() {
                1 => got.keys().cloned().collect(),
                _ => got.iter().map(|(code, n)| format!("{code} x{n}")).collect(),
            };
            Scenario {
                name: name.clone(),
                expected: expected.clone(),
                got: words.join(", "),
                count: got.values().sum(),
            }
        };
        self.tried.iter().map(scenario).collect()
    }

    /// How many verdicts had each code.
    pub fn by_code(&self) -> BTreeMap<String, usize> {
        let mut all = BTreeMap::new();
        for (code, count) in self.tried.iter().flat_map(|(_, _, got)| got) {
            *all.entry(code.clone()).or_default() += *count;
        }
        all
    }
}

/// A pass shown by its holder in a half minute.
///
/// # Errors
/// For a pass without a key.
pub fn show(held: &Held, slot: ShowingSlot, challenge: Option<GateChallenge>) -> Result<String> {
    let key = held.key.as_ref().context("a pass of a device")?;
    sign(held.pass.clone(), key, Moment { slot, challenge })
}

/// A pass of whatever making, signed by whatever key.
fn sign(pass: Pass, key: &SigningKey, moment: Moment) -> Result<String> {
    let signature: Signature = key.sign(&moment.signing_bytes(&pass));
    let showing = Showing::of_device(pass, moment, &signature.to_bytes().into())?;
    Ok(QrText::from_showing(&showing).to_string())
}

/// The passes, by what they claim and under which rules.
pub struct Hands<'a> {
    people: &'a [Person],
    /// Green and tested within 48 hours, under the nation's rules.
    pub tested: Vec<&'a Held>,
    /// Green and tested within 72 hours.
    pub tested_before: Vec<&'a Held>,
    /// Not red.
    pub not_red: Vec<&'a Held>,
    /// Under Zhejiang's rules.
    pub zhejiang: Vec<&'a Held>,
    /// Under Fujian's rules.
    pub fujian: Vec<&'a Held>,
    /// Bound to an identity card.
    pub paper: Vec<&'a Held>,
}

impl<'a> Hands<'a> {
    /// Sorts the passes; each kind must have at least five.
    ///
    /// # Errors
    /// If one has fewer.
    pub fn new(people: &'a [Person], issued: &'a Issued) -> Result<Self> {
        let of = |rule_set: &str, claim: Option<Claim>, on_paper: bool| -> Vec<&'a Held> {
            issued
                .held
                .iter()
                .filter(|h| h.rule_set == rule_set && h.key.is_none() == on_paper)
                .filter(|h| claim.is_none_or(|claim| h.claim == claim))
                .collect()
        };
        let nation = rule_sets::NATION;
        let hands = Self {
            people,
            tested: of(nation, Some(green_within(TestAge::Hours48)), false),
            tested_before: of(nation, Some(green_within(TestAge::Hours72)), false),
            not_red: of(nation, Some(NOT_RED), false),
            zhejiang: of(rule_sets::ZHEJIANG, None, false),
            fujian: of(rule_sets::FUJIAN, None, false),
            paper: of(nation, None, true),
        };
        for (what, held) in [
            ("tested within 48 h", &hands.tested),
            ("tested within 72 h", &hands.tested_before),
            ("not red", &hands.not_red),
            ("Zhejiang's rules", &hands.zhejiang),
            ("Fujian's rules", &hands.fujian),
            ("paper", &hands.paper),
        ] {
            ensure!(held.len() >= 5, "{} passes of the kind {what}", held.len());
        }
        Ok(hands)
    }

    fn card(&self, held: &Held) -> String {
        let number = self.people[held.resident].number.expose();
        String::from_utf8_lossy(number).into_owned()
    }

    /// What nodes refused.
    pub fn refusals(issued: &Issued, tally: &mut Tally) {
        for refused in &issued.refused {
            tally.add(refused.name, NOT_SUPPORTED.code(), &refused.got);
        }
    }

    /// Everything at the gate in Jiangxi, whose nodes are gone: tricks first, since an accepted pass is remembered.
    ///
    /// # Errors
    /// If the gate does not answer.
    pub async fn at_the_gate(&self, gate: &mut OpenGate, tally: &mut Tally) -> Result<()> {
        let now = gate.now.slot();
        for trick in self.tricks(now)? {
            let got = gate.verify(Shown::under(trick.profile, trick.text)).await?;
            tally.add(trick.name, trick.expected, &got);
        }
        self.honest(gate, tally).await?;
        for held in self.tested.iter().take(TRIES) {
            let copy = Shown::under("green-48h", show(held, now, None)?);
            let got = gate.verify(copy).await?;
            tally.add("the same code a second time", "REPLAYED", &got);
        }
        self.challenges(gate, tally).await?;
        self.cards(gate, tally).await
    }

    async fn honest(&self, gate: &mut OpenGate, tally: &mut Tally) -> Result<()> {
        let now = gate.now.slot();
        let shown = [
            ("green, tested within 48 h", "green-48h", &self.tested),
            ("not red", "not-red", &self.not_red),
            (
                "green, at a gate that asks for no test",
                "green",
                &self.tested_before,
            ),
        ];
        for (name, profile, passes) in shown {
            for held in passes {
                let got = gate
                    .verify(Shown::under(profile, show(held, now, None)?))
                    .await?;
                tally.add(name, "ACCEPTED", &got);
            }
        }
        Ok(())
    }

    async fn challenges(&self, gate: &mut OpenGate, tally: &mut Tally) -> Result<()> {
        // Another half minute than before, so that the gate has not seen these passes in it.
        let slot = gate.now.slot().back(1);
        for held in self.not_red.iter().take(TRIES) {
            let challenge = gate.challenge().await?;
            let mut shown = Shown::under("not-red", show(held, slot, None)?);
            shown.challenge = Some(challenge);
            let got = gate.verify(shown.clone()).await?;
            tally.add(
                "the gate's challenge not answered",
                "CHALLENGE_MISMATCH",
                &got,
            );
            shown.text = show(held, slot, Some(challenge))?;
            let got = gate.verify(shown).await?;
            tally.add("the gate's challenge answered", "ACCEPTED", &got);
        }
        Ok(())
    }

    async fn cards(&self, gate: &mut OpenGate, tally: &mut Tally) -> Result<()> {
        for (held, other) in self.paper.iter().zip(self.paper.iter().cycle().skip(1)) {
            let showing = Showing::of_card(held.pass.clone())?;
            let text = QrText::from_showing(&showing).to_string();
            for (name, card, expected) in [
                (
                    "paper pass without the card",
                    String::new(),
                    "CARD_NOT_PRESENTED",
                ),
                (
                    "paper pass with another's card",
                    self.card(other),
                    "CARD_MISMATCH",
                ),
                ("paper pass with its card", self.card(held), "ACCEPTED"),
            ] {
                let mut shown = Shown::under("not-red", text.clone());
                shown.card = card;
                let got = gate.verify(shown).await?;
                tally.add(name, expected, &got);
            }
        }
        Ok(())
    }

    fn tricks(&self, now: ShowingSlot) -> Result<Vec<Trick>> {
        let mut tricks = Vec::new();
        for held in &self.not_red {
            tricks.push(Trick::of(
                ("yellow at a gate that asks for green", "COLOUR_TOO_WEAK"),
                ("green", show(held, now, None)?),
            ));
        }
        let pairs = self.not_red.iter().zip(self.not_red.iter().cycle().skip(1));
        for (held, other) in pairs.take(TRIES) {
            tricks.extend(tricks_with(held, other, now)?);
        }
        for held in &self.tested_before {
            tricks.push(Trick::of(
                (
                    "negative of 72 h at a gate that asks for 48",
                    "TEST_TOO_OLD",
                ),
                ("green-48h", show(held, now, None)?),
            ));
        }
        for held in &self.zhejiang {
            tricks.push(Trick::of(
                ("Zhejiang's rules in Jiangxi", "RULE_SET_NOT_ACCEPTED"),
                ("not-red", show(held, now, None)?),
            ));
        }
        Ok(tricks)
    }

    /// At gates elsewhere, or with a clock elsewhere, through the program itself.
    ///
    /// # Errors
    /// If a program gives no verdict.
    pub fn elsewhere(&self, gates: &Gates, tally: &mut Tally) -> Result<()> {
        let few = |held: &[&'a Held]| held.iter().take(TRIES).copied().collect::<Vec<_>>();
        let all: [(&str, &str, &Gate, Vec<&Held>); 6] = [
            (
                "Zhejiang's rules in Zhejiang",
                "ACCEPTED",
                &gates.hangzhou,
                self.zhejiang.clone(),
            ),
            (
                "Fujian's rules in Fujian",
                "ACCEPTED",
                &gates.fuzhou,
                self.fujian.clone(),
            ),
            (
                "a pass of the day before yesterday",
                "PASS_EXPIRED",
                &gates.late,
                few(&self.not_red),
            ),
            (
                "a trust list of 3 days ago",
                "LIST_STALE",
                &gates.forgotten,
                few(&self.not_red),
            ),
            (
                "the gate's clock set back",
                "CLOCK_SET_BACK",
                &gates.set_back,
                few(&self.not_red),
            ),
            (
                "a specimen at a gate in earnest",
                "SPECIMEN",
                &gates.earnest,
                few(&self.not_red),
            ),
        ];
        for (name, expected, gate, passes) in all {
            for held in passes {
                let got = gate.verify(&show(held, gate.now().slot(), None)?)?;
                tally.add(name, expected, &got);
            }
        }
        Ok(())
    }
}

/// What can be done to one pass with the help of another.
fn tricks_with(held: &Held, other: &Held, now: ShowingSlot) -> Result<Vec<Trick>> {
    let key = held.key.as_ref().context("a key")?;
    let others_key = other.key.as_ref().context("a key")?;
    let moment = |slot| Moment {
        slot,
        challenge: None,
    };
    let changed = |change: &dyn Fn(&mut Pass)| {
        let mut pass = held.pass.clone();
        change(&mut pass);
        pass
    };
    let forged = changed(&|pass| pass.proof = other.pass.proof.clone());
    let greener = changed(&|pass| pass.claim = GREEN);
    let taken =
        changed(&|pass| pass.holder = Holder::Device(HolderKey::from(*others_key.verifying_key())));
    let circuit = changed(&|pass| pass.circuit = CircuitShortId([0; 4]));
    let epoch = changed(&|pass| pass.epoch = Epoch::new(99));
    let good = show(held, now, None)?;
    let all = [
        (
            "a proof taken from another pass",
            "PROOF_INVALID",
            sign(forged, key, moment(now))?,
        ),
        (
            "another key put into a pass",
            "PROOF_INVALID",
            sign(taken, others_key, moment(now))?,
        ),
        (
            "another's pass",
            "WRONG_HOLDER",
            sign(held.pass.clone(), others_key, moment(now))?,
        ),
        (
            "a photograph of 5 minutes ago",
            "SLOT_NOT_CURRENT",
            show(held, now.back(10), None)?,
        ),
        (
            "a circuit that nobody knows",
            "UNKNOWN_CIRCUIT",
            sign(circuit, key, moment(now))?,
        ),
        (
            "an epoch that nobody knows",
            "UNKNOWN_EPOCH",
            sign(epoch, key, moment(now))?,
        ),
        (
            "a code cut short",
            "MALFORMED",
            good[..good.len() - 3].to_owned(),
        ),
    ];
    let all = all.map(|(name, expected, text)| Trick::of((name, expected), ("not-red", text)));
    let greener = Trick::of(
        ("a yellow pass made to claim green", "PROOF_INVALID"),
        ("green", sign(greener, key, moment(now))?),
    );
    Ok(all.into_iter().chain([greener]).collect())
}

/// A code that must be refused.
struct Trick {
    name: &'static str,
    expected: &'static str,
    profile: &'static str,
    text: String,
}

impl Trick {
    fn of(
        (name, expected): (&'static str, &'static str),
        (profile, text): (&'static str, String),
    ) -> Self {
        Self {
            name,
            expected,
            profile,
            text,
        }
    }
}

/// The gates besides the one whose door is open.
pub struct Gates {
    /// In Hangzhou, Zhejiang.
    pub hangzhou: Gate,
    /// In Fuzhou, Fujian.
    pub fuzhou: Gate,
    /// In Jiangxi, thirty hours later.
    pub late: Gate,
    /// In Jiangxi, eighty hours later, never refreshed.
    pub forgotten: Gate,
    /// In Jiangxi, an hour before the epoch's close.
    pub set_back: Gate,
    /// In Jiangxi, where specimens do not count.
    pub earnest: Gate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_groups_tries_and_shows_what_differs() {
        let mut tally = Tally::default();
        tally.add("a", "X", "X");
        tally.add("b", "X", "X");
        tally.add("a", "X", "X");
        tally.add("b", "X", "Y");
        let scenarios = tally.scenarios();
        assert_eq!((scenarios[0].got.as_str(), scenarios[0].count), ("X", 2));
        assert_eq!(scenarios[1].got, "X x1, Y x1");
        assert_eq!(tally.by_code()["X"], 3);
    }
}
