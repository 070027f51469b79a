//! The sender's side: events that wait for their homes, in the order in which they came, and what became of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ed25519_dalek::VerifyingKey;
use ledger::receipt::HeldReceipt;
use rules::intake::check;
use rules::{Event, EventError, EventId, Minute, ProvinceCode, SourceId};
use tokio::sync::Notify;
use wire::{ForwardAnswer, MAX_EVENTS, Reason};

use super::{Content, Envelope, Header, SealingStatement, is_forwardable, is_signed};
use crate::intake::BAD_SIGNATURE;
use crate::residents::unavailable;
use crate::sources::Source;
use crate::store::{
    ForwardState, ForwardedRow, OutboxRow, ResidentKey, ResidentRow, SentAs, StoreError, Table,
    Vault, WriteSet,
};
use crate::{EventAnswer, Node, NodeError, OfferedEvent};

const UNKNOWN_PROVINCE: EventAnswer = EventAnswer::Refused("unknown-province");
const LIVES_HERE: EventAnswer = EventAnswer::Refused("lives-here");
const NOT_FORWARDABLE: EventAnswer = EventAnswer::Refused("not-forwardable");
const OVERLOADED: EventAnswer = EventAnswer::Refused("overloaded");
const NOTHING_TO_CONFIRM: EventAnswer = EventAnswer::Refused("nothing-to-confirm");
const LAPSED: EventAnswer = EventAnswer::Refused("lapsed");
/// A home that answers so has changed its key: the row is sealed anew.
const UNKNOWN_KEY: &str = "unknown-key";
/// Rows removed at a time.
const PURGE_LEN: usize = 1_024;

/// A row of the outbox, by its number.
type Numbered = (u64, OutboxRow);
/// What a home answered, with its receipt where there is one.
type HomeAnswer = (ForwardAnswer, Option<HeldReceipt>);

/// What waits for one home.
#[derive(Default)]
struct Queue {
    /// By number, when each was taken; none for a place whose row is not durable yet.
    rows: BTreeMap<u64, Option<Minute>>,
    next: u64,
    news: Arc<Notify>,
}

/// What is known of the rows without reading them. Each province has its queue, so that one that does not answer holds
/// nobody else up.
pub(crate) struct Outbox {
    queues: Mutex<BTreeMap<ProvinceCode, Queue>>,
    /// Told when a province got its queue.
    opened: Notify,
}

impl Outbox {
    pub(super) fn open(
        vault: &Vault,
        homes: impl Iterator<Item = ProvinceCode>,
    ) -> Result<Self, StoreError> {
        let mut queues: BTreeMap<ProvinceCode, Queue> = BTreeMap::new();
        for home in homes {
            queues.entry(home).or_default();
        }
        vault.walk::<OutboxRow, StoreError>(Table::Outbox, b"", |key, row| {
            let (home, number) = parse_key(key).ok_or(StoreError::Damaged(Table::Outbox))?;
            // A province that has left the federation keeps its rows until they lapse.
            let queue = queues.entry(home).or_default();
            queue.rows.insert(number, Some(row.taken_at));
            queue.next = number + 1;
            Ok(())
        })?;
        Ok(Self {
            queues: Mutex::new(queues),
            opened: Notify::new(),
        })
    }

    fn queues(&self) -> MutexGuard<'_, BTreeMap<ProvinceCode, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives every province that has none yet its queue.
    pub(crate) fn open_queues(&self, homes: impl Iterator<Item = ProvinceCode>) {
        let mut queues = self.queues();
        let before = queues.len();
        for home in homes {
            queues.entry(home).or_default();
        }
        if queues.len() > before {
            self.opened.notify_one();
        }
    }

    /// Completes when a province has got a queue since this was asked last.
    pub(super) async fn opened(&self) {
        self.opened.notified().await;
    }

    /// The provinces that something can wait for, each with what tells of news.
    pub(super) fn homes(&self) -> Vec<(ProvinceCode, Arc<Notify>)> {
        let queues = self.queues();
        let homes = queues.iter();
        homes
            .map(|(home, q)| (*home, Arc::clone(&q.news)))
            .collect()
    }

