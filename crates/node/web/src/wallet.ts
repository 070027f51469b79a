// The wallet behind the page: what it knows, what it asks its home, and what it keeps.

import {
  create,
  fromBinary,
  toBinary,
  toJson,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import {
  CorrectSchema,
  CorrectionState,
  DeclareHealthSchema,
  DeclareTripSchema,
  GetHomeResponseSchema,
  LeaveSchema,
  QueryResponseSchema,
  QuerySchema,
  RegisterSchema,
  ResidentService,
  RevokePassesSchema,
  Symptoms,
  type GetHomeResponse,
  type QueryResponse,
} from "@viridian/wire/resident";
import { SetProxySchema } from "@viridian/wire/proxies";

import { drawingOf, type Drawing } from "../../../pages/web/code.tsx";
import { Clock } from "./clock.ts";
import { consentOf, type Consent } from "./consent.ts";
import { dayOf } from "./dates.ts";
import { Fault, faultOf } from "./fault.ts";
import { fromHex, hex, newKey, publicBytes, sha256, sign } from "./keys.ts";
import { mandateText } from "./mandate.ts";
import { PaperDesk } from "./paper.ts";
import { Service } from "./service.ts";
import { Stock } from "./stock.ts";
import { OWN, Store, type Identity, type KeptPass, type Person, type Receipt } from "./store.ts";
import init, { HeldPass, card_text, picture, slot } from "./wasm/wallet.js";
import wasmUrl from "./wasm/wallet_bg.wasm?url";
import type { Wish } from "./wish.ts";

export interface Registrant {
  number: string;
  name: string;
  evidence: string;
  /** Whether every phone that was bound before is lost. */
  isOnly: boolean;
}

export interface Trip {
  area: number;
  site: number;
  begin: number;
  end: number | null;
}

export type { Drawing };

/** A code to be shown. */
export interface Shown extends Drawing {
  slot: number;
  text: string;
}

/** A code to be printed. */
export interface Sheet extends Drawing {
  /** What it claims. */
  wish: Wish;
  asOf: number;
  goodUntil: number;
}

function drawing(text: string): Drawing {
  return drawingOf(picture(text));
}

/** After these it is open whether the home has done what it was asked for; after any other it has not. */
const OPEN_AFTER = ["NO_NETWORK", "PAGE", "DEADLINE", "INTERNAL", "STORAGE_FAILED"];

export class Wallet {
  /** When a try to leave ended without an answer: milliseconds since the page was opened; `null` where none did, infinite for one under way. */
  private leftAtMs: number | null;
  /** When this page last heard that the home does not know its key. */
  private unknownAtMs = 0;

  private constructor(
    private readonly store: Store,
    private readonly service: Service,
    readonly clock: Clock,
    readonly stock: Stock,
    private readonly papers: PaperDesk,
    public identity: Identity | null,
    /** What the home said last. */
    public home: GetHomeResponse | null,
    /** The last answer to a query. */
    public status: QueryResponse | null,
    /** Whether the person has ended the consent by which this phone acts. */
    private isConsentEnded: boolean,
    isLeaveAsked: boolean,
  ) {
    this.leftAtMs = isLeaveAsked ? 0 : null;
    service.hears = (isKnown, begunMs) => {
      void (isKnown ? this.isKnown(begunMs) : this.isUnknown()).catch(console.warn);
    };
  }

  /** Opens the wallet of this phone's own resident, or of somebody for whom it acts. */
  static async open(name: string): Promise<Wallet> {
    const [store] = await Promise.all([Store.open(name), init({ module_or_path: wasmUrl })]);
    const clock = new Clock();
    const service = new Service(clock);
    const [identity, home, status, isConsentEnded, isLeaveAsked] = await Promise.all([
      store.identity(),
      store.home(),
      store.status(),
      store.consentEnded(),
      store.leaveAsked(),
    ]);
    return new Wallet(
      store,
      service,
      clock,
      new Stock(store, service, clock),
      new PaperDesk(service),
      identity ?? null,
      home ? fromBinary(GetHomeResponseSchema, home) : null,
      status ? fromBinary(QueryResponseSchema, status) : null,
      isConsentEnded,
      isLeaveAsked,
    );
  }

  close(): void {
    this.store.close();
  }

  /** Asks the home how it is, and what passes are made from. */
  async ask(): Promise<GetHomeResponse> {
    const home = await this.service.home();
    this.home = home;
    await this.store.keepHome(toBinary(GetHomeResponseSchema, home));
    return home;
  }

  private signer(): Identity {
    if (!this.identity) throw new Error("not registered");
    return this.identity;
  }

  /** Makes a call of this resident's. What is answered after they have left this phone is nobody's, and is not kept. */
  private async call<B extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<DescMessage, O>,
    schema: B,
    init: MessageInitShape<B>,
  ): Promise<MessageShape<O>> {
    const by = this.signer();
    const answer = await this.service.call(by, method, schema, init);
    if (this.identity !== by) throw new Fault("UNKNOWN_DEVICE");
    return answer;
  }

  /** The home knows this phone's key. */
  private async isKnown(begunMs: number): Promise<void> {
    if (this.isConsentEnded && begunMs > this.unknownAtMs) {
      this.isConsentEnded = false;
      await this.store.keepConsentEnded(false);
    }
    // A call that was begun before says nothing of whether it has erased the resident since.
    if (this.leftAtMs !== null && begunMs > this.leftAtMs) await this.noteLeave(null);
  }

  /** The home does not know it. A consent that has not reached its date was ended, and all passes that were requested by it revoked. */
  private async isUnknown(): Promise<void> {
    this.unknownAtMs = performance.now();
    if (this.consent() !== "given") return;
    this.isConsentEnded = true;
    await Promise.all([this.store.keepConsentEnded(true), this.store.dropAllPasses()]);
  }

  /** Where the consent stands by which this phone acts. */
  consent(): Consent {
    if (this.identity?.actsFor === undefined) return "none";
    return consentOf(this.status?.proxies[0]?.untilMinute, this.isConsentEnded, this.clock.minute());
  }

  /** Binds a key of this device to a person; neither name nor number is kept. */
  async register(person: Registrant): Promise<void> {
    const home = await this.ask();
    let key = await this.store.candidate();
    if (!key) {
      key = await newKey();
      await this.store.keepCandidate(key);
    }
    const deviceKey = await publicBytes(key);
    const by = { key, keyId: await sha256(deviceKey), home: home.province };
    const answer = await this.service.call(by, ResidentService.method.register, RegisterSchema, {
      deviceKey,
      forgetOtherDevices: person.isOnly,
      identityNumber: person.number,
      name: person.name,
      realNameEvidence: new TextEncoder().encode(person.evidence),
    });
    const identity = { ...by, keyId: answer.deviceKeyId, federation: home.federation };
    await this.store.keepIdentity(identity);
    this.identity = identity;
  }

  /** The own status under the home's rules, or others. */
  async query(ruleSetId = ""): Promise<QueryResponse> {
    const answer = await this.call(ResidentService.method.query, QuerySchema, { ruleSetId });
    const status = create(QueryResponseSchema, { ...answer, padding: new Uint8Array() });
    if (ruleSetId === "") {
      this.status = status;
      await this.store.keepStatus(toBinary(QueryResponseSchema, status));
    }
    return status;
  }

  /** Today's check-in. The same `id` again, after a fault, is the same check-in. */
  async checkIn(id: Uint8Array, hasSymptoms: boolean): Promise<Receipt> {
    const minute = this.clock.minute();
    const day = dayOf(minute);
    const symptoms = hasSymptoms ? Symptoms.PRESENT : Symptoms.NONE;
    const answer = await this.call(ResidentService.method.declareHealth, DeclareHealthSchema, {
      eventId: id,
      day,
      symptoms,
    });
    const said = { day, symptoms: hasSymptoms };
    return this.keep({ id: hex(id), kind: "check-in", at: minute, said, event: answer.event, receipt: answer.receipt });
  }

  async declareTrip(id: Uint8Array, trip: Trip): Promise<Receipt> {
    const answer = await this.call(ResidentService.method.declareTrip, DeclareTripSchema, {
      eventId: id,
      areaNineDigit: trip.area,
      site: trip.site,
      beginMinute: trip.begin,
      ...(trip.end === null ? {} : { endMinute: trip.end }),
    });
    const said = { area: trip.area, site: trip.site, begin: trip.begin, end: trip.end ?? "" };
    const at = this.clock.minute();
    return this.keep({ id: hex(id), kind: "trip", at, said, event: answer.event, receipt: answer.receipt });
  }

  /**
   * Contests an event of the own record; the same `id` again asks where it stands. `hours` is how long the decision may take as
   * far as this phone knows; the receipt has what the home says, where it can be asked.
   */
  async contest(id: Uint8Array, eventId: Uint8Array, statement: string, hours: number): Promise<Receipt> {
    const answer = await this.call(ResidentService.method.correct, CorrectSchema, {
      caseId: id,
      eventId,
      statement,
    });
    const known = (await this.store.receipts()).find((receipt) => receipt.id === hex(id));
    const at = known?.at ?? this.clock.minute();
    const said = { event: hex(eventId), statement, hours, state: CorrectionState[answer.state] ?? "" };
    const kept: Receipt = { id: hex(id), kind: "contest", at, said, event: new Uint8Array(), receipt: answer.receipt };
    await this.keep(kept);
    const status = await this.query().catch(() => null);
    const appeal = status?.appeals.find(({ caseId }) => hex(caseId) === kept.id);
    if (!appeal) return kept;
    const allowed = (appeal.decideByMinute - appeal.openedAtMinute) / 60;
    return this.keep({ ...kept, at: appeal.openedAtMinute, said: { ...said, hours: allowed } });
  }

  /** Asks again where a contestation stands. */
  askAgain(of: Receipt): Promise<Receipt> {
    const { event, statement, hours } = of.said;
    return this.contest(fromHex(of.id), fromHex(String(event)), String(statement), Number(hours));
  }

  /** Names, changes or ends who acts for this resident; `until` 0 ends it. */
  async setProxy(proxyKey: Uint8Array, label: string, until: number): Promise<void> {
    const wish = { proxyKey, label, untilMinute: until };
    const { proxies } = await this.call(ResidentService.method.setProxy, SetProxySchema, wish);
    if (this.status) this.status = create(QueryResponseSchema, { ...this.status, proxies });
    // It is done, whether or not the home can be asked for the rest.
    await this.query().catch(console.warn);
  }

  persons(): Promise<Person[]> {
    return this.store.persons();
  }

  /** Makes a key to act for somebody, in a storage of its own; the name of that. */
  async actFor(label: string): Promise<string> {
    const home = await this.ask();
    const key = await newKey();
    const keyId = await sha256(await publicBytes(key));
    const id = `${OWN}-for-${hex(keyId.subarray(0, 8))}`;
    const other = await Store.open(id);
    try {
      await other.keepIdentity({ key, keyId, home: home.province, federation: home.federation, actsFor: label });
    } finally {
      other.close();
    }
    await this.store.keepPerson({ id, label });
    return id;
  }

  /** Deletes what this phone holds to act for somebody. */
  async stopActingFor(id: string): Promise<void> {
    await this.store.dropPerson(id);
  }

  /** What the phone of the person reads who lets this phone act for them. */
  async mandate(): Promise<Drawing & { text: string }> {
    const text = await mandateText(await publicBytes(this.signer().key));
    return { text, ...drawing(text) };
  }

  private async keep(receipt: Receipt): Promise<Receipt> {
    await this.store.keepReceipt(receipt);
    return receipt;
  }

  /** Newest first; where contestations stand, as the home said last. */
  async receipts(): Promise<Receipt[]> {
    const states = new Map((this.status?.appeals ?? []).map(({ caseId, state }) => [hex(caseId), CorrectionState[state]]));
    const all = (await this.store.receipts()).map((receipt) => {
      const state = states.get(receipt.id);
      return state === undefined ? receipt : { ...receipt, said: { ...receipt.said, state } };
    });
    return all.sort((a, b) => b.at - a.at);
  }

  /** Revokes every pass, and unbinds every other device. The number of passes that a gate could still have accepted. */
  async revokeAll(): Promise<number> {
    const answer = await this.call(ResidentService.method.revokePasses, RevokePassesSchema, {
      useId: new Uint8Array(),
      forgetOtherDevices: true,
    });
    await this.store.dropAllPasses();
    return answer.revoked;
  }

  /** This device is not bound any more: all but the receipts leaves it. */
  async forget(): Promise<void> {
    await this.withoutIdentity(() => this.store.forget());
  }

  /**
   * Has the home erase everything of this resident, and this device, too. An answer may be lost: asked again, a home that does not
   * know this key any more has done it. One that does not know it when it is first asked has not: the phone was unbound by another.
   */
  async leave(): Promise<void> {
    const by = this.signer();
    const wasAsked = this.leftAtMs !== null;
    await this.noteLeave(Number.POSITIVE_INFINITY);
    try {
      await this.service.call(by, ResidentService.method.leave, LeaveSchema, {});
    } catch (error) {
      const { code } = faultOf(error);
      const isDone = wasAsked && code === "UNKNOWN_DEVICE";
      if (!isDone) {
        await this.noteLeave(OPEN_AFTER.includes(code) ? performance.now() : null);
        throw error;
      }
    }
    await this.withoutIdentity(() => this.store.wipe());
  }

  /** A storage that is full keeps nobody from leaving. */
  private async noteLeave(atMs: number | null): Promise<void> {
    this.leftAtMs = atMs;
    await this.store.keepLeaveAsked(atMs !== null).catch(console.warn);
  }

  /** Empties the storage; from its begin on nothing is kept for who was here. */
  private async withoutIdentity(empty: () => Promise<void>): Promise<void> {
    const was = this.identity;
    this.identity = null;
    try {
      await empty();
    } catch (error) {
      this.identity = was;
      throw error;
    }
    this.status = null;
    this.leftAtMs = null;
  }

  /** The code of a pass, signed now; where a gate gave a challenge, for that. */
  async show(pass: KeptPass, challenge?: string): Promise<Shown> {
    const held = new HeldPass(pass.pass);
    try {
      const now = slot(this.clock.now());
      const signature = await sign(pass.key, new Uint8Array(held.signing_bytes(now, challenge)));
      const text = held.text(now, challenge, signature);
      return { slot: now, text, ...drawing(text) };
    } finally {
      held.free();
    }
  }

  /** A pass to be printed, bound to the identity card. */
  async paper(wish: Wish): Promise<Sheet> {
    const { endings } = this.store;
    const home = await this.ask();
    const { pass, asOf, goodUntil } = await this.papers.fetch(this.signer(), wish, home);
    // What was revoked meanwhile is not printed.
    if (this.store.endings !== endings) throw new Fault("NOT_FOUND");
    return { wish, asOf, goodUntil, ...drawing(card_text(pass)) };
  }

  /** The half minute that it is now. */
  slot(): number {
    return slot(this.clock.now());
  }

  /** Everything that this wallet holds, with a fresh answer of the home where it can be had; keys stay where they are. */
  async everything(): Promise<string> {
    let status = this.status;
    let from = "kept";
    if (this.identity) {
      try {
        status = await this.query();
        from = "home";
      } catch (error) {
        console.warn(faultOf(error));
      }
    }
    const passes = (await this.store.passes()).map((pass) => {
      const { wish, epoch, asOf, goodUntil, shown } = pass;
      return { wish, epoch, asOf, goodUntil, shown, pass: hex(pass.pass), revocationSecret: hex(pass.secret) };
    });
    const uses = (await this.store.uses()).map((use) => ({ id: hex(use.id), wish: use.wish, epoch: use.epoch }));
    const receipts = (await this.receipts()).map((receipt) => ({
      ...receipt,
      event: hex(receipt.event),
      receipt: hex(receipt.receipt),
    }));
    const device = this.identity && {
      keyId: hex(this.identity.keyId),
      publicKey: hex(await publicBytes(this.identity.key)),
      home: this.identity.home,
      federation: this.identity.federation,
    };
    const all = {
      format: "viridian-wallet/1",
      atMinute: this.clock.minute(),
      device,
      home: this.home && toJson(GetHomeResponseSchema, this.home),
      status: status && { from, answer: toJson(QueryResponseSchema, status) },
      passes,
      uses,
      receipts,
    };
    return JSON.stringify(all, null, 2);
  }
}
