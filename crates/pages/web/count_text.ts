// Numbers as they are published.

import type { Count } from "@viridian/wire/public";

/** What a number can stand for: from and to, or that it is smaller. */
export function countText(count: Count | undefined): string {
  if (!count) return "";
  if (count.least === 0) return `< ${count.most + 1}`;
  return count.least === count.most ? String(count.least) : `${count.least}–${count.most}`;
}

/** Whether a number is too small to be published. */
export function isFew(count: Count | undefined): boolean {
  return (count?.least ?? 0) === 0;
}
