// What a proxy's phone tells the phone of the person that it shall act for, or an office where there is none: its key, in a text that
// can be typed and scanned.

import { fromHex, hex } from "./bytes.ts";

const PREFIX = "VIRP1:";
/** Hexadecimal digits of the key's SHA-256 at the end: a slip of the finger is found. */
const CHECK_LEN = 8;

/** `VIRP1:` · key 33 bytes · check 4 bytes, in capital hexadecimal digits, which a QR code packs tightly. */
export async function mandateText(key: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", key);
  const check = hex(new Uint8Array(digest)).slice(0, CHECK_LEN);
  return PREFIX + (hex(key) + check).toUpperCase();
}

/** The key in such a text, spaces and small letters let be; `null` for anything else. */
export async function readMandate(text: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const plain = text.replace(/\s+/g, "").toUpperCase();
  const found = /^VIRP1:(0[23][0-9A-F]{64})([0-9A-F]{8})$/.exec(plain);
  if (!found?.[1]) return null;
  const key = fromHex(found[1]);
  return (await mandateText(key)) === plain ? key : null;
}
