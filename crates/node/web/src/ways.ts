// What of a way out is not fulfilled yet.

import type { WayOut } from "@viridian/wire/resident";

export interface Missing {
  negatives: number;
  checkInDays: number;
  /** From when on its time is fulfilled, minutes since the Unix epoch; `null` where it is. */
  from: number | null;
}

/** What was missing when the home said it: `at` is the minute of the answer that the way out is part of. */
export function missingOf(way: WayOut, at: number): Missing {
  const { timeFromMinute } = way;
  return {
    negatives: Math.max(way.negativesNeeded - way.negativesCounted, 0),
    checkInDays: Math.max(way.checkInDaysNeeded - way.checkInDaysCounted, 0),
    from: timeFromMinute !== undefined && timeFromMinute > at ? timeFromMinute : null,
  };
}
