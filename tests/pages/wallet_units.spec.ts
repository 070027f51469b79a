// Parts of the wallet that need no page: what is signed, numbers, days, the clock.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@playwright/test";

import { authBytes, authSigningBytes } from "../../crates/node/web/src/auth.ts";
import { correctionS, narrowed } from "../../crates/node/web/src/clock.ts";
import { consentOf } from "../../crates/node/web/src/consent.ts";
import { beginOf, dayOf, fieldOfMinute, minuteOfField } from "../../crates/node/web/src/dates.ts";
import { compressed, fromHex, hex, lowS, newKey, publicBytes, sign } from "../../crates/node/web/src/keys.ts";
import { identityNumber, siteNumber } from "../../crates/node/web/src/numbers.ts";
import { missingOf } from "../../crates/node/web/src/ways.ts";
import { who } from "../../crates/node/web/src/who.ts";

interface Vector {
  path: string;
  home: number;
  device_key_id: string;
  minute: number;
  nonce: string;
  body_sha256: string;
  auth: string;
  signing_bytes: string;
}

test("what a call is signed over is what the home reads, byte for byte", () => {
  const path = join(import.meta.dirname, "../../crates/wire/vectors/request-auth.json");
  const vectors = JSON.parse(readFileSync(path, "utf8")) as Vector[];
  expect(vectors).toHaveLength(10);
  for (const vector of vectors) {
    const auth = authBytes({
      path: vector.path,
      home: vector.home,
      deviceKeyId: fromHex(vector.device_key_id),
      minute: vector.minute,
      nonce: fromHex(vector.nonce),
      bodySha256: fromHex(vector.body_sha256),
    });
    expect(hex(auth)).toBe(vector.auth);
    expect(hex(authSigningBytes(auth))).toBe(vector.signing_bytes);
  }
});

test("a key is a compressed point, cannot be taken out, and signs with the smaller s", async () => {
  const key = await newKey();
  expect(key.privateKey.extractable).toBe(false);
  await expect(crypto.subtle.exportKey("pkcs8", key.privateKey)).rejects.toThrow();
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", key.publicKey));
  const short = await publicBytes(key);
  expect(short).toHaveLength(33);
  expect([2, 3]).toContain(short[0]);
  expect(hex(short.subarray(1))).toBe(hex(point.subarray(1, 33)));
  expect(() => compressed(point.subarray(1))).toThrow(RangeError);
  const half = "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8";
  const bytes = new TextEncoder().encode("a call");
  for (let round = 0; round < 16; round++) {
    const signature = await sign(key, bytes);
    expect(hex(signature.subarray(32)) <= half).toBe(true);
    expect(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key.publicKey, signature, bytes)).toBe(true);
  }
});

test("of two forms of a signature one is kept", () => {
  const r = "11".repeat(32);
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const small = 12345n;
  const padded = (s: bigint) => s.toString(16).padStart(64, "0");
  for (const s of [small, order - small]) {
    expect(hex(lowS(fromHex(r + padded(s))))).toBe(r + padded(small));
  }
  expect(() => lowS(new Uint8Array(63))).toThrow(RangeError);
});

test("numbers are read as they are typed, and wrong ones refused", () => {
  expect(identityNumber(" 11010519491231002x ")).toBe("11010519491231002X");
  for (const bad of ["110105194912310021", "1101051949123100", "", "1101051949123100２X"]) {
    expect(identityNumber(bad)).toBeNull();
  }
  expect([siteNumber("0"), siteNumber("131071"), siteNumber("131072"), siteNumber("-1"), siteNumber("")]).toEqual([
    0,
    131_071,
    null,
    null,
    null,
  ]);
});

test("days begin at midnight of UTC+8, and fields are read in it", () => {
  const minute = minuteOfField("2022-08-28T00:00")!;
  expect(minute).toBe(Date.UTC(2022, 7, 27, 16) / 60_000);
  expect(dayOf(minute)).toBe(dayOf(minute - 1) + 1);
  expect(beginOf(dayOf(minute))).toBe(minute);
  expect(fieldOfMinute(minute)).toBe("2022-08-28T00:00");
  for (const bad of ["", "2022-08-28", "2022-13-01T00:00", "now"]) expect(minuteOfField(bad)).toBeNull();
});

test("a clock within the home's minute is believed, and one that is not is corrected ever more closely", () => {
  const at = 29_000_000;
  expect(correctionS(null)).toBe(0);
  expect(correctionS(narrowed(null, at, at * 60 + 59))).toBe(0);
  expect(correctionS(narrowed(null, at, at * 60 - 15))).toBe(0);
  // An hour behind, first asked late in the home's minute, then right after the next has begun.
  const behind = 3_600;
  const first = narrowed(null, at, at * 60 + 58 - behind);
  expect(Math.abs(correctionS(first) - behind)).toBeLessThanOrEqual(30);
  const second = narrowed(first, at + 1, at * 60 + 61 - behind);
  expect(Math.abs(correctionS(second) - behind)).toBeLessThanOrEqual(2);
  // The phone's clock was set meanwhile: the newer counts.
  expect(correctionS(narrowed(second, at + 2, at * 60 + 130))).toBe(0);
});

test("a consent is over by its date or by the person, and was never there where none was heard of", () => {
  const until = 29_000_000;
  expect(consentOf(undefined, false, until)).toBe("none");
  expect(consentOf(until, false, until - 2)).toBe("given");
  // The home's clock counts, and may be a minute ahead.
  for (const now of [until - 1, until, until + 1]) expect(consentOf(until, false, now)).toBe("past");
  expect(consentOf(until, true, until - 2)).toBe("ended");
});

test("what is missing of a way out is so at the moment of the answer that it is part of", () => {
  const way = { negativesNeeded: 2, negativesCounted: 1, checkInDaysNeeded: 3, checkInDaysCounted: 4, timeFromMinute: 1_000 };
  const at = (minute: number) => missingOf(way as Parameters<typeof missingOf>[0], minute);
  expect(at(999)).toEqual({ negatives: 1, checkInDays: 0, from: 1_000 });
  expect(at(1_000)).toEqual({ negatives: 1, checkInDays: 0, from: null });
});

test("who states or reads is told as people call them, and what is not known stays as it is", () => {
  expect(who("33-cdc-1")).toEqual({ zh: "浙江疾控中心 1", en: "Zhejiang CDC 1" });
  expect(who("35-hospital-7 厦门一院")).toEqual({ zh: "福建医院 7 (厦门一院)", en: "Fujian Hospital 7 (厦门一院)" });
  expect(who("33-resident-0")).toEqual({ zh: "您本人", en: "you yourself" });
  expect(who("spiffe://viridian/test/33/source/appeals-office/1").zh).toBe("浙江申诉办公室 1");
  expect(who("spiffe://viridian/test/35/auditor/2")).toEqual({ zh: "福建审计员 2", en: "Fujian Auditor 2" });
  for (const odd of ["", "<b>", "33-nobody-1", "99 problems"]) expect(who(odd).zh).toBe(odd);
});
