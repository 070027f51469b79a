// Numbers that people type, checked before they are sent.

import { provinceName } from "../../../pages/web/provinces.ts";

export { byteLength, identityNumber } from "../../../pages/web/typed.ts";

/** A nine-digit area of a province, or `null`. */
export function areaCode(typed: string): number | null {
  const digits = typed.replace(/\s/g, "");
  if (!/^\d{9}$/.test(digits)) return null;
  return provinceName(Number(digits.slice(0, 2))) ? Number(digits) : null;
}

/** A site within an area, or `null`. */
export function siteNumber(typed: string): number | null {
  if (!/^\d{1,6}$/.test(typed.trim())) return null;
  const site = Number(typed.trim());
  return site < 131_072 ? site : null;
}
