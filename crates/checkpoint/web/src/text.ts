// What a text is that was read: a pass as it should have been typed, or something else that people hold before a gate.

import { w, type Words } from "../../../pages/web/words.ts";
import type { Report } from "./desk.ts";

/** Signs that a Chinese input method has for those of base45, where no normal form has. */
const SIGNS: Record<string, string> = { "¥": "$", "。": ".", "、": "/", "·": "." };

const normal = (text: string): string => text.normalize("NFKC").replace(/[¥。、·]/g, (sign) => SIGNS[sign]!).trim().toUpperCase();

/**
 * A pass as it was shown, where a scanner typed it with Caps Lock on or through a Chinese input method: its text has upper case
 * and half width only, so that nothing is guessed. Any other text is left as it is.
 */
export function mended(text: string): string {
  const upper = normal(text);
  return upper.startsWith("VIR1:") ? upper : text;
}

interface Kind {
  is: RegExp;
  /** What it is, and what to do. */
  say: Words;
  todo: Words;
}

const NEWER: Kind = {
  is: /^VIR(?!1:)\d+:/,
  say: w("本处还不认识这种新版凭证，请走人工通道。这不是您的问题。", "This gate does not know this newer pass yet. Use the manual lane; nothing is wrong with your pass."),
  todo: w("更新本核验端;在此之前人工核验。", "Update the gate, and check by hand meanwhile."),
};

const OTHERS: Kind[] = [
  {
    is: /^HC\d:/,
    say: w("这是欧盟数字证书，不是本系统的通行凭证。", "This is an EU certificate, and no pass of this system."),
    todo: w("请对方打开自己的通行凭证;没有则人工核验。", "Ask for the person's own pass; without one, check by hand."),
  },
  {
    is: /^VG\d:/,
    say: w("这是门岗的随机码，不是通行凭证。", "This is a gate's challenge, and no pass."),
    todo: w("请对方先用健康码页面扫随机码，再出示凭证。", "Have the person read the challenge with the wallet, and show the pass then."),
  },
  {
    is: /^[A-Z][A-Z\d+.-]*:\/\//,
    say: w("这是网址(如场所码、付款码)，不是通行凭证。", "This is a web address, such as a place's or a payment's code, and no pass."),
    todo: w("请对方打开通行凭证后再扫;不要打开该网址。", "Ask for the pass and scan again; do not open the address."),
  },
  {
    is: /^\d{17}[\dX]$/,
    say: w("这是身份证号码，不是通行凭证。", "This is an identity card number, and no pass."),
    todo: w("扫通行凭证;证件号码填在“证件号码”一栏。", "Scan the pass; the number goes into the field for the card."),
  },
];

/** What the verifier says of a text that is no pass. */
const IS_NO_PASS = new Set(["MALFORMED", "TOO_LONG"]);

/** A verdict in the words of what the text is. A newer pass is nobody's fault, and it cannot be checked here. */
export function retold(report: Report, text: string): Report {
  if (!IS_NO_PASS.has(report.code)) return report;
  const plain = normal(text).replace(/\s/g, "");
  const words = ({ say, todo }: Kind) => ({ text_zh: say.zh, text_en: say.en, officer_zh: todo.zh, officer_en: todo.en });
  if (NEWER.is.test(plain)) return { ...report, outcome: "undecided", code: "UNKNOWN_VERSION", ...words(NEWER) };
  const other = OTHERS.find(({ is }) => is.test(plain));
  return other ? { ...report, ...words(other) } : report;
}
