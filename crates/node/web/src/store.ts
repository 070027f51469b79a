// What this device keeps: its key, passes with theirs, what was asked for, receipts, and the last status. Neither name nor
// identity number is among it.

import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from "idb";

import type { Wish } from "./wish.ts";

export interface Identity {
  key: CryptoKeyPair;
  keyId: Uint8Array;
  home: number;
  federation: string;
  /** What this phone calls the person that it acts for; none where it is the person's own. */
  actsFor?: string;
}

/** Somebody for whom this phone acts: each has a storage and keys of their own. */
export interface Person {
  /** The storage's name. */
  id: string;
  /** As the owner of this phone calls them. */
  label: string;
}

/** A request for passes that has not ended. It is kept before it is sent, so that what it brings is never without its keys. */
export interface Use {
  id: Uint8Array;
  wish: Wish;
  keys: CryptoKeyPair[];
  /** 0 until the home has answered. */
  epoch: number;
  /** Until when its passes are good, minutes since the Unix epoch. */
  goodUntil: number;
  asOf: number;
}

export interface KeptPass {
  /** Given by the storage. */
  id?: number;
  wish: string;
  epoch: number;
  asOf: number;
  goodUntil: number;
  pass: Uint8Array;
  secret: Uint8Array;
  key: CryptoKeyPair;
  /** How often the show page was opened with it. */
  shown: number;
}

export type ReceiptKind = "check-in" | "trip" | "contest";

export interface Receipt {
  /** Hexadecimal name of the event or the case. */
  id: string;
  kind: ReceiptKind;
  /** Minutes since the Unix epoch. */
  at: number;
  /** What was said, in the fields of the call. */
  said: Record<string, string | number | boolean>;
  /** Canonical bytes that the receipt is over; of a contestation they follow from what was said. */
  event: Uint8Array;
  receipt: Uint8Array;
}

/** When passes are renewed after the epoch has moved on. */
export interface Renewal {
  epoch: number;
  delayS: number;
}

interface Kept extends DBSchema {
  one: { key: string; value: unknown };
  uses: { key: string; value: Use };
  passes: { key: number; value: KeptPass };
  receipts: { key: string; value: Receipt };
  persons: { key: string; value: Person };
}

/** The storage of this phone's own resident. */
export const OWN = "wallet";

/** This device's storage refused what has to be kept. */
export class NotKept extends Error {}

export class Store {
  private ended = 0;

  private constructor(private readonly db: IDBPDatabase<Kept>) {}

  /** How often all passes and requests were thrown away: what was begun before is not kept afterwards. */
  get endings(): number {
    return this.ended;
  }

  static async open(name: string): Promise<Store> {
    try {
      const db = await openDB<Kept>(name, 2, {
        upgrade(db, from) {
          if (from < 1) {
            db.createObjectStore("one");
            db.createObjectStore("uses");
            db.createObjectStore("passes", { keyPath: "id", autoIncrement: true });
            db.createObjectStore("receipts", { keyPath: "id" });
          }
          if (from < 2) db.createObjectStore("persons", { keyPath: "id" });
        },
      });
      // Without it a browser may throw all of this away when it wants room.
      await navigator.storage?.persist?.().catch(() => false);
      return new Store(db);
    } catch (cause) {
      throw new NotKept("the storage cannot be opened", { cause });
    }
  }