    /// How many rows there are, and when the oldest was taken.
    pub(crate) fn size(&self) -> (u64, Option<Minute>) {
        let queues = self.queues();
        let rows = queues.values().map(|q| q.rows.len() as u64).sum();
        let oldest = queues
            .values()
            .filter_map(|q| q.rows.values().flatten().next().copied())
            .min();
        (rows, oldest)
    }

    /// A place at the end of a home's queue; none if it is full.
    fn reserve(&self, home: ProvinceCode, most: u32) -> Option<u64> {
        let mut queues = self.queues();
        let queue = queues.get_mut(&home)?;
        if queue.rows.len() >= most as usize {
            return None;
        }
        let number = queue.next;
        queue.next += 1;
        queue.rows.insert(number, None);
        Some(number)
    }

    fn oldest(&self, home: ProvinceCode) -> Vec<u64> {
        let queues = self.queues();
        let rows = queues.get(&home).into_iter().flat_map(|q| &q.rows);
        let durable = rows.filter(|(_, taken)| taken.is_some());
        durable
            .map(|(number, _)| *number)
            .take(MAX_EVENTS)
            .collect()
    }

    fn remove(&self, home: ProvinceCode, numbers: &[u64]) {
        if let Some(queue) = self.queues().get_mut(&home) {
            for number in numbers {
                queue.rows.remove(number);
            }
        }
    }
}

/// Places taken by one call. They are given back unless its changes become durable.
pub(crate) struct Departing<'a> {
    outbox: &'a Outbox,
    places: Vec<(ProvinceCode, u64)>,
    names: Vec<[u8; 32]>,
    taken_at: Minute,
    is_durable: bool,
}

impl<'a> Departing<'a> {
    pub(crate) fn begin(node: &'a Node, now: Minute) -> Self {
        Self {
            outbox: &node.forward.outbox,
            places: Vec::new(),
            names: Vec::new(),
            taken_at: now,
            is_durable: false,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Has what is durable now be sent.
    pub(crate) fn depart(mut self) {
        self.is_durable = true;
    }
}

impl Drop for Departing<'_> {
    fn drop(&mut self) {
        let mut queues = self.outbox.queues();
        for (home, number) in &self.places {
            let Some(queue) = queues.get_mut(home) else {
                continue;
            };
            if self.is_durable {
                queue.rows.insert(*number, Some(self.taken_at));
                queue.news.notify_one();
            } else {
                queue.rows.remove(number);
            }
        }
    }
}

/// What a home's answers came to.
#[derive(Default)]
pub(super) struct Settled {
    /// Rows that are done with.
    pub(super) done: usize,
    /// Whether the home has changed its key.
    pub(super) key_is_unknown: bool,
    /// Whether the home's clock is not where an event was stated.
    pub(super) clock_is_behind: bool,
}

/// The rows of one home that are sent together.
pub(super) struct Batch {
    pub(super) rows: Vec<(u64, OutboxRow)>,
    /// How many lapsed before this.
    pub(super) lapsed: usize,
}

fn row_key(home: ProvinceCode, number: u64) -> Vec<u8> {
    [&[home.get()][..], &number.to_be_bytes()].concat()
}

fn parse_key(key: &[u8]) -> Option<(ProvinceCode, u64)> {
    let (home, number) = key.split_first()?;
    let home = ProvinceCode::new(*home).ok()?;
    Some((home, u64::from_be_bytes(number.try_into().ok()?)))
}

impl Node {
    /// Takes an event for a resident of another province into the outbox. What can be judged without the record is judged
    /// here, so that nobody elsewhere hears of what would be refused by everybody.
    pub(crate) fn forward_event(
        &self,
        event: &Event,
        source: &Source,
        offered: &OfferedEvent,
        home: ProvinceCode,
        (write, departing): (&mut WriteSet<'_>, &mut Departing<'_>),
    ) -> Result<EventAnswer, NodeError> {
        let now = departing.taken_at;
        if !self.is_member(home) {
            return Ok(UNKNOWN_PROVINCE);
        }
        if !is_forwardable(event.body.kind()) {
            return Ok(NOT_FORWARDABLE);
        }
        if let Err(error) = check(event, &source.grant, now, &self.policy()) {
            return Ok(error.into());
        }
        let own = self.resident_key(&event.subject);
        let is_known = self.vault.get::<ResidentRow>(Table::Residents, &own.0)?;
        if is_known.is_some()
            || self
                .register
                .lives_here(&event.subject)
                .map_err(unavailable)?
        {
            return Ok(LIVES_HERE);
        }
        let name = self.name_of(event.source, event.id);
        let digest = self.digest_of(&offered.event);
        if departing.names.contains(&name) {
            return Ok(EventAnswer::Duplicate);
        }
        if let Some(row) = self.forwarded_row(&name)? {
            if row.digest != digest {
                return Ok(EventError::IdReused.into());
            }
            // After a refusal or a lapse the same may be sent again, to another home perhaps.
            if !matches!(row.state, ForwardState::Refused(_) | ForwardState::Lapsed) {
                return Ok(EventAnswer::Duplicate);
            }
        }
        let expiry_min = i64::from(self.forward.settings.expiry_hours) * 60;
        let expires_at = now.saturating_add_signed(expiry_min);
        let state = ForwardState::Queued { expires_at };
        let sent = (SentAs::Statement, offered, expires_at);
        let row = ForwardedRow {
            home,
            digest,
            state,
            at: now,
        };
        Ok(self.put_out(&name, &row, sent, (write, departing)))
    }

