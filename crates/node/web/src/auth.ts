// Proof of possession of a device key for one call: the layout that `wire::RequestAuth` reads. It stands here a second time,
// since that crate carries a gRPC server with it; `crates/wire/vectors/request-auth.json` holds both to the same bytes.

/** Stands before the canonical bytes in what is signed. */
const DOMAIN = new TextEncoder().encode("viridian/request-auth/v1\0");
const VERSION = 1;

export interface Auth {
  /** The call's path: `/package.Service/Call`. */
  path: string;
  /** Province of the home that it is meant for. */
  home: number;
  /** SHA-256 of the compressed device key, 32 bytes. */
  deviceKeyId: Uint8Array;
  /** Minutes since the Unix epoch. */
  minute: number;
  /** 16 bytes that make the call unique. */
  nonce: Uint8Array;
  /** SHA-256 of the body as sent, 32 bytes. */
  bodySha256: Uint8Array;
}

/** Version 1 · length of the path 1 · path · home 1 · device key id 32 · minute 4 · nonce 16 · SHA-256 of the body 32. */
export function authBytes(auth: Auth): Uint8Array<ArrayBuffer> {
  const path = new TextEncoder().encode(auth.path);
  if (path.length > 255) throw new RangeError("a path of at most 255 bytes");
  const minute = new Uint8Array(4);
  new DataView(minute.buffer).setUint32(0, auth.minute);
  return joined([
    Uint8Array.of(VERSION, path.length),
    path,
    Uint8Array.of(auth.home),
    exactly(auth.deviceKeyId, 32),
    minute,
    exactly(auth.nonce, 16),
    exactly(auth.bodySha256, 32),
  ]);
}

/** What the device key signs. */
export function authSigningBytes(auth: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined([DOMAIN, auth]);
}

function exactly(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new RangeError(`${bytes.length} bytes where ${length} belong`);
  return bytes;
}

function joined(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
