// The camera as a reader of codes: not fetched with the rest of the page, and said so where it cannot be had.

import { useEffect, useState } from "preact/hooks";

import { t } from "../../../pages/web/looks.tsx";
import type { Scanner } from "../../../pages/web/scanner.tsx";
import { w, type Words } from "../../../pages/web/words.ts";

const NO_READER = w("扫描功能还未下载到本机。请粘贴文字，或联网后再试。", "What reads codes is not on this phone yet. Paste the text, or try again with a network.");
const FAULTS = {
  none: w("没有可用的摄像头。请粘贴文字。", "No camera to be had. Paste the text."),
  denied: w(
    "浏览器未允许使用摄像头。请在地址栏的权限中允许，或粘贴文字。",
    "The browser does not allow the camera. Allow it in the address bar's permissions, or paste the text.",
  ),
} satisfies Record<string, Words>;

/** Has this phone keep what reads codes, so that it is there without a network. */
export function keepReader(): void {
  void navigator.serviceWorker?.ready.then(({ active }) => active?.postMessage("fetch the rest"));
}

/** Reads codes until it is taken away; `onReady` once it is seen what is to be had. */
export function CodeReader(props: { onText: (text: string) => void; onReady?: () => void }) {
  const [part, setPart] = useState<{ Scanner: typeof Scanner } | null | false>(null);
  useEffect(() => {
    let isWanted = true;
    import("../../../pages/web/scanner.tsx").then(
      ({ Scanner }) => isWanted && setPart({ Scanner }),
      (error: unknown) => {
        console.warn(error);
        if (isWanted) setPart(false);
      },
    );
    return () => {
      isWanted = false;
    };
  }, []);
  useEffect(() => props.onReady?.(), [part]);
  if (part) return <part.Scanner onText={props.onText} faults={FAULTS} />;
  return part === false ? (
    <p class="warn" role="alert">
      {t(NO_READER)}
    </p>
  ) : null;
}
