// What people type, checked before it is sent.

/** Weights of the first seventeen digits of an identity number (GB 11643, ISO 7064 MOD 11-2). */
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS = "10X98765432";

/** An identity number as it is sent, or `null` where its form or its check character is wrong. Whoever it is sent to checks the rest. */
export function identityNumber(typed: string): string | null {
  const number = typed.replace(/\s/g, "").toUpperCase();
  if (!/^\d{17}[\dX]$/.test(number)) return null;
  const sum = WEIGHTS.reduce((sum, weight, i) => sum + weight * Number(number[i]), 0);
  return CHECKS[sum % 11] === number[17] ? number : null;
}

/** How many bytes a text is sent as. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** A text as it is sent: what a paste may bring along, tabulators and the like, is a space. */
export function plain(typed: string): string {
  return typed.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n]/gu, " ").trim();
}
