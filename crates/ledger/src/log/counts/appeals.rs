use commitment::layout::{LayoutError, Reader};

use super::Rounded;

/// Classes of [`Wait`].
const WAITS: usize = Wait::ALL.len();

/// How long an appeal waited until it was decided, and whether that was in time: each that was decided is of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// In time, up to an hour.
    Hour,
    /// In time, above an hour and up to 4.
    FourHours,
    /// In time, above 4 hours and up to 8.
    EightHours,
    /// In time, above 8 hours: those that have longer, since another province is to be asked.
    Longer,
    /// After its deadline, up to 24 hours.
    LateDay,
    /// After its deadline, above 24 hours.
    LateLonger,
}

impl Wait {
    /// All of them, in the order of the bytes.
    pub const ALL: [Self; 6] = [
        Self::Hour,
        Self::FourHours,
        Self::EightHours,
        Self::Longer,
        Self::LateDay,
        Self::LateLonger,
    ];

    /// The class of an appeal that waited for so many minutes.
    pub const fn of(waited_min: u32, is_late: bool) -> Self {
        match (waited_min, is_late) {
            (0..=60, false) => Self::Hour,
            (61..=240, false) => Self::FourHours,
            (241..=480, false) => Self::EightHours,
            (_, false) => Self::Longer,
            (0..=1_440, true) => Self::LateDay,
            (_, true) => Self::LateLonger,
        }
    }

    /// Whether the deadline was over.
    pub const fn is_late(self) -> bool {
        matches!(self, Self::LateDay | Self::LateLonger)
    }

    /// One stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::FourHours => "4h",
            Self::EightHours => "8h",
            Self::Longer => "longer",
            Self::LateDay => "late-24h",
            Self::LateLonger => "late-longer",
        }
    }
}

/// The least and the most that several cells together can stand for. It says nothing but what they do, and is never written
/// beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub least: u64,
    /// The most.
    pub most: u64,
}

impl Bounds {
    /// Of cells that do not overlap.
    pub fn of(cells: impl IntoIterator<Item = Rounded>) -> Self {
        cells.into_iter().fold(Self::default(), |sum, cell| Self {
            least: sum.least + u64::from(cell.least()),
            most: sum.most + u64::from(cell.most()),
        })
    }
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.least, self.most) {
            (0, most) => write!(f, "<{}", most + 1),
            (least, most) => write!(f, "{least} to {most}"),
        }
    }
}

/// What came of the appeals of a province on a day. Those that were decided on it stand in one cell each, by outcome and wait, and
/// those that waited at its end in one of two. How many ended without a decision – the event, or the resident, had left – is no
/// cell.
///
/// Layout: day 2 · came 4 · upheld, by [`Wait`], 6 × 4 · dismissed likewise 6 × 4 · waiting within their deadline 4 · beyond it 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppealCounts {
    /// The day, UTC+8, days since the Unix epoch.
    pub day: u16,
    /// That came on it.
    pub came: Rounded,
    /// That were upheld on it, by how long they waited.
    pub upheld: [Rounded; WAITS],
    /// That were dismissed on it, by how long they waited.
    pub dismissed: [Rounded; WAITS],
    /// That waited at its end, and had time left.
    pub waiting: Rounded,
    /// That waited at its end, beyond their deadline.
    pub overdue: Rounded,
}

impl AppealCounts {
    /// How many of those decided waited so long, whatever became of them.
    pub fn waited(&self, wait: Wait) -> Bounds {
        let place = wait as usize;
        Bounds::of([self.upheld[place], self.dismissed[place]])
    }

    /// How many were decided after their deadline.
    pub fn late(&self) -> Bounds {
        let late = Wait::ALL.into_iter().filter(|wait| wait.is_late());
        Bounds::of(late.flat_map(|wait| {
            let place = wait as usize;
            [self.upheld[place], self.dismissed[place]]
        }))
    }

    pub(in super::super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.day.to_be_bytes());
        self.came.write(out);
        let decided = self.upheld.iter().chain(&self.dismissed);
        decided.for_each(|cell| cell.write(out));
        self.waiting.write(out);
        self.overdue.write(out);
    }

    pub(in super::super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self {
            day: reader.u16()?,
            came: Rounded::read(reader)?,
            upheld: by_wait(reader)?,
            dismissed: by_wait(reader)?,
            waiting: Rounded::read(reader)?,
            overdue: Rounded::read(reader)?,
        })
    }
}

fn by_wait(reader: &mut Reader<'_>) -> Result<[Rounded; WAITS], LayoutError> {
    let mut cells = [Rounded::FEW; WAITS];
    for cell in &mut cells {
        *cell = Rounded::read(reader)?;
    }
    Ok(cells)
}
