// What this device keeps: the setting, the supervisor's choice and lock, the trust list with its batches of revocations, the gate's
// memory, counts by hour.
// Nothing of who came is among it.

import { openDB, type DBSchema, type IDBPDatabase } from "idb";

import { setting } from "../../../pages/web/settings.ts";
import type { Lock } from "./lock.ts";

export interface Setting {
  province: number;
  gateId: Uint8Array;
  rootKeys: Uint8Array;
  rootThreshold: number;
  admitsSpecimens: boolean;
  slotSkew: number;
  profile: string;
  refreshEveryS: number;
  /** Seconds to be added to this device's clock; not 0 only where the checkpoint's clock is simulated. */
  clockOffsetS: number;
  simulatedClock: boolean;
  /** Tenths of a degree Celsius; 0 where no temperature is asked for. */
  temperatureLimit: number;
}

/** What a supervisor chose; what is left open is as the checkpoint has it. */
export interface Rule {
  profile?: string;
  /** Tenths of a degree Celsius; 0 asks for none. */
  temperatureLimit?: number;
  showsChallenge?: boolean;
  /** Whether only passes that are bound to an identity card count. */
  asksForCard?: boolean;
}

export interface Counts {
  accept: number;
  reject: number;
  undecided: number;
}

interface Kept extends DBSchema {
  one: { key: string; value: unknown };
  batches: { key: string; value: Uint8Array };
  counts: { key: number; value: Counts };
}

/** This browser lets the page keep nothing. */
export class NoStorage extends Error {}

/** Hours of counts that are kept. */
const HOURS_KEPT = 48;

export class Store {
  private constructor(private readonly db: IDBPDatabase<Kept>) {}

  static async open(): Promise<Store> {
    let db: IDBPDatabase<Kept>;
    try {
      db = await openDB<Kept>("gate", 1, {
        upgrade(db) {
          db.createObjectStore("one");
          db.createObjectStore("batches");
          db.createObjectStore("counts");
        },
      });
    } catch (error) {
      throw new NoStorage(String(error), { cause: error });
    }
    // Without it a browser may throw all of this away when it wants room.
    await navigator.storage?.persist?.().catch(() => false);
    return new Store(db);
  }

  async setting(): Promise<Setting | undefined> {
    const kept = (await this.db.get("one", "setting")) as Setting | undefined;
    // One that an earlier page kept lacks what is newer.
    return kept && { ...kept, temperatureLimit: kept.temperatureLimit ?? 0, simulatedClock: kept.simulatedClock ?? kept.clockOffsetS !== 0 };
  }

  async keepSetting(setting: Setting): Promise<void> {
    await this.db.put("one", setting, "setting");
  }

  async rule(): Promise<Rule> {
    const kept = (await this.db.get("one", "rule")) as Rule | undefined;
    // An earlier page kept the profile alone, and elsewhere.
    const profile = setting("profile");
    return kept ?? (profile ? { profile } : {});
  }

  async keepRule(rule: Rule): Promise<void> {
    await this.db.put("one", rule, "rule");
  }

  lock(): Promise<Lock | undefined> {
    return this.db.get("one", "lock") as Promise<Lock | undefined>;
  }

  async keepLock(lock: Lock): Promise<void> {
    await this.putForSure("lock", lock);
  }

  /** Written out before it is said to be kept. */
  private async putForSure(name: string, value: unknown): Promise<void> {
    const tx = this.db.transaction("one", "readwrite", { durability: "strict" });
    await tx.store.put(value, name);
    await tx.done;
  }

  list(): Promise<Uint8Array | undefined> {
    return this.db.get("one", "list") as Promise<Uint8Array | undefined>;
  }

  batch(digest: string): Promise<Uint8Array | undefined> {
    return this.db.get("batches", digest);
  }

  /** A list and all batches that it names, or neither. */
  async keepList(list: Uint8Array, batches: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const tx = this.db.transaction(["one", "batches"], "readwrite");
    for (const [digest, batch] of batches) await tx.objectStore("batches").put(batch, digest);
    for (const digest of await tx.objectStore("batches").getAllKeys()) {
      if (!batches.has(digest)) await tx.objectStore("batches").delete(digest);
    }
    await tx.objectStore("one").put(list, "list");
    await tx.done;
  }

  memory(): Promise<Uint8Array | undefined> {
    return this.db.get("one", "memory") as Promise<Uint8Array | undefined>;
  }

  async keepMemory(memory: Uint8Array): Promise<void> {
    await this.putForSure("memory", memory);
  }

  async count(hour: number, outcome: keyof Counts): Promise<void> {
    const tx = this.db.transaction("counts", "readwrite");
    const before = (await tx.store.get(hour)) ?? { accept: 0, reject: 0, undecided: 0 };
    await tx.store.put({ ...before, [outcome]: before[outcome] + 1 }, hour);
    await tx.store.delete(IDBKeyRange.upperBound(hour - HOURS_KEPT));
    await tx.done;
  }

  async counts(): Promise<[number, Counts][]> {
    const tx = this.db.transaction("counts");
    const [hours, counts] = await Promise.all([tx.store.getAllKeys(), tx.store.getAll()]);
    return hours.map((hour, i) => [hour, counts[i]!] as [number, Counts]).reverse();
  }
}
