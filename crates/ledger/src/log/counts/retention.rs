use commitment::layout::{LayoutError, Reader};

use super::Rounded;

/// What was kept no longer: the job by which events leave ran to its end on this day, and took out so many. Of a day without it
/// there is none.
///
/// Layout: day 2 · horizon 2 · events 4 · records 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionCounts {
    /// The day, UTC+8, days since the Unix epoch.
    pub day: u16,
    /// The horizon that the job went by, days; at least 1.
    pub horizon_days: u16,
    /// Events that left on the day.
    pub events: Rounded,
    /// Records that were erased on it, by the job or since the resident left.
    pub erased: Rounded,
}

impl RetentionCounts {
    /// The first day of which events are still held on which nothing rests, UTC+8, days since the Unix epoch.
    pub const fn first_day(&self) -> u16 {
        self.day.saturating_sub(self.horizon_days)
    }

    pub(in super::super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.day.to_be_bytes());
        out.extend_from_slice(&self.horizon_days.to_be_bytes());
        self.events.write(out);
        self.erased.write(out);
    }

    pub(in super::super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let counts = Self {
            day: reader.u16()?,
            horizon_days: reader.u16()?,
            events: Rounded::read(reader)?,
            erased: Rounded::read(reader)?,
        };
        if counts.horizon_days == 0 {
            return Err(LayoutError::Invalid("a horizon of no day"));
        }
        Ok(counts)
    }
}