    /// Puts a row into the outbox, and among the changes what is now known of its event.
    fn put_out(
        &self,
        name: &[u8; 32],
        row: &ForwardedRow,
        (sent_as, offered, expires_at): (SentAs, &OfferedEvent, Minute),
        (write, departing): (&mut WriteSet<'_>, &mut Departing<'_>),
    ) -> EventAnswer {
        let home = row.home;
        let most = self.forward.settings.outbox_rows_per_home;
        let Some(number) = self.forward.outbox.reserve(home, most) else {
            return OVERLOADED;
        };
        departing.places.push((home, number));
        departing.names.push(*name);
        let out = OutboxRow {
            event: offered.event.clone(),
            sent_as,
            signature: offered.signature.to_vec(),
            forwarding_id: self.entropy.bytes(),
            taken_at: departing.taken_at,
            expires_at,
        };
        let owner = self.owner_of(&out);
        write.take_in(owner);
        write.put_of(owner, Table::Outbox, &row_key(home, number), &out);
        write.put(Table::Forwarded, name, row);
        EventAnswer::Forwarded
    }

    /// Whose data key a row of the outbox is sealed under: its own alone. With the key what is left of the row on the disk goes.
    fn owner_of(&self, row: &OutboxRow) -> ResidentKey {
        ResidentKey(self.vault.blinded("outbox", &row.forwarding_id))
    }

    fn digest_of(&self, event: &[u8]) -> [u8; 32] {
        self.vault.blinded("forwarded", event)
    }

    /// The name of a source's event in the store, where keys lie in plain.
    fn name_of(&self, source: SourceId, event: EventId) -> [u8; 32] {
        let number = source.number.to_be_bytes();
        let of_source = [source.province.get(), source.kind.code()];
        let secret = [&of_source[..], &number, &event.0].concat();
        self.vault.blinded("forwarded name", &secret)
    }

    fn forwarded_row(&self, name: &[u8]) -> Result<Option<ForwardedRow>, NodeError> {
        Ok(self.vault.get(Table::Forwarded, name)?)
    }

    /// What became of an event that `caller` had forwarded, and the receipt of its home, as it travels.
    ///
    /// # Errors
    /// [`Reason::NotFound`] for one that it had not, or whose time in the store is over.
    pub fn forwarded(
        &self,
        caller: SourceId,
        event: EventId,
    ) -> Result<(ForwardedRow, Option<Vec<u8>>), NodeError> {
        let name = self.name_of(caller, event);
        let row = self.forwarded_row(&name)?;
        let mut row = row.ok_or(NodeError::Refused(Reason::NotFound))?;
        if let ForwardState::Waiting { confirm_by } = row.state
            && confirm_by < self.clock.now()
        {
            row.state = ForwardState::Lapsed;
        }
        let receipt = self.vault.get(Table::HomeReceipts, &name)?;
        Ok((row, receipt))
    }

