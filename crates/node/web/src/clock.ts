// The time that calls and codes are signed with: this device's, unless the home's minute says that it is wrong.

import { keepSetting, setting } from "../../../pages/web/settings.ts";

/** A device's clock within so many seconds of the home's minute is believed: the minute is told without its seconds. */
const BELIEVED_S = 20;

/** Seconds to be added to this device's clock: somewhere from `least` to `most`. */
export interface Offset {
  leastS: number;
  mostS: number;
}

/** What a home's minute, told at `hereS` by this device's clock, leaves of what was known before. */
export function narrowed(before: Offset | null, homeMinute: number, hereS: number): Offset {
  const told = { leastS: homeMinute * 60 - hereS, mostS: homeMinute * 60 + 60 - hereS };
  if (!before) return told;
  const both = { leastS: Math.max(before.leastS, told.leastS), mostS: Math.min(before.mostS, told.mostS) };
  // Where they contradict each other a clock was set: the newer counts.
  return both.leastS < both.mostS ? both : told;
}

/** What is added to this device's clock. */
export function correctionS(offset: Offset | null): number {
  if (!offset || (offset.leastS <= BELIEVED_S && offset.mostS >= -BELIEVED_S)) return 0;
  return Math.round((offset.leastS + offset.mostS) / 2);
}

const KEPT_AS = "clock";

export class Clock {
  private offset: Offset | null = kept();

  note(homeMinute: number, hereS = Date.now() / 1000): void {
    this.offset = narrowed(this.offset, homeMinute, hereS);
    keepSetting(KEPT_AS, JSON.stringify(this.offset));
  }

  /** Seconds since the Unix epoch. */
  now(): number {
    return Date.now() / 1000 + correctionS(this.offset);
  }

  minute(): number {
    return Math.floor(this.now() / 60);
  }

  /** Minutes by which this device's clock is wrong; 0 where it is right, or nothing is known. */
  wrongByMin(): number {
    return Math.round(Math.abs(correctionS(this.offset)) / 60);
  }
}

function kept(): Offset | null {
  try {
    const offset = JSON.parse(setting(KEPT_AS) ?? "null") as Offset | null;
    return typeof offset?.leastS === "number" && typeof offset.mostS === "number" ? offset : null;
  } catch {
    return null;
  }
}
