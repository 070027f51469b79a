// Frames of a camera: a code as it would be seen, good and bad, as a file that Chromium's fake camera plays.

import { writeFileSync } from "node:fs";

import type { Page } from "@playwright/test";
import { encode } from "uqr";

const WIDTH = 640;
const HEIGHT = 480;

export interface Look {
  /** Pixels of one module. */
  scale?: number;
  /** Radius of the blur, pixels. */
  blur?: number;
  /** Deviation of the noise, of 255. */
  noise?: number;
  /** From black to white, of 1. */
  contrast?: number;
  /** Left and right exchanged, as a mirror has it. */
  mirrored?: boolean;
}

/** Grey values, row by row. */
export function frame(text: string, look: Look = {}): Uint8Array {
  const code = encode(text, { ecc: "M", border: 4 });
  const scale = look.scale ?? Math.floor(HEIGHT / code.size);
  const side = code.size * scale;
  const left = (WIDTH - side) >> 1;
  const top = (HEIGHT - side) >> 1;
  let grey = new Float32Array(WIDTH * HEIGHT).fill(255);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const column = look.mirrored ? side - 1 - x : x;
      const dark = code.data[Math.floor(y / scale)]?.[Math.floor(column / scale)];
      if (dark) grey[(top + y) * WIDTH + left + x] = 0;
    }
  }
  const contrast = look.contrast ?? 1;
  grey = grey.map((value) => 128 + (value - 128) * contrast);
  for (let pass = 0; pass < 2 && look.blur; pass++) grey = blurred(grey, look.blur);
  const random = generator(7);
  const noise = look.noise ?? 0;
  return Uint8Array.from(grey, (value) => Math.max(0, Math.min(255, value + noise * (random() + random() + random() - 1.5))));
}

/** A part of a page as a camera sees it: what the screen shows, in the middle of the frame. */
export async function seen(page: Page, name: string): Promise<Uint8Array> {
  const shot = (await page.getByTestId(name).screenshot()).toString("base64");
  // Another page of the browser reads the picture, for this one may load nothing that is not its own.
  const other = await page.context().newPage();
  const grey = await other.evaluate(
    async ({ shot, width, height }) => {
      const bytes = Uint8Array.from(atob(shot), (c) => c.charCodeAt(0));
      const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      const canvas = new OffscreenCanvas(width, height);
      const to = canvas.getContext("2d")!;
      to.fillStyle = "#fff";
      to.fillRect(0, 0, width, height);
      const scale = Math.min((width - 40) / picture.width, (height - 40) / picture.height);
      const [w, h] = [picture.width * scale, picture.height * scale];
      to.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
      const { data } = to.getImageData(0, 0, width, height);
      return Array.from({ length: width * height }, (_, i) => (data[4 * i]! * 3 + data[4 * i + 1]! * 6 + data[4 * i + 2]!) / 10);
    },
    { shot, width: WIDTH, height: HEIGHT },
  );
  await other.close();
  return Uint8Array.from(grey);
}

/** The mean over a square: twice it is near to a lens out of focus. */
function blurred(grey: Float32Array<ArrayBuffer>, radius: number): Float32Array<ArrayBuffer> {
  const along = (from: Float32Array, step: number, other: number, length: number, count: number) => {
    const out = new Float32Array(from.length);
    for (let line = 0; line < count; line++) {
      for (let at = 0; at < length; at++) {
        let sum = 0;
        for (let d = -radius; d <= radius; d++) {
          const clamped = Math.max(0, Math.min(length - 1, at + d));
          sum += from[line * other + clamped * step] ?? 0;
        }
        out[line * other + at * step] = sum / (2 * radius + 1);
      }
    }
    return out;
  };
  return along(along(grey, 1, WIDTH, WIDTH, HEIGHT), WIDTH, 1, HEIGHT, WIDTH);
}

/** The same numbers each time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A film of these frames, each shown for a moment, played again and again. */
export function film(path: string, frames: Uint8Array[]): void {
  const chroma = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
  const parts = [Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420mpeg2\n`)];
  for (const grey of frames) parts.push(Buffer.from("FRAME\n"), Buffer.from(grey), chroma);
  writeFileSync(path, Buffer.concat(parts));
}