    /// Takes the second signature under an event that its home contests, and returns when it is durable.
    ///
    /// # Errors
    /// [`NodeError`] if nothing could be judged or stored.
    pub fn confirm_forwarded(
        &self,
        caller: SourceId,
        offered: &OfferedEvent,
    ) -> Result<EventAnswer, NodeError> {
        let now = self.clock.now();
        let (event, key) = match self.of_caller(caller, offered) {
            Ok((event, source)) => (event, source.key),
            Err(answer) => return Ok(answer),
        };
        if !is_confirmed(&key, &event, &offered.signature) {
            return Ok(BAD_SIGNATURE);
        }
        let _held = self.locks.hold([self.resident_key(&event.subject)]);
        let name = self.name_of(event.source, event.id);
        let row = match self.forwarded_row(&name)? {
            Some(row) if row.digest == self.digest_of(&offered.event) => row,
            _ => return Ok(NOTHING_TO_CONFIRM),
        };
        let confirm_by = match row.state {
            ForwardState::Waiting { confirm_by } => confirm_by,
            ForwardState::Confirming { .. } | ForwardState::Accepted => {
                return Ok(EventAnswer::Duplicate);
            }
            ForwardState::Lapsed => return Ok(LAPSED),
            _ => return Ok(NOTHING_TO_CONFIRM),
        };
        if confirm_by < now {
            return Ok(LAPSED);
        }
        let mut departing = Departing::begin(self, now);
        let mut write = self.vault.write();
        let row = ForwardedRow {
            state: ForwardState::Confirming { confirm_by },
            at: now,
            ..row
        };
        // The home's last minute is included, an envelope's is not.
        let expires_at = confirm_by.saturating_add_signed(1);
        let sent = (SentAs::Confirmation, offered, expires_at);
        let answer = self.put_out(&name, &row, sent, (&mut write, &mut departing));
        if !departing.is_empty() {
            write.commit()?;
            departing.depart();
        }
        Ok(answer)
    }

    /// The oldest rows for a home, after those that have expired are lapsed.
    pub(super) fn next_batch(&self, home: ProvinceCode) -> Result<Batch, NodeError> {
        let now = self.clock.now();
        let (mut rows, mut expired) = (Vec::new(), Vec::new());
        for number in self.forward.outbox.oldest(home) {
            let key = row_key(home, number);
            let row = self.vault.get::<OutboxRow>(Table::Outbox, &key)?;
            let row = row.ok_or(StoreError::Damaged(Table::Outbox))?;
            if row.expires_at <= now {
                expired.push((number, row));
            } else {
                rows.push((number, row));
            }
        }
        let lapsed = expired.len();
        let ended = expired
            .into_iter()
            .map(|row| (row, (ForwardAnswer::Lapsed, None)));
        self.settle(home, &ended.collect::<Vec<_>>())?;
        Ok(Batch { rows, lapsed })
    }

    /// The rows of a batch as they travel.
    pub(super) fn sealed(
        &self,
        batch: &Batch,
        key: &SealingStatement,
    ) -> Result<Vec<Vec<u8>>, NodeError> {
        let sealed = batch.rows.iter().map(|(_, row)| {
            let header = Header::to(key, self.home, row.forwarding_id, row.expires_at);
            let signature = row.signature[..].try_into();
            let content = Content {
                sent_as: row.sent_as,
                event: row.event.clone(),
                signature: signature.map_err(|_| StoreError::Damaged(Table::Outbox))?,
            };
            Envelope::seal(header, &content, key, &self.federation, &self.entropy)
                .map(|envelope| envelope.to_bytes())
                .map_err(|_| NodeError::Fault("an event cannot be sealed"))
        });
        sealed.collect()
    }