  private async kept<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (cause) {
      throw new NotKept("the storage refuses", { cause });
    }
  }

  identity(): Promise<Identity | undefined> {
    return this.db.get("one", "identity") as Promise<Identity | undefined>;
  }

  async keepIdentity(identity: Identity): Promise<void> {
    await this.kept(this.db.put("one", identity, "identity"));
  }

  /** The key that is being registered: the same again after an interruption. */
  candidate(): Promise<CryptoKeyPair | undefined> {
    return this.db.get("one", "candidate") as Promise<CryptoKeyPair | undefined>;
  }

  async keepCandidate(key: CryptoKeyPair): Promise<void> {
    await this.kept(this.db.put("one", key, "candidate"));
  }

  /** The last answer to a query, serialized. */
  status(): Promise<Uint8Array | undefined> {
    return this.db.get("one", "status") as Promise<Uint8Array | undefined>;
  }

  async keepStatus(status: Uint8Array): Promise<void> {
    await this.kept(this.db.put("one", status, "status"));
  }

  home(): Promise<Uint8Array | undefined> {
    return this.db.get("one", "home") as Promise<Uint8Array | undefined>;
  }

  async keepHome(home: Uint8Array): Promise<void> {
    await this.kept(this.db.put("one", home, "home"));
  }

  renewal(): Promise<Renewal | undefined> {
    return this.db.get("one", "renewal") as Promise<Renewal | undefined>;
  }

  async keepRenewal(renewal: Renewal): Promise<void> {
    await this.kept(this.db.put("one", renewal, "renewal"));
  }

  /** Whether the person has ended the consent by which this phone acts. */
  async consentEnded(): Promise<boolean> {
    return (await this.db.get("one", "consent-ended")) === true;
  }

  async keepConsentEnded(isEnded: boolean): Promise<void> {
    await this.kept(this.db.put("one", isEnded, "consent-ended"));
  }

  /** Whether the home was asked to erase the resident, and has not answered. */
  async leaveAsked(): Promise<boolean> {
    return (await this.db.get("one", "leave-asked")) === true;
  }

  async keepLeaveAsked(isAsked: boolean): Promise<void> {
    await this.kept(this.db.put("one", isAsked, "leave-asked"));
  }

  uses(): Promise<Use[]> {
    return this.db.getAll("uses");
  }

  async keepUse(name: string, use: Use): Promise<void> {
    await this.kept(this.db.put("uses", use, name));
  }

  async dropUse(name: string): Promise<void> {
    await this.kept(this.db.delete("uses", name));
  }

  passes(): Promise<KeptPass[]> {
    return this.db.getAll("passes");
  }

  /** The passes that a request has brought take its place, and that of those of earlier epochs for the same wish. */
  async keepPasses(name: string, brought: KeptPass[]): Promise<void> {
    const work = async () => {
      const tx = this.db.transaction(["uses", "passes"], "readwrite");
      const passes = tx.objectStore("passes");
      for (const old of await passes.getAll()) {
        const newer = brought.find((pass) => pass.wish === old.wish && pass.epoch > old.epoch);
        if (newer && old.id !== undefined) await passes.delete(old.id);
      }
      for (const pass of brought) await passes.add(pass);
      await tx.objectStore("uses").delete(name);
      await tx.done;
    };
    await this.kept(work());
  }

  async keepPass(pass: KeptPass): Promise<void> {
    await this.kept(this.db.put("passes", pass));
  }

  async dropPasses(which: (pass: KeptPass) => boolean): Promise<void> {
    const work = async () => {
      const tx = this.db.transaction("passes", "readwrite");
      for (const pass of await tx.store.getAll()) {
        if (which(pass) && pass.id !== undefined) await tx.store.delete(pass.id);
      }
      await tx.done;
    };
    await this.kept(work());
  }

  receipts(): Promise<Receipt[]> {
    return this.db.getAll("receipts");
  }

  async keepReceipt(receipt: Receipt): Promise<void> {
    await this.kept(this.db.put("receipts", receipt));
  }

  /** Passes and requests: what a revocation ends. */
  dropAllPasses(): Promise<void> {
    return this.end(["uses", "passes"]);
  }

  /** Everything but the receipts: this device is registered anew. */
  forget(): Promise<void> {
    return this.end(["uses", "passes", "one"]);
  }

  /** Everything, or nothing of it. */
  wipe(): Promise<void> {
    return this.end(["uses", "passes", "one", "receipts"]);
  }

  private async end(stores: ("uses" | "passes" | "one" | "receipts")[]): Promise<void> {
    this.ended += 1;
    const work = async () => {
      const tx = this.db.transaction(stores, "readwrite");
      await Promise.all([...stores.map((store) => tx.objectStore(store).clear()), tx.done]);
    };
    await this.kept(work());
  }

  /** For whom this phone acts; they stay when its own resident leaves. */
  persons(): Promise<Person[]> {
    return this.db.getAll("persons");
  }

  async keepPerson(person: Person): Promise<void> {
    await this.kept(this.db.put("persons", person));
  }

  async dropPerson(id: string): Promise<void> {
    await this.kept(this.db.delete("persons", id));
    await this.kept(deleteDB(id));
  }

  close(): void {
    this.db.close();
  }
}
