// Numbers that people type, checked before they are sent.

export { byteLength, identityNumber } from "../../../pages/web/typed.ts";

/** A site within an area, or `null`. */
export function siteNumber(typed: string): number | null {
  if (!/^\d{1,6}$/.test(typed.trim())) return null;
  const site = Number(typed.trim());
  return site < 131_072 ? site : null;
}
