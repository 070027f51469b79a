// The supervisor's lock: a number that is kept as a digest only, and waits that grow when it is guessed at.

import type { Store } from "./store.ts";

export interface Lock {
  salt: Uint8Array<ArrayBuffer>;
  rounds: number;
  /** PBKDF2 over SHA-256 of the number. */
  digest: Uint8Array;
  /** Wrong tries since the last wait. */
  wrong: number;
  /** Waits since it was last opened. */
  waits: number;
  /** No try before, ms since the Unix epoch. */
  until: number;
}

export type Tried = "right" | "wrong" | { waitS: number };

/** Rounds of PBKDF2. A number of a few digits is found all the same by whoever can copy this device's storage. */
const ROUNDS = 600_000;
const TRIES = 5;
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 60 * 60_000;

export const isPin = (text: string): boolean => /^\d{4,12}$/.test(text);

/** How long the wait of this number is, ms: each is twice the one before. */
export function waitMs(waits: number): number {
  return waits === 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (waits - 1), LONGEST_WAIT_MS);
}

/** What is still to be waited, ms. A clock that was set back meanwhile makes no wait longer than it was. */
export function leftMs(lock: Pick<Lock, "until" | "waits">, nowMs: number): number {
  return Math.max(0, Math.min(lock.until - nowMs, waitMs(lock.waits)));
}

export class Guard {
  private busy = false;

  constructor(private readonly store: Store) {}

  async isSet(): Promise<boolean> {
    return (await this.store.lock()) !== undefined;
  }

  async set(pin: string): Promise<void> {
    if (!isPin(pin)) throw new RangeError("a PIN has 4 to 12 digits");
    const salt = crypto.getRandomValues(new Uint8Array(16));
    await this.store.keepLock({ salt, rounds: ROUNDS, digest: await digest(pin, salt, ROUNDS), wrong: 0, waits: 0, until: 0 });
  }

  /** Seconds until the next try. */
  async waitS(): Promise<number> {
    const lock = await this.store.lock();
    return lock ? Math.ceil(leftMs(lock, Date.now()) / 1000) : 0;
  }

  async try(pin: string): Promise<Tried> {
    if (this.busy) return "wrong";
    this.busy = true;
    try {
      const lock = await this.store.lock();
      if (!lock) return "wrong";
      const left = leftMs(lock, Date.now());
      if (left > 0) return { waitS: Math.ceil(left / 1000) };
      // It counts as wrong before it is looked at: closing the page wins no further try.
      const counted = { ...lock, wrong: lock.wrong + 1, until: 0 };
      if (counted.wrong >= TRIES) {
        counted.wrong = 0;
        counted.waits += 1;
        counted.until = Date.now() + waitMs(counted.waits);
      }
      await this.store.keepLock(counted);
      const found = await digest(pin, lock.salt, lock.rounds);
      if (found.every((byte, i) => byte === lock.digest[i])) {
        await this.store.keepLock({ ...lock, wrong: 0, waits: 0, until: 0 });
        return "right";
      }
      const next = leftMs(counted, Date.now());
      return next > 0 ? { waitS: Math.ceil(next / 1000) } : "wrong";
    } finally {
      this.busy = false;
    }
  }
}

async function digest(pin: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, key, 256));
}
