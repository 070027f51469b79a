// What a made-up console tells of what is published: a rule set in force, one that is announced with what it changes and whom, one
// that is over and without a text, and the counts of a province beside one that could not be verified.

import type { Answers } from "./console_answers.ts";

const bytes = (byte: number, length: number) => new Uint8Array(length).fill(byte);
const minute = (later: number) => Math.floor(Date.now() / 60_000) + later;
const secondS = (later: number) => BigInt(Math.floor(Date.now() / 1000) + later);
const [GREEN, YELLOW, RED] = [1, 2, 3];
const [IN_FORCE, ANNOUNCED, OVER] = [1, 2, 3];
/** Hours until the announced one binds. */
export const BINDS_IN_H = 41;

export function published(mark: string): Answers {
  const set = (number: number, part: Record<string, unknown>) => ({
    digest: bytes(number, 32),
    shortId: bytes(number, 4),
    version: 1,
    scope: 33,
    fromMinute: minute(-90_000),
    untilMinute: 0,
    hasText: true,
    ...part,
  });
  const slot = (number: number, provinceCode: number, part: Record<string, unknown>) => ({
    slot: number,
    provinceCode,
    url: `http://node-${provinceCode}.example:7445`,
    ...part,
  });
  const log = (days: number) => ({ verifiedAtS: secondS(-200), size: 400n, root: bytes(9, 32), entriesRead: 400n, days });
  const overview = {
    nowS: secondS(0),
    lookedAtS: secondS(-100),
    rootKeys: [bytes(1, 32)],
    rootThreshold: 1,
    list: { rootSequence: 3n, onlineSequence: 812n, issuedAtS: secondS(-400), softStaleS: 3600, hardStaleS: 86_400, epoch: 11 },
    ruleSets: [
      set(OVER, { ruleSetId: "zj-2022-01", fromMinute: minute(-190_000), untilMinute: minute(-90_000), hasText: false }),
      set(IN_FORCE, { ruleSetId: "zj-2022-08", untilMinute: minute(60 * BINDS_IN_H + 5) }),
      set(ANNOUNCED, { ruleSetId: "zj-2022-09", version: 2, fromMinute: minute(60 * BINDS_IN_H + 5), isEmergency: true }),
    ],
    slots: [
      slot(1, 33, { log: log(2) }),
      slot(2, 35, { log: log(1), logProblem: { fault: 7, detail: `the log had 400 entries, and now has 3 ${mark}` } }),
      slot(3, 42, { logProblem: { fault: 2, detail: "not all of it within 120 s" } }),
    ],
  };

  const row = (first: number, hours: number) => ({ keys: [3, 35], first, then: first, clearings: [{ after: { hours }, negatives: 2, gapHours: 24, spanHours: 72 }] });
  const rule = (ruleId: string, zh: string, en: string, rows: unknown[]) => ({ ruleId, text: { zh: `${mark}${zh}`, en: `${mark}${en}` }, source: `${mark}${ruleId}`, rows });
  const kept = rule("R1", "病例住院期间为红码。", "A case is red in hospital.", [row(RED, 240)]);
  const text = (rules: unknown[]) => ({
    title: { zh: `${mark}浙江转码规则`, en: `${mark}Colour rules of Zhejiang` },
    authority: { zh: "领导小组", en: "Leading group" },
    source: `${mark}https://zj.example`,
    textSha256: bytes(5, 32),
    rules,
    otherwise: { zh: "其他情形不影响颜色。", en: "Nothing else colours." },
    lookbackHours: [0, 0, 168],
  });
  const texts: Record<number, unknown> = {
    [IN_FORCE]: text([kept, rule("Y1", "密接为黄码。", "A contact is yellow.", [row(YELLOW, 72)]), rule("Y2", "次密接为黄码。", "A contact of a contact is yellow.", [row(YELLOW, 24)])]),
    [ANNOUNCED]: text([kept, rule("Y1", "密接为红码。", "A contact is red.", [row(RED, 72)]), rule("Y3", "申报症状的为黄码。", "Declared symptoms are yellow.", [row(YELLOW, 48)])]),
  };

  const count = (least: number, most = least === 0 ? 9 : least + 9) => ({ least, most });
  const counted = { ruleSetId: "zj-2022-09", version: 2, scope: 33, digest: bytes(ANNOUNCED, 32), textSha256: bytes(5, 32) };
  const impacts = [
    {
      slot: 1,
      state: 1,
      announcedMinute: minute(-420),
      count: {
        atMinute: minute(-300),
        residents: count(1_234_565),
        set: counted,
        before: { ...counted, ruleSetId: "zj-2022-08", version: 1 },
        changes: [
          { from: YELLOW, to: RED, ruleId: "Y1", people: count(335) },
          { from: YELLOW, to: GREEN, ruleId: "Y2", people: count(0) },
        ],
      },
    },
    { slot: 2, state: 3, announcedMinute: minute(-400) },
  ];

  const day = Math.floor((minute(0) + 480) / 1440) - 1;
  const decided = [true, false].flatMap((isUpheld) => [1, 2, 3, 4, 5, 6].map((wait) => ({ isUpheld, wait, appeals: count(wait === 2 ? 15 : 0) })));
  const days = [
    { day: day - 1, sourcesRead: 1 },
    {
      day,
      ruleSetId: "zj-2022-08",
      version: 1,
      residents: count(1_234_565),
      cells: [
        { colour: YELLOW, ruleId: "Y1", people: count(115) },
        { colour: RED, ruleId: "R1", people: count(0) },
      ],
      sourcesRead: 3,
      sources: [{ provinceCode: 33, sourceKind: 2, number: 1, fact: 3, events: count(45) }],
      appeals: { came: count(25), decided, waiting: count(15), overdue: count(0) },
      retention: { horizonDays: 60, firstDay: day - 60, events: count(125), erased: count(0) },
    },
  ];

  return {
    "public.getOverview": () => overview,
    "public.getRuleText": ({ digest }) => (texts[(digest as Uint8Array)[0]!] as Record<string, unknown>) ?? "PAGE",
    "public.getCounts": ({ slot }) => ({ days: slot === 1 ? days : days.slice(0, 1) }),
    "public.getImpacts": ({ shortId }) => ({ impacts: (shortId as Uint8Array)[0] === ANNOUNCED ? impacts : [{ slot: 1, state: 5 }], nextSlot: 0 }),
  };
}
