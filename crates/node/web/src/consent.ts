// On a proxy's phone: where the consent of the person stands, as far as this phone has heard.

/** Never heard of; it stands; its date has come; the person has ended it before its date. */
export type Consent = "none" | "given" | "past" | "ended";

/** Minutes by which the home's clock, which counts, may be ahead of what this phone takes for it. */
const CLOCKS_DIFFER_MIN = 1;

/** `until` is the minute from which on it does not stand, as the home said last; `isEnded` what the home has said since. */
export function consentOf(until: number | undefined, isEnded: boolean, now: number): Consent {
  if (until === undefined) return "none";
  if (isEnded) return "ended";
  return now + CLOCKS_DIFFER_MIN >= until ? "past" : "given";
}
