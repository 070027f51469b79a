//! A resident who leaves the programme: everything kept of them is erased, on their own word and on nobody else's.

use rules::{Context, fold};
use wire::Reason;
use wire::resident::v1 as proto;

use crate::store::{ResidentKey, Table, WaitingRow};
use crate::{Node, NodeError};

impl Node {
    /// Erases the resident who asks: their keys, and with them all that is sealed under them; their passes are revoked, and their
    /// place in the tree is not given again. Their leaves stay in the trees that were signed. Later they may register anew, as
    /// somebody of whom nothing is known.
    ///
    /// # Errors
    /// [`Reason::GroundOpen`] while anything of the record counts, or could count, under any rule set in force or announced, or while
    /// an event from another province waits: leaving is no way out of a colour. [`Reason::Quota`] for a third time within a day; those of
    /// every resident's call.
    pub fn leave(&self, request: &proto::LeaveRequest) -> Result<(), NodeError> {
        let call = self.authenticate(request)?;
        let resident = call.resident;
        let may = || {
            self.caller_still(&call)?;
            self.may_leave(resident)
        };
        let place = {
            let _held = self.locks.hold([resident]);
            may()?;
            let row = self.resident(resident)?;
            let place = row.map(|resident| resident.row.place);
            let place = place.ok_or(NodeError::Refused(Reason::UnknownDevice))?;
            self.quotas.leave(resident, call.now)?;
            call.commit(self.vault.write())?;
            place
        };
        // Asked again when nothing else can come in between.
        self.erase_all(&[(resident, place)], may)?;
        tracing::info!("a resident has left");
        Ok(())
    }

    /// Whether nothing rests on a resident's record.
    fn may_leave(&self, resident: ResidentKey) -> Result<(), NodeError> {
        let open = || Err(NodeError::Refused(Reason::GroundOpen));
        let now = self.clock.now();
        let waiting: Vec<(Vec<u8>, WaitingRow)> = self.vault.list(Table::Waiting, &resident.0)?;
        if waiting.iter().any(|(_, row)| row.confirm_by >= now) {
            return open();
        }
        let events = self.events_of(resident)?;
        // What counts from a moment that this clock has not reached.
        if events.iter().any(|event| event.issued_at > now) {
            return open();
        }
        let (counting, risk) = (self.charter().rules.counting_at(now), self.risk.at(now));
        let context = Context {
            tables: &counting.tables,
            map: risk.map(),
        };
        match fold(&events, &context, now) {
            Ok(folded) if folded.record.facts().is_empty() && folded.record.stays().is_empty() => {
                Ok(())
            }
            _ => open(),
        }
    }
}
