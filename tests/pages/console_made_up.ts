// What a made-up console answers: every state of a proposal, appeals before and after their time, a node that is behind.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Answers } from "./console_answers.ts";
import { published } from "./console_published.ts";
import { root } from "./program.ts";

export const id = (byte: number, length = 16) => new Uint8Array(length).fill(byte);
export const hex = (byte: number, length = 16) => byte.toString(16).padStart(2, "0").repeat(length);
const nowS = () => BigInt(Math.floor(Date.now() / 1000));
export const minute = (later = 0) => Math.floor(Date.now() / 60_000) + later;

/** What can be done, as the program writes it down. */
const WHATS = [...readFileSync(join(root, "crates/console/src/acts.rs"), "utf8").matchAll(/^ {4}\w+, "([a-z-]+)";$/gm)].map(([, word]) => word!);

const NUMBER = "11010519491231002X";
/** A proxy's key, as far as a page looks at it. */
export const PROXY_KEY = Uint8Array.of(2, ...id(0x5a, 32));
const OTHER = "李雷";
const OFFICES = [
  { source: "33-cdc-1", kinds: [2, 3, 5, 6], exposures: [1, 2, 4, 5, 6] },
  { source: "33-laboratory-7", kinds: [1, 6] },
  { source: "33-appeals-office-1", decidesAppeals: true },
  { source: "33-community-office-1", namesProxies: true },
];

/** Who is signed in. */
export function desk(roles: number[], name: string) {
  return { name, roles, offices: OFFICES, federation: "cn", province: 33, endsAtS: nowS() + 900n, nowS: nowS(), proposalLapsesMin: 1440, tellsPublished: true };
}

