// Numbers that people type, checked before they are sent.

import { provinceName } from "../../../pages/web/provinces.ts";

/** Weights of the first seventeen digits of an identity number (GB 11643, ISO 7064 MOD 11-2). */
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS = "10X98765432";

/** An identity number as it is sent, or `null` where its form or its check character is wrong. The home checks the rest. */
export function identityNumber(typed: string): string | null {
  const number = typed.replace(/\s/g, "").toUpperCase();
  if (!/^\d{17}[\dX]$/.test(number)) return null;
  const sum = WEIGHTS.reduce((sum, weight, i) => sum + weight * Number(number[i]), 0);
  return CHECKS[sum % 11] === number[17] ? number : null;
}

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

/** How many bytes a text is sent as. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