    /// Writes down what a home answered, with its receipts, and removes the rows that are done with. What the home cannot take yet
    /// stays.
    pub(super) fn settle(
        &self,
        home: ProvinceCode,
        answered: &[(Numbered, HomeAnswer)],
    ) -> Result<Settled, NodeError> {
        let now = self.clock.now();
        let mut write = self.vault.write();
        let (mut done, mut ended) = (Vec::new(), Vec::new());
        let mut settled = Settled::default();
        for ((number, row), (answer, receipt)) in answered {
            let state = match answer {
                ForwardAnswer::Accepted => ForwardState::Accepted,
                ForwardAnswer::Waiting { confirm_by } => ForwardState::Waiting {
                    confirm_by: *confirm_by,
                },
                ForwardAnswer::Refused { reason } if reason == UNKNOWN_KEY => {
                    settled.key_is_unknown = true;
                    continue;
                }
                // By this node's clock the event was of now when it came: that home's is behind, and will have gone on.
                ForwardAnswer::Refused { reason } if *reason == EventError::FutureDated.code() => {
                    settled.clock_is_behind = true;
                    continue;
                }
                ForwardAnswer::Refused { reason } => ForwardState::Refused(reason.clone()),
                ForwardAnswer::Lapsed => ForwardState::Lapsed,
            };
            let event = Event::from_bytes(&row.event)
                .map_err(|_| NodeError::Store(StoreError::Damaged(Table::Outbox)))?;
            let name = self.name_of(event.source, event.id);
            if let Some(known) = self.forwarded_row(&name)? {
                let at = now;
                let forwarded = ForwardedRow { state, at, ..known };
                write.put(Table::Forwarded, &name, &forwarded);
                if let Some(receipt) = receipt
                    && self.is_receipt_of(home, receipt, row)
                {
                    write.put(Table::HomeReceipts, &name, &receipt.to_bytes());
                }
            }
            write.delete(Table::Outbox, &row_key(home, *number));
            write.delete(Table::Keys, &self.owner_of(row).0);
            done.push(*number);
            ended.push(answer);
        }
        if !done.is_empty() {
            write.commit()?;
            self.forward.outbox.remove(home, &done);
            self.metrics.forwarded_events(ended.into_iter());
        }
        settled.done = done.len();
        Ok(settled)
    }

    /// Whether a home's receipt is over the event that it was sent. One that is not is no receipt, and said to the operator.
    fn is_receipt_of(&self, home: ProvinceCode, receipt: &HeldReceipt, row: &OutboxRow) -> bool {
        let federation = self.federation.as_str();
        let charter = self.charter();
        // The home may still have the head key that an earlier root document names.
        let signed = || {
            let mut checks = charter.rosters_of(receipt.signed.receipt.accepted);
            let first = checks.next().map(|r| receipt.signed.check(federation, r));
            let first = first.unwrap_or(Ok(()));
            first.or_else(|error| {
                let is_earlier = checks.any(|r| receipt.signed.check(federation, r).is_ok());
                if is_earlier { Ok(()) } else { Err(error) }
            })
        };
        let checked = receipt.check_content(&row.event).and_then(|()| signed());
        let is_theirs = receipt.signed.receipt.province == home;
        if let Err(error) = &checked {
            tracing::error!(province = home.get(), %error, "a home's receipt does not fit");
        } else if !is_theirs {
            tracing::error!(
                province = home.get(),
                "a home gives another province's receipt"
            );
        }
        checked.is_ok() && is_theirs
    }

    /// Removes what is known of events that were done with before `oldest`.
    pub(crate) fn forget_forwarded(&self, oldest: Minute) -> Result<(), NodeError> {
        let mut old = Vec::new();
        self.vault
            .walk::<ForwardedRow, StoreError>(Table::Forwarded, b"", |name, row| {
                let is_under_way = matches!(
                    row.state,
                    ForwardState::Queued { .. } | ForwardState::Confirming { .. }
                );
                if row.at < oldest && !is_under_way {
                    old.push(name.to_vec());
                }
                Ok(())
            })?;
        for names in old.chunks(PURGE_LEN) {
            let mut write = self.vault.write();
            for name in names {
                write.delete(Table::Forwarded, name);
                write.delete(Table::HomeReceipts, name);
            }
            write.commit()?;
        }
        Ok(())
    }
}

fn is_confirmed(key: &VerifyingKey, event: &Event, signature: &[u8; 64]) -> bool {
    is_signed(key, event, SentAs::Confirmation, signature)
}
