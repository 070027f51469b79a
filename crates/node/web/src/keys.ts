// Keys of this device: P-256, made by the browser, which never gives their secret half away.

import { fromHex, hex } from "../../../pages/web/bytes.ts";

export { freshId, fromHex, hex } from "../../../pages/web/bytes.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;
/** Order of P-256's group. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export function newKey(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
}

/** The public half as a compressed SEC 1 point, 33 bytes. */
export async function publicBytes(key: CryptoKeyPair): Promise<Uint8Array<ArrayBuffer>> {
  return compressed(new Uint8Array(await crypto.subtle.exportKey("raw", key.publicKey)));
}

/** The compressed form of an uncompressed point: 4 · x 32 · y 32. */
export function compressed(point: Uint8Array): Uint8Array<ArrayBuffer> {
  if (point.length !== 65 || point[0] !== 4) throw new RangeError("not an uncompressed point of P-256");
  const out = new Uint8Array(33);
  out[0] = 2 + (point[64]! & 1);
  out.set(point.subarray(1, 33), 1);
  return out;
}

/** ECDSA over SHA-256: r and s, 64 bytes, s in its lower half. */
export async function sign(key: CryptoKeyPair, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return lowS(new Uint8Array(await crypto.subtle.sign(SIGNING, key.privateKey, bytes)));
}

/** The same signature with the smaller of its two s: browsers make either, and one signature has one form here. */
export function lowS(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(signature);
  if (out.length !== 64) throw new RangeError("a signature has 64 bytes");
  const s = BigInt(`0x${hex(out.subarray(32))}`);
  if (s > ORDER / 2n) out.set(fromHex((ORDER - s).toString(16).padStart(64, "0")), 32);
  return out;
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
