// Reads QR codes out of frames, beside the page's own thread.

import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import wasmUrl from "zxing-wasm/reader/zxing_reader.wasm?url";

declare const self: DedicatedWorkerGlobalScope;

prepareZXingModule({ overrides: { locateFile: () => wasmUrl }, fireImmediately: true });

self.onmessage = async (event: MessageEvent<ImageData>) => {
  let text: string | null = null;
  try {
    const found = await readBarcodes(event.data, {
      formats: ["QRCode"],
      maxNumberOfSymbols: 1,
      tryHarder: true,
    });
    text = found.find((code) => code.isValid)?.text ?? null;
  } catch (error) {
    console.warn("a frame could not be read", error);
  }
  self.postMessage(text);
};

export {};