/** `mark` stands in every name and text that somebody else has written. */
export function answersWith(mark: string): Answers {
  const name = `${mark}王敏`;
  const line = (number: number, part: Record<string, unknown> & { isNaming?: boolean } = {}) => ({
    number: BigInt(number),
    proposalId: id(number),
    state: 1,
    source: "33-cdc-1",
    kind: 2,
    proposedBy: OTHER,
    proposedAtMinute: minute(-90),
    lapsesAtMinute: minute(1350),
    mayJudge: true,
    ...part,
  });

  const judged = { judgedBy: OTHER, judgedAtMinute: minute(-30), mayJudge: false };
  const contested = { state: 9, ...judged, untilMinute: minute(300) };
  const lines = [
    line(15, { ...contested, mayConfirm: true }),
    line(14, { ...contested, proposedBy: name, nodeReason: "grant-not-in-force" }),
    line(13, { state: 8, ...judged, untilMinute: minute(4000) }),
    line(12, { ...contested, state: 10 }),
    line(11, { state: 11, ...judged }),
    line(10, { state: 12, ...judged, nodeReason: "not-taken" }),
    line(16, { state: 13, ...judged }),
    line(17, { kind: 0, isNaming: true, source: "33-community-office-1" }),
    line(18, { kind: 0, isNaming: true, source: "33-community-office-1", state: 4, ...judged, nodeReason: "LIVES_ELSEWHERE" }),
    line(9),
    line(8, { kind: 0, isUpheld: true, source: "33-appeals-office-1", lapsesAtMinute: minute(40) }),
    line(7, { proposedBy: name, mayJudge: false, mayWithdraw: true }),
    line(6, { state: 2, ...judged }),
    line(5, { state: 3, kind: 1, ...judged, nodeReason: "forwarded" }),
    line(4, { state: 4, kind: 3, ...judged, nodeReason: "too-late" }),
    line(3, { state: 5, kind: 5, ...judged }),
    line(2, { state: 6, kind: 6, mayJudge: false }),
    line(1, { state: 7, kind: 0, mayJudge: false }),
  ];

  const contact = {
    source: "33-cdc-1",
    identityNumber: NUMBER,
    homeProvince: 33,
    kind: 2,
    atMinute: minute(-4000),
    whereProvince: 33,
    contact: 2,
  };

  const content = (by: number) => ({
    kind: 2,
    atMinute: minute(-4000),
    whereProvince: 35,
    contact: 2,
    kindName: "contact",
    statedBy: "35-cdc-1",
    statedAtMinute: minute(-3000),
    eventId: id(7),
    statement: `${mark}那天我在出差，有车票为证。`,
    openedAtMinute: minute(-400),
    decideByMinute: minute(by),
  });

  function read(number: number) {
    const found = lines.find((line) => line.number === BigInt(number))!;
    const what = found.isNaming
      ? { case: "naming", value: { source: found.source, identityNumber: NUMBER, proxyKey: PROXY_KEY, untilMinute: minute(100_000) } }
      : found.kind === 0
        ? { case: "decision", value: { source: found.source, appeal: id(3, 20), isUpheld: true, words: `${mark}经核对车票，您当日不在该地。` } }
        : { case: "statement", value: contact };
    return {
      line: found,
      grounds: `流调记录 2022-118 ${mark}`,
      ...(found.state === 7 ? {} : { what }),
      ...(found.kind === 0 && !found.isNaming && found.state === 1 ? { appeal: content(40) } : {}),
      judgedWords: found.state === 5 ? `${mark}号码与记录不符` : "",
      ...(found.state === 3 || found.state === 11 ? { receipt: id(1, 173), event: Uint8Array.of(1, ...id(0xab), ...id(5, 40)) } : {}),
    };
  }

  const cases = [
    { appeal: id(1, 20), openedAtMinute: minute(-600), decideByMinute: minute(-125) },
    { appeal: id(2, 20), openedAtMinute: minute(-450), decideByMinute: minute(35), proposalId: id(8) },
    { appeal: id(3, 20), openedAtMinute: minute(-10), decideByMinute: minute(1430) },
  ];

  const rules = { ruleSetId: "nation-9", version: 3, scope: 0, fromMinute: minute(-90_000), untilMinute: 0, isEmergency: false };

  function overview() {
    return {
      node: {
        nowMinute: minute(),
        closedEpoch: 12,
        registryEpoch: 11,
        residents: 40n,
        events: 123n,
        proofsQueued: 2,
        proofsMade: 80n,
        proveMsMedian: 913,
        horizonDays: 60,
        retainedAtMinute: minute(-1700),
        retainedEvents: 17n,
        retainedErased: 1n,
      },
      list: {
        rootSequence: 3n,
        onlineSequence: 812n,
        issuedAtS: nowS() - 4000n,
        softStaleS: 3600,
        hardStaleS: 86_400,
        rootExpiresAtS: nowS() + 8_000_000n,
        epoch: 11,
        cosigners: [33, 35, 31],
        provinces: 3,
        ruleSets: [
          rules,
          { ...rules, ruleSetId: "zhejiang-1", scope: 33, untilMinute: minute(9000), isEmergency: true },
          { ...rules, version: 4, fromMinute: minute(9000) },
        ],
      },
      certificates: [
        { holder: "33-cdc-1", endsAtS: nowS() + 900_000n },
        { holder: "33-appeals-office-1", endsAtS: nowS() - 900n },
        { holder: "operator", endsAtS: nowS() + 90_000_000n },
        { holder: "page", endsAtS: nowS() + 8_000_000n },
      ],
      problem: `33-laboratory-7: ${mark}the certificate is not read`,
    };
  }

  const sources = Array.from({ length: 258 }, (_, i) => ({
    source: `33-laboratory-${1000 + i}`,
    name: `${mark}第${i}检验所`,
    sinceMinute: i === 1 ? minute(900) : 0,
    untilMinute: i === 2 ? minute(-900) : 0,
    accepted: BigInt(3 * i),
    refused: 1n,
    lastAtMinute: i === 0 ? 0 : minute(-i),
  }));

  const acts = WHATS.map((what, i) => ({
    number: BigInt(WHATS.length - i),
    atS: nowS() - BigInt(i * 700),
    who: i === 0 ? "" : name,
    what,
    about: i < 6 ? new Uint8Array() : id(i),
    words: what === "refused" ? `${mark}号码与记录不符` : "",
  }));

  return {
    getDesk: () => desk([1, 2, 3, 4, 5], name),
    listProposals: ({ onlyWaiting }) => ({ proposals: lines.filter(({ state }) => !onlyWaiting || state === 1 || state === 9), next: 0n, waiting: 6 }),
    readProposal: ({ proposalId }) => read((proposalId as Uint8Array)[0]!),
    listCases: () => ({ nowMinute: minute(), cases: cases, total: 3, overdue: 1 }),
    readCase: ({ appeal }) => ({ content: content(cases[(appeal as Uint8Array)[0]! - 1]!.decideByMinute - minute()) }),
    getOverview: overview,
    listIntake: ({ after }) => ({ sources: sources.filter(({ source }) => source > (after as string)).slice(0, 256) }),
    ...published(mark),
    listActs: () => ({ acts: acts, next: 0n, head: id(0xfe, 32) }),
  };
}
